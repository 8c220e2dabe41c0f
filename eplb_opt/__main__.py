"""``python -m eplb_opt``: the command `eplb-opt`, where it is not on the path."""

from eplb_opt.cli.command import main

if __name__ == "__main__":
    main()
