"""Sets of groups: which of them a node can take, the node that takes them, and the best partition into some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

# More partitions of the groups into nodes than this are not looked at one by one: 8 groups in pairs have 105.
MOST_PARTITIONS = 1_000

GroupSet = tuple[int, ...]


def group_sets(instance: Instance) -> Iterator[GroupSet]:
    """The sets of groups that a node can take."""
    deployment = instance.deployment
    return combinations(range(deployment.binding_groups), deployment.groups_per_node)


def best_partition(values: Mapping[GroupSet, Fraction], num_groups: int) -> tuple[Fraction, list[GroupSet]]:
    """The partition of the groups into given sets whose largest value is smallest; value 0 and no sets if none exists.

    By bisection over the values; whether sets up to some value hold a partition is found depth first, the lowest
    group that is left choosing its set.
    """
    ordered = sorted(values, key=lambda groups: values[groups])
    low, high, best = 0, len(ordered), None
    while low <= high:
        middle = (low + high) // 2
        partition = _partition_into(ordered[:middle], num_groups)
        if partition is None:
            low = middle + 1
        else:
            best, high = partition, middle - 1
    return (max(values[groups] for groups in best), best) if best else (Fraction(0), [])


def _partition_into(sets: Iterable[GroupSet], num_groups: int) -> list[GroupSet] | None:
    """A partition of all groups into some of the sets, or ``None``."""
    masks = {sum(1 << group for group in groups): groups for groups in sets}
    of_lowest: list[list[int]] = [[] for _ in range(num_groups)]
    for mask in masks:
        of_lowest[_lowest_free(~mask)].append(mask)
    everything = (1 << num_groups) - 1
    dead_ends: set[int] = set()
    # The groups taken so far, after each set of the partition, and the sets that are left to go on with.
    path = [(0, iter(of_lowest[0]))]
    while path:
        taken, choices = path[-1]
        chosen = next((mask for mask in choices if not mask & taken and taken | mask not in dead_ends), 0)
        if not chosen:
            dead_ends.add(taken)
            path.pop()
        elif taken | chosen == everything:
            steps = [*(before for before, _ in path), everything]
            return [masks[after ^ before] for before, after in pairwise(steps)]
        else:
            path.append((taken | chosen, iter(of_lowest[_lowest_free(taken | chosen)])))
    return None


def _lowest_free(taken: int) -> int:
    """The lowest group that is not among those taken."""
    return (~taken & (taken + 1)).bit_length() - 1


def partitions(instance: Instance) -> Iterator[tuple[GroupSet, ...]]:
    """All ways to part the groups over nodes, each once."""
    return _partitions(tuple(range(instance.deployment.binding_groups)), instance.deployment.groups_per_node)


def _partitions(groups: GroupSet, size: int) -> Iterator[tuple[GroupSet, ...]]:
    """All ways to part groups, in order, into sets of a size: the first group left chooses its set."""
    if not groups:
        yield ()
        return
    first, others = groups[0], groups[1:]
    for chosen in combinations(others, size - 1):
        rest = tuple(group for group in others if group not in chosen)
        for partition in _partitions(rest, size):
            yield (first, *chosen), *partition


def num_partitions(instance: Instance) -> int:
    """How many `partitions` there are."""
    nodes, size = instance.deployment.binding_nodes, instance.deployment.groups_per_node
    return factorial(nodes * size) // (int(factorial(size) ** nodes) * factorial(nodes))


def node_experts(instance: Instance, groups: GroupSet) -> NDArray[np.int64]:
    """The experts of a node that takes these groups."""
    size = instance.experts_per_group
    return np.concatenate([np.arange(group * size, (group + 1) * size) for group in groups])


def node_instance(instance: Instance, groups: GroupSet) -> Instance:
    """A node that takes these groups, as a layer of its own."""
    deployment, experts = instance.deployment, node_experts(instance, groups).tolist()
    return Instance(
        tuple(tuple(window[expert] for expert in experts) for window in instance.weights),
        instance.unit,
        Deployment(
            deployment.gpus_per_node,
            deployment.slots_per_node,
            distinct=deployment.distinct,
            dispatch=deployment.dispatch,
        ),
    )
