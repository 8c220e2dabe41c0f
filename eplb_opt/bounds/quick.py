"""Instant lower bounds on the max load of one layer, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np

from eplb_opt.heuristics.replication import adams, largest_ratio
from eplb_opt.heuristics.unequal import best_nodes, few_groups
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints, compiled
from eplb_opt.proof import Proof


def quick_bounds(instance: Instance) -> tuple[Proof, ...]:
    """Every bound of this module that applies to a layer of one window, weakest argument first."""
    bounds: list[Callable[[Instance], Fraction]] = [mean_bound, adams_bound]
    if instance.deployment.binding_nodes > 1:
        bounds.insert(1, nodes_bound)
    proofs = [Proof(bound.__name__.removesuffix("_bound"), bound(instance), checked=True) for bound in bounds]
    best = max(proof.bound for proof in proofs)
    if instance.deployment.dispatch != "even" or not instance.deployment.alike:
        # Max loads need not lie on a grid there, and a replica may carry less than a filler; or GPUs differ.
        return tuple(proofs) if instance.deployment.alike else (*proofs, few_slots_proof(instance))
    return (*proofs, Proof("slack", slack_bound(instance, best), checked=True))


def mean_bound(instance: Instance) -> Fraction:
    """Total load divided by the number of GPUs, where these differ by the sum of their speeds, in tokens.

    Valid because GPU loads sum to the total load for any replica counts. Tight where loads can be split evenly; weak
    with one or two slots per GPU. O(experts).
    """
    (mean,) = instance.mean_loads
    return mean


def nodes_bound(instance: Instance) -> Fraction:
    """Load of the hottest node in the best partition of the groups, divided by its GPUs, in tokens; where GPUs differ
    by their speeds.

    Valid because a node carries the whole load of its groups. Exact for one or two groups per node (heaviest with
    lightest); for more, the bound of `_partition_bound`. O(groups log groups). Where nodes differ in speed, all ways to
    hand the groups out are compared, unless these are many: then all nodes count as the fastest.
    """
    weights, size = instance.weights[0], instance.experts_per_group
    totals = [sum(weights[start : start + size]) for start in range(0, instance.num_experts, size)]
    heaviest: int = _partition_bound(np.array(sorted(totals), dtype=object), instance.deployment.groups_per_node)
    nodes = instance.deployment.gpus.blocks(instance.deployment.binding_nodes)
    speeds = tuple(node.total_speed for node in nodes)
    if len(set(speeds)) > 1 and few_groups(len(totals)):
        return best_nodes(totals, speeds)[0] * instance.unit
    return heaviest * instance.unit / max(speeds)


def adams_bound(instance: Instance) -> Fraction:
    """The smallest largest slot load that any replica counts reach, in tokens.

    Valid because a GPU is at least as hot as its hottest slot, and under every dispatch one of n replicas serves 1/n of
    the load or more. It is what Adams' divisor method reaches, exactly (see `adams`), and so the optimum with one slot
    per GPU. Where GPUs differ, the hottest slot may be on the fastest one.
    """
    weights = instance.weights[0]
    counts = adams(weights, instance.kernel_loads, instance.deployment.num_slots, instance.max_replicas)
    return largest_ratio(weights, counts.tolist()) * instance.unit / instance.deployment.gpus.fastest


def few_slots_proof(instance: Instance) -> Proof:
    """The least load of the other GPUs where some GPUs have few slots, in tokens; for GPUs that differ.

    GPUs with k slots in all hold at most k experts, and no more load than the k heaviest have. Whatever they do, the
    others carry the rest: at least one of them that / the sum of their speeds. Valid for all replica counts and every
    dispatch. The GPUs are the first ones by slots / speed, as many as give the largest bound. O(G log G).
    """
    (weights,), gpus = instance.weights, instance.deployment.gpus
    order = sorted(range(len(gpus.slots)), key=lambda gpu: (gpus.slots[gpu] / gpus.speed(gpu), gpu))
    heaviest = [0, *accumulate(sorted(weights, reverse=True))]
    total, speed, slots = heaviest[-1], Fraction(gpus.total_speed), 0
    best, few = Fraction(total) / speed, 0
    for number, gpu in enumerate(order[:-1], start=1):
        speed -= gpus.speed(gpu)
        slots += gpus.slots[gpu]
        bound = (total - heaviest[min(slots, instance.num_experts)]) / speed
        if bound > best:
            best, few = bound, number
    evidence = {"argument": "few slots", "gpus": sorted(order[:few])}
    return Proof("few slots", best * instance.unit, checked=True, evidence=evidence)


def slack_bound(instance: Instance, known: Fraction) -> Fraction:
    """The smallest max load T that passes the slack test with fillers, at least `known`, in tokens.

    At max load T expert e needs ``w[e] / T`` replicas, rounded up. If these exceed the slots, T is impossible.
    Otherwise the slack Q limits every count to ``rmin + Q``, so every replica has a least load; a GPU with a replica
    of e also carries its ``slots - 1`` fillers, at least ``phi``, and e needs ``w[e] / (T - phi)`` replicas. Repeat
    until nothing changes. Under the hierarchical policy the needs of the groups, and their loads, must also fit the
    nodes. Tested by bisection on integers, with loads and fillers rounded down, so that every T that fails is
    impossible for the true loads.
    """
    scaled = instance.scaled(instance.max_replicas)
    start = ceil(known * scaled.factor) if scaled.exact else floor(known * scaled.factor)
    failing = _largest_failing(scaled.values, start, _Rules.of(instance))
    # On an exact grid a max load above `failing` is at least the next multiple.
    lowest_possible = max(failing + 1, start) if scaled.exact else failing
    return max(known, lowest_possible / scaled.factor)


def replica_range(instance: Instance, max_load: Fraction) -> tuple[Ints, Ints]:
    """Least and most replicas of each expert in any plan whose max load is at most `max_load` tokens.

    Least: what the slack test with fillers demands. Most: least plus slack, within `Instance.max_replicas`.
    Both are empty where the test shows that there is no such plan. Where GPUs differ, fillers are not counted, and
    every replica may be on the fastest.
    """
    if not instance.deployment.alike:
        return _range_on_the_fastest(instance, max_load)
    scaled = instance.scaled(instance.max_replicas)
    # Rounded up: replica loads of scaled experts are no integers, so rounding the limit down could cut plans off.
    limit = max_load * scaled.factor
    least = _replicas_needed(scaled.values, floor(limit) if scaled.exact else ceil(limit), _Rules.of(instance))
    slack = instance.deployment.num_slots - int(least.sum())
    return least, np.minimum(least + slack, instance.max_replicas)


def _range_on_the_fastest(instance: Instance, max_load: Fraction) -> tuple[Ints, Ints]:
    impossible = np.empty(0, dtype=np.int64)
    (weights,), (mean,) = instance.weights, instance.mean_loads
    most = max_load * instance.deployment.gpus.fastest / instance.unit
    if mean > max_load:
        return impossible, impossible
    least = np.array([max(1, ceil(weight / most)) if weight else 1 for weight in weights], dtype=np.int64)
    slack = instance.deployment.num_slots - int(least.sum())
    if slack < 0 or least.max() > instance.max_replicas:
        return impossible, impossible
    return least, np.minimum(least + slack, instance.max_replicas)


class _Rules(NamedTuple):
    """A deployment, and the most replicas of an expert, in the numbers that compiled code takes."""

    slots: int
    slots_per_gpu: int
    gpus: int
    most: int
    distinct: bool
    groups: int
    nodes: int

    @classmethod
    def of(cls, instance: Instance) -> _Rules:
        deployment = instance.deployment
        return cls(
            deployment.num_slots,
            deployment.slots_per_gpu,
            deployment.num_gpus,
            instance.max_replicas,
            deployment.distinct,
            deployment.binding_groups,
            deployment.binding_nodes,
        )


def _partition_bound(ordered: Any, size: int) -> Any:
    """A lower bound on the largest sum when increasing integers are dealt into sets of `size`; exact for sizes 1 and 2.

    For size 2 pairing heaviest with lightest is optimal. In general, with n sets, some set holds q + 1 of the
    n q + 1 heaviest values, hence at least the q + 1 lightest of these and the ``size - q - 1`` lightest of all.
    """
    number = ordered.size
    if size == 2:
        pairs = ordered[0] + ordered[number - 1]
        for i in range(1, number // 2):
            pairs = max(pairs, ordered[i] + ordered[number - 1 - i])
        return pairs
    sets = number // size
    bound = -(-ordered.sum() // sets)
    for q in range(size):
        # From the heaviest on, item n q and the q before it; the others are the lightest.
        heavy = number - sets * q - 1
        bound = max(bound, ordered[heavy : heavy + q + 1].sum() + ordered[: size - q - 1].sum())
    return bound


# The same on int64, inside other kernels.
_partition_bound_int64 = compiled(_partition_bound)


@compiled
def _hottest_node(values: Ints, groups: int, nodes: int) -> int:
    """A lower bound on the largest sum over a node, whatever groups it takes."""
    totals = np.zeros(groups, dtype=np.int64)
    size = values.size // groups
    for expert in range(values.size):
        totals[expert // size] += values[expert]
    return _partition_bound_int64(_lightest(totals, groups), groups // nodes)  # type: ignore[no-any-return]


@compiled
def _lightest(values: Ints, number: int) -> Ints:
    """So many of the smallest values, in order: by insertion, as numpy's sorting takes the compiler seconds."""
    ordered = np.empty(number, dtype=np.int64)
    kept = 0
    for value in values:
        if kept < number:
            kept += 1
        elif value >= ordered[number - 1]:
            continue
        place = kept - 1
        while place > 0 and ordered[place - 1] > value:
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = value
    return ordered


