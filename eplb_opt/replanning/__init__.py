"""Replanning: better plans from one that runs, with few moves."""
