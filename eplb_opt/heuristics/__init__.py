"""Heuristics: plans without proof, by the published rules and by search."""

from eplb_opt.heuristics.registry import names, summaries

__all__ = ["names", "summaries"]
