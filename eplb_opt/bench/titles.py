"""Titles: methods in the words of tables and figures."""

from __future__ import annotations

_TITLES = {
    "greedy": "published greedy",
    "search": "local search",
    "cpsat": "whole model (CP-SAT)",
    "pulp:HiGHS": "whole model (HiGHS)",
    "pulp:COIN_CMD": "whole model (CBC)",
    "auto": "eplb_opt",
}


def title_of(method: str) -> str:
    """What people call a method; its own name where there is nothing better."""
    return _TITLES.get(method, method)
