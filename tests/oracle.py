"""Brute force for tiny instances: plain, exact, and sharing no algorithm with the package.

`enumerate_rows` follows nothing but the problem statement and is used to check `brute_force`, which is faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import lcm

from eplb_opt.instance import Instance


def brute_force(instance: Instance) -> Fraction:
    """The smallest max load, in tokens, of any valid placement of a layer of one window.

    Given its groups, a node is a small global problem: so every way to deal the groups to the nodes is tried, and
    on each node every vector of replica counts, and for each of these every way to deal the slots to the GPUs.
    """
    (weights,) = instance.weights
    deployment = instance.deployment
    nodes = deployment.num_nodes if deployment.hierarchical else 1
    groups = deployment.num_groups if deployment.hierarchical else 1
    size = len(weights) // groups
    gpus = deployment.num_gpus // nodes

    @cache
    def node_optimum(members: tuple[int, ...]) -> Fraction:
        experts = [weights[e] for group in members for e in range(group * size, (group + 1) * size)]
        return _one_node(experts, gpus, deployment.slots_per_gpu, deployment.distinct)

    parts = partitions(tuple(range(groups)), groups // nodes)
    return min(max(node_optimum(part) for part in partition) for partition in parts) * instance.unit


def fold_optimum(instance: Instance) -> Fraction:
    """The optimum of a global instance with two slots per GPU that may hold one expert twice.

    For given counts, pairing the heaviest slot with the lightest, the second heaviest with the second lightest and
    so on has the smallest largest sum.
    """
    (weights,) = instance.weights
    deployment = instance.deployment
    assert deployment.slots_per_gpu == 2 and not deployment.distinct and not deployment.hierarchical
    best = None
    for counts in count_vectors(len(weights), deployment.num_slots, deployment.num_slots):
        loads = sorted(Fraction(w, r) for w, r in zip(weights, counts, strict=True) for _ in range(r))
        value = max(light + heavy for light, heavy in zip(loads, reversed(loads), strict=True))
        best = value if best is None else min(best, value)
    return best * instance.unit


def count_vectors(num_experts: int, num_slots: int, limit: int) -> Iterator[tuple[int, ...]]:
    """All vectors of `num_experts` integers from 1 to `limit` that sum to `num_slots`."""
    if num_experts == 1:
        if 1 <= num_slots <= limit:
            yield (num_slots,)
        return
    for first in range(1, min(limit, num_slots - num_experts + 1) + 1):
        for others in count_vectors(num_experts - 1, num_slots - first, limit):
            yield (first, *others)


def enumerate_rows(instance: Instance) -> Iterator[tuple[int, ...]]:
    """Every valid map from slots to experts, one by one: ``experts ** slots`` candidates."""
    slots = instance.deployment.num_slots
    return (row for row in product(range(instance.num_experts), repeat=slots) if row_is_valid(row, instance))


def row_is_valid(row: tuple[int, ...], instance: Instance) -> bool:
    """Whether a map from slots to experts satisfies the problem statement, condition by condition."""
    deployment = instance.deployment
    if set(row) != set(range(instance.num_experts)):
        return False
    size = deployment.num_slots // deployment.num_gpus
    gpus = [row[start : start + size] for start in range(0, len(row), size)]
    if deployment.distinct and any(len(set(gpu)) < size for gpu in gpus):
        return False
    if not deployment.hierarchical:
        return True
    per_group = instance.num_experts // deployment.num_groups
    per_node = deployment.num_slots // deployment.num_nodes
    groups_of_node = [{e // per_group for e in row[i : i + per_node]} for i in range(0, len(row), per_node)]
    share = deployment.num_groups // deployment.num_nodes
    homes = Counter(group for groups in groups_of_node for group in groups)
    return all(len(groups) == share for groups in groups_of_node) and set(homes.values()) == {1}


def row_max_load(row: tuple[int, ...], instance: Instance, window: int = 0) -> Fraction:
    """Load of the hottest GPU in tokens, by the definition."""
    return max(row_gpu_loads(row, instance, window))


def row_gpu_loads(row: tuple[int, ...], instance: Instance, window: int = 0) -> list[Fraction]:
    """Load of each GPU in tokens, by the definition: a replica carries an equal share of its expert's load."""
    loads = [Fraction(0)] * instance.deployment.num_gpus
    for slot, expert in enumerate(row):
        gpu = slot // (instance.deployment.num_slots // instance.deployment.num_gpus)
        loads[gpu] += instance.weights[window][expert] * instance.unit / list(row).count(expert)
    return loads


def _one_node(weights: list[int], num_gpus: int, slots_per_gpu: int, distinct: bool) -> Fraction:
    """The smallest max load of the experts of one node."""
    slots = num_gpus * slots_per_gpu
    limit = num_gpus if distinct else slots
    unit = lcm(*range(1, slots - len(weights) + 2))
    best = None
    for counts in count_vectors(len(weights), slots, limit):
        shares = tuple(w * unit // r for w, r in zip(weights, counts, strict=True))
        if best is None or max(shares) < best:
            value = _best_deal(counts, shares, slots_per_gpu, distinct)
            best = value if best is None else min(best, value)
    return Fraction(best, unit)


def _best_deal(counts: tuple[int, ...], shares: tuple[int, ...], size: int, distinct: bool) -> int:
    """The smallest largest GPU load when `counts` replicas with loads `shares` fill GPUs of `size` slots.

    GPUs are alike, so one of them takes a replica of the first expert that is left: try all its other slots.
    """

    def fillings(left: tuple[int, ...], first: int, places: int) -> Iterator[tuple[tuple[int, ...], int]]:
        """What is left of the replicas, and the load, after filling `places` with experts from `first` on."""
        if places == 0:
            yield left, 0
            return
        for e in range(first, len(left)):
            if left[e]:
                fewer = (*left[:e], left[e] - 1, *left[e + 1 :])
                for rest, load in fillings(fewer, e + distinct, places - 1):
                    yield rest, load + shares[e]

    @cache
    def best(left: tuple[int, ...]) -> float:
        if not any(left):
            return 0
        e = next(e for e, count in enumerate(left) if count)
        fewer = (*left[:e], left[e] - 1, *left[e + 1 :])
        options = (max(load + shares[e], best(rest)) for rest, load in fillings(fewer, e + distinct, size - 1))
        return min(options, default=float("inf"))

    value = best(counts)
    assert value != float("inf"), "counts of at most one replica per GPU can always be dealt"
    return value


def partitions(groups: tuple[int, ...], size: int) -> Iterator[list[tuple[int, ...]]]:
    """Every way to split groups into sets of `size`; nodes are alike, so the order of the sets does not matter."""
    if not groups:
        yield []
        return
    for others in combinations(groups[1:], size - 1):
        part = (groups[0], *others)
        for rest in partitions(tuple(group for group in groups if group not in part), size):
            yield [part, *rest]
