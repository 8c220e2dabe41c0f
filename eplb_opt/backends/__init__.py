"""Solvers: one family per file, each running a formulation and saying what it found and how well."""
