"""Heuristics: plans without proof, from the published rules to compiled search."""

from eplb_opt.heuristics.registry import names

__all__ = ["names"]
