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


# What has to be known of a method beside its title.
REMARKS = {
    "greedy": "the policy of DeepSeek's EPLB with an expert's copies on different GPUs where they have to be; of "
    "several windows the best of it for their sum, for their mean, and a joint one",
}


def title_of(method: str) -> str:
    """What people call a method; its own name where there is nothing better."""
    return _TITLES.get(method, method)
