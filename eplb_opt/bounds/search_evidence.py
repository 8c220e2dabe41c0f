"""Evidence by search: for bounds of small layers that would rest on somebody's word."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import comb
from typing import Any

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.groups import group_sets
from eplb_opt.certificates.arguments import refutes
from eplb_opt.certificates.check import proves_of_windows
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.windows import RecordedWindows
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Meter
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof

# Slots and sets of groups beyond which it is not tried, slots of a node beyond which it is not with several windows,
# and seconds of one search.
_MOST_SLOTS, _MOST_SETS, _MOST_SLOTS_OF_WINDOWS, MOST_SECONDS = 64, 100, 18, 0.9
# Part of the limits of a proof for it.
_TRYING = 0.5
_SEARCH = {"argument": "search"}


def search_evidence(
    instance: Instance, bound: Fraction, objective: Objective | None = None, seconds: float = MOST_SECONDS
) -> Mapping[str, Any] | None:
    """What shows, as `eplb_opt.certificates` reads it, that no plan is worth less than `bound`; ``None``: not found.

    Of one window in tokens; with nodes, of each set of groups that a node cannot take below the bound. Of several in
    the unit of the objective, by default the hottest of them in tokens. A search takes no more than about so many
    seconds.
    """
    objective, work = objective or Objective(), int(seconds * 1e9)
    if not placements_are_few(instance):
        return None
    try:
        if instance.num_windows > 1:
            return _of_windows(instance, bound, objective, work)
        evidence = _of_one_window(instance, bound, work)
        if evidence is not None:
            check_proof(Proof("search", bound, checked=True, evidence=evidence), instance, objective)
    except CertificateError:
        return None
    return evidence


def placements_are_few(instance: Instance) -> bool:
    """Whether it may be worth its time to try all placements."""
    deployment = instance.deployment
    few = instance.num_windows == 1 or deployment.slots_per_node <= _MOST_SLOTS_OF_WINDOWS
    sets = comb(deployment.binding_groups, deployment.groups_per_node)
    return few and deployment.num_slots <= _MOST_SLOTS and sets <= _MOST_SETS


def prove_by_search(incumbent: Incumbent, meter: Meter) -> float:
    """Whether all placements show that no plan is better; how many seconds were given to that, 0 where they are many.

    Of several windows, under the even split, of GPUs that are alike. The incumbent has a plan.
    """
    if not placements_are_few(incumbent.instance):
        return 0.0
    limits = meter.left(_TRYING)
    seconds = min(MOST_SECONDS, limits.seconds if limits.work is None else limits.work)
    evidence = search_evidence(incumbent.instance, incumbent.value, incumbent.objective, seconds)
    meter.spend(seconds)
    if evidence is not None:
        incumbent.offer_proof(Proof("search", incumbent.value, checked=True, evidence=evidence))
    return seconds


def _of_one_window(instance: Instance, bound: Fraction, work: int) -> Mapping[str, Any] | None:
    layer = Layer.of(instance.weights[0], instance.deployment.facts, instance.unit)
    if instance.deployment.binding_nodes == 1:
        return _SEARCH if _is_refuted(layer, layer.below(bound), work) else None
    nodes = {groups: layer.node(groups) for groups in group_sets(instance)}
    refuted = [groups for groups, node in nodes.items() if _is_refuted(node, node.below(bound), work)]
    return {"argument": "partition", "sets": [[list(groups), dict(_SEARCH)] for groups in refuted]}


def _is_refuted(node: Layer, top: int, work: int) -> bool:
    return refutes(_SEARCH, node, top, WorkLimit(work))


def _of_windows(instance: Instance, bound: Fraction, objective: Objective, work: int) -> Mapping[str, Any] | None:
    hottest = objective.kind == "hottest"
    units = [instance.unit if hottest else 1 / mean * instance.unit for mean in instance.mean_loads]
    weights = instance.weights_of_loaded(objective.window_weights) if objective.kind == "mean" else None
    windows = RecordedWindows.of(instance.weights, units, weights, instance.deployment.facts)
    return _SEARCH if proves_of_windows(_SEARCH, bound, windows, WorkLimit(work)) else None
