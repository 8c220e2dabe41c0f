"""Heuristics: plans without proof, from the published rules to compiled search."""

from eplb_opt.heuristics.registry import names, summaries

__all__ = ["names", "summaries"]