def _largest_failing(w: Ints, start: int, rules: _Rules) -> int:
    """The largest T from ``start - 1`` on that the bisection saw fail; ``start - 1`` where `start` passes."""
    failing, step = start - 1, 1
    while not _replicas_needed(w, failing + step, rules).size:
        failing += step
        step *= 2
    while step > 1:
        step //= 2
        if not _replicas_needed(w, failing + step, rules).size:
            failing += step
    return failing


@compiled
def _replicas_needed(w: Ints, top: int, rules: _Rules) -> Ints:
    """Least count of each expert at max load `top`, fillers counted; an empty array where `top` is impossible."""
    impossible = np.empty(0, dtype=np.int64)
    need, least = np.ones(w.size, dtype=np.int64), np.empty(w.size, dtype=np.int64)
    if top <= 0:
        return impossible if w.sum() > 0 else need
    for e in range(w.size):
        need[e] = max(1, -(-w[e] // top))
        if need[e] > rules.most:
            return impossible
    if w.sum() > top * rules.gpus:
        return impossible
    if rules.nodes > 1 and _hottest_node(w, rules.groups, rules.nodes) > top * (rules.gpus // rules.nodes):
        return impossible
    others = min(rules.slots_per_gpu - 1, w.size)
    while True:
        slack = rules.slots - need.sum()
        if slack < 0:
            return impossible
        if rules.nodes > 1 and _hottest_node(need, rules.groups, rules.nodes) > rules.slots // rules.nodes:
            return impossible
        for e in range(w.size):
            least[e] = w[e] // min(need[e] + slack, rules.most)
        ordered = _lightest(least, min(others + 1, w.size))
        lightest = ordered[:others].sum()
        changed = False
        for e in range(w.size):
            fillers = lightest
            if not rules.distinct:
                fillers = (rules.slots_per_gpu - 1) * ordered[0]
            elif others > 0 and least[e] <= ordered[others - 1]:
                # e is among the lightest, or ties with them: the sum of the others is the same.
                fillers += ordered[others] - least[e]
            if w[e] == 0 and fillers <= top:
                continue
            if fillers >= top:
                return impossible
            needed = -(-w[e] // (top - fillers))
            if needed > rules.most:
                return impossible
            if needed > need[e]:
                need[e] = needed
                changed = True
        if not changed:
            return need
