"""The rules by name."""

from __future__ import annotations

from collections.abc import Mapping

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch import by_rank, even, nearest, optimal, sglang_static
from eplb_opt.dispatch.rule import Rule

RULES: Mapping[str, Rule] = {
    "even": even.RULE,
    "nearest": nearest.RULE,
    "sglang-static": sglang_static.RULE,
    "by-rank": by_rank.RULE,
    "optimal": optimal.RULE,
}


def rule_of(deployment: Deployment) -> Rule:
    """The rule of a deployment."""
    return RULES[deployment.dispatch]
