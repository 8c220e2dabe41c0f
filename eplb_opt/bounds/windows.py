"""Instant lower bounds on objectives over several windows, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, lcm
from typing import Any

from eplb_opt.bounds.groups import MOST_PARTITIONS, GroupSet, group_sets, node_instance, num_partitions, partitions
from eplb_opt.bounds.quick import adams_bound, quick_bounds
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import weighted_mean

# Instant bounds of single windows on single nodes, a quarter of a millisecond each.
_MOST_NODE_BOUNDS = 400


def window_bounds(
    instance: Instance, objective: str, window_weights: Sequence[Fraction] | None = None
) -> tuple[Proof, ...]:
    """Bounds on the ``"mean"`` or ``"worst"`` imbalance over the windows with any load; 1 where there is none.

    `window_weights` weigh the mean.
    """
    if not any(instance.loaded_windows):
        return (Proof("windows", Fraction(1), checked=True, evidence={"argument": "windows", "windows": []}),)
    weights = instance.weights_of_loaded(window_weights) if objective == "mean" else None
    # Each window by itself: in one unit for all of them, many windows are numbers of thousands of digits.
    windows = [window.in_mean_loads() for window in instance.loaded().windows()]
    proofs = [proof_of_windows([strongest(*quick_bounds(window)) for window in windows], weights)]
    # Nodes whose GPUs differ are not alike: which of them takes a set of groups would matter.
    if instance.deployment.alike and 1 < num_partitions(instance) <= MOST_PARTITIONS:
        proofs.append(_partition_proof(windows, weights))
    if weights is None:
        proofs.append(Proof("envelope", envelope_bound(windows), checked=True, evidence={"argument": "envelope"}))
    return tuple(proofs)


def proof_of_windows(alone: Sequence[Proof], weights: Sequence[Fraction] | None) -> Proof:
    """What bounds of each window by itself come to, each in mean loads: their weighted mean, or the largest."""
    evidence = {"argument": "windows", "windows": [certificate_of(proof) for proof in alone]}
    bound = _value([[proof.bound for proof in alone]], weights)
    return Proof("windows", bound, all(proof.checked for proof in alone), evidence=evidence)


def _partition_proof(windows: Sequence[Instance], weights: Sequence[Fraction] | None) -> Proof:
    """The least objective over partitions of the groups into nodes, if each node met its own bound in every window.

    A plan has one partition for all windows, and the load of a GPU depends on its own node alone. So this is valid, and
    at least the bound of the windows by themselves, each of which may have another best partition.
    """
    layer = windows[0]
    proofs = {groups: node_proofs(windows, groups) for groups in group_sets(layer)}
    nodes = {groups: [proof.bound for proof in windows] for groups, windows in proofs.items()}
    bound = min(_value([nodes[groups] for groups in partition], weights) for partition in partitions(layer))
    evidence = [[list(groups), [certificate_of(proof) for proof in windows]] for groups, windows in proofs.items()]
    argument = "window partition"
    return Proof(argument, bound, checked=True, evidence={"argument": argument, "nodes": evidence})


def node_proofs(windows: Sequence[Instance], groups: GroupSet) -> Sequence[Proof]:
    """A bound of each window on the node that takes these groups; what takes long to look at, by its mean load."""
    deployment = windows[0].deployment
    many = comb(deployment.binding_groups, deployment.groups_per_node) * len(windows) > _MOST_NODE_BOUNDS
    nodes = [node_instance(window, groups) for window in windows]
    if many:
        return [Proof("mean", mean, checked=True) for node in nodes for mean in node.mean_loads]
    return [strongest(*quick_bounds(window)) for node in nodes for window in node.windows()]


def _value(nodes: Sequence[Sequence[Fraction]], weights: Sequence[Fraction] | None) -> Fraction:
    """Objective of nodes with these imbalances, one for each window; the largest of all without weights."""
    worst = [max(column) for column in zip(*nodes, strict=True)]
    return max(worst) if weights is None else weighted_mean(list(zip(worst, weights, strict=True)))


def certificate_of(proof: Proof) -> dict[str, Any]:
    """Of an instant bound, as `eplb_opt.certificates` reads it."""
    return {**(proof.certified or {}), "bound": str(proof.bound)}


def envelope_bound(windows: Sequence[Instance]) -> Fraction:
    """The smallest max load, in tokens, that the hottest slots of all windows allow; each window is a layer of its own.

    In a plan whose max load is at most T in every window, expert e has at least ``w[k, e] / T`` replicas for each
    window k: as many as the load ``max_k w[k, e]`` would need at max load T. So Adams' bound for these loads holds,
    and is met with one slot per GPU. Stronger than the windows by themselves where slots are few and different experts
    are hot at different times.
    """
    units = [window.unit.as_integer_ratio() for window in windows]
    hottest = []
    for loads in zip(*(window.weights[0] for window in windows), strict=True):
        top, divisor = 0, 1
        # Compared without fractions, which would look for a common divisor of each.
        for load, (numerator, denominator) in zip(loads, units, strict=True):
            if load * numerator * divisor > top * denominator:
                top, divisor = load * numerator, denominator
        hottest.append(Fraction(top, divisor))
    # A unit that the hottest loads have in common: one of all loads would have thousands of digits.
    multiple = lcm(*(load.denominator for load in hottest))
    weights = tuple(load.numerator * (multiple // load.denominator) for load in hottest)
    return adams_bound(Instance((weights,), Fraction(1, multiple), windows[0].deployment))
