"""What shows that no partition of the groups is better than a bound: certificates of nodes, and words of solvers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from eplb_opt.bounds.groups import GroupSet, best_partition
from eplb_opt.bounds.node import Node
from eplb_opt.certificates.exact import exact_text
from eplb_opt.proof import Proof

# A certificate about a window of which nothing need be said.
_NOTHING = {"argument": "mean", "bound": "0"}


def backing(nodes: Mapping[GroupSet, Node], num_groups: int, value: Fraction) -> tuple[str, dict[GroupSet, Node]]:
    """On whose words it rests that no partition is below `value`, and the nodes with a certificate for that.

    Words are only those without which some partition would be left, so that there are none if certificates suffice.
    """
    certified = {groups: node for groups, node in nodes.items() if node.incumbent.checked.bound >= value}
    words = {
        groups: node.incumbent.proof.by
        for groups, node in nodes.items()
        if groups not in certified and node.incumbent.proof.bound >= value
    }
    needed = set(words.values())
    for by in sorted(needed):
        excluded = {*certified, *(groups for groups, word in words.items() if word in needed - {by})}
        if not best_partition({groups: value for groups in nodes if groups not in excluded}, num_groups)[1]:
            needed.remove(by)
    return " and ".join(sorted(needed)), certified


def evidence_of(nodes: Mapping[GroupSet, Node], value: Fraction) -> Mapping[str, Any]:
    """What proves that each of these nodes is not below `value`, and so the layer is not, for a certificate."""
    if any(node.incumbent.instance.num_windows > 1 for node in nodes.values()):
        return {"argument": "window partition", "nodes": [[list(groups), _hot(nodes[groups])] for groups in nodes]}
    sets = [[list(groups), _cold(node.incumbent.checked, value)] for groups, node in nodes.items()]
    return {"argument": "partition", "sets": sets}


def _cold(proof: Proof, value: Fraction) -> Mapping[str, Any]:
    """The argument of a node of one window.

    Rows of pairs are about one max load: they need not hold for a lower one, as other arguments do.
    """
    argument = proof.certified or {}
    about_another = argument.get("argument") == "pairs" and proof.bound != value
    return {**argument, "bound": exact_text(proof.bound)} if about_another else argument


def _hot(node: Node) -> Any:
    """What proves a node of several windows: an argument about all of them, or of the hottest and nothing of others."""
    proof = node.incumbent.checked
    means = [Proof("mean", mean, checked=True) for mean in node.incumbent.instance.mean_loads]
    alone = [window.checked for window in node.windows] or means
    hottest = max(range(len(alone)), key=lambda window: alone[window].bound)
    if alone[hottest].bound < proof.bound:
        return {**(proof.evidence or {}), "bound": exact_text(proof.bound)}
    certificate = {**(alone[hottest].certified or {}), "bound": exact_text(alone[hottest].bound)}
    return [certificate if window == hottest else _NOTHING for window in range(len(alone))]
