"""Evidence by search: for bounds of small layers that would rest on somebody's word."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from eplb_opt.bounds.groups import group_sets
from eplb_opt.certificates.arguments import refutes
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.instance import Instance

# Slots and sets of groups beyond which it is not tried, and nanoseconds of one search.
_MOST_SLOTS, _MOST_SETS, _MOST_WORK = 64, 100, 900_000_000


def search_evidence(instance: Instance, bound: Fraction) -> Mapping[str, Any] | None:
    """What shows, as `eplb_opt.certificates` reads it, that no plan is below `bound` tokens; ``None``: not found.

    Of a layer of one window. With nodes, of each set of groups that a node cannot take below the bound.
    """
    deployment = instance.deployment
    if instance.num_windows > 1 or deployment.num_slots > _MOST_SLOTS:
        return None
    loads, rules = instance.weights[0], deployment.facts
    evidence: dict[str, Any] = {"argument": "search"}
    try:
        layer = Layer.of(loads, rules, instance.unit)
        if deployment.binding_nodes > 1:
            sets = list(islice(group_sets(instance), _MOST_SETS + 1))
            if len(sets) > _MOST_SETS:
                return None
            nodes = {groups: layer.node(groups) for groups in sets}
            refuted = [groups for groups, node in nodes.items() if _is_refuted(node, node.below(bound))]
            evidence = {"argument": "partition", "sets": [[list(groups), dict(evidence)] for groups in refuted]}
        elif not _is_refuted(layer, layer.below(bound)):
            return None
        check({**evidence, "bound": str(bound)}, [loads], rules, unit=instance.unit)
    except CertificateError:
        return None
    return evidence


def _is_refuted(node: Layer, top: int) -> bool:
    return refutes({"argument": "search"}, node, top, WorkLimit(_MOST_WORK))
