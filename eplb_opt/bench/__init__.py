"""Benchmarks: suites of cases, methods run on them, and tables of what came out."""
