"""The command line: the library, spelled out; one command per file."""
