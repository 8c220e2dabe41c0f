"""Hierarchical placement: which groups share a node, decided by bounds and plans of single nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, greedy, search
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import max_loads

Slots = NDArray[np.int64]
# Closes the gap of one node: `eplb_opt.bounds.closing.close`.
Close = Callable[[Pursuit], None]
GroupSet = tuple[int, ...]

# Each set has its own bounds and plans, and looking for a partition may pass through all sets of groups that can be
# left, which takes minutes for 32 groups in pairs. Beyond, other methods have to do.
MOST_SETS, MOST_GROUPS = 5_000, 18
# The first search on a set, in pairs of slots, and the first proof, in seconds. Both double.
_SEARCH_PAIRS, _PROOF_SECONDS = 4_000_000, 0.1


def partition_applies(instance: Instance) -> bool:
    """Whether the sets of groups that a node can take, and their partitions, are few enough to be told apart."""
    deployment = instance.deployment
    groups, share = deployment.binding_groups, deployment.groups_per_node
    return deployment.binding_nodes > 1 and (groups <= MOST_GROUPS or share == 1) and comb(groups, share) <= MOST_SETS


@dataclass
class _Node:
    """What is known of a node that takes one set of groups."""

    instance: Instance
    experts: NDArray[np.int64]
    proof: Proof
    slots: Slots | None = None
    value: Fraction | None = None
    visits: int = 0

    @property
    def closed(self) -> bool:
        """Whether plan and bound meet."""
        return self.value == self.proof.bound


class Partition:
    """Closes the gap of one hierarchical layer, from a plan and a lower bound.

    Once it is known which groups a node takes, it is a layer of its own, and the nodes are alike: f(A) is the optimum
    of a node with the set A of groups, and the optimum of the layer the smallest possible largest f over partitions
    of the groups into sets. The best partition under lower bounds of f gives a lower bound of the layer, that under
    plans gives a plan. What decides between the two is refined, by search and then by the programs for one node, until
    they meet. Valid because the load of a GPU depends on its own node alone.
    """

    def __init__(self, pursuit: Pursuit, close: Close) -> None:
        self._pursuit, self._close = pursuit, close
        self._seed = pursuit.meter.left().seed
        instance, slots = pursuit.instance, pursuit.slots
        deployment = instance.deployment
        self._nodes = {groups: _node(instance, groups) for groups in group_sets(instance)}
        for start in range(0, slots.size, deployment.slots_per_node):
            part = slots[start : start + deployment.slots_per_node]
            groups = tuple(sorted(set((part // instance.experts_per_group).tolist())))
            _offer(self._nodes[groups], np.searchsorted(self._nodes[groups].experts, part))

    def run(self) -> None:
        """Better plans and bounds until the gap is small enough, within the limits."""
        while True:
            partition = self._bound()
            open_ = [self._nodes[groups] for groups in partition if not self._nodes[groups].closed]
            if self._pursuit.closed or self._pursuit.meter.exhausted or not open_:
                return
            # The node that keeps this partition from being as good as its bounds promise.
            node = max(open_, key=lambda node: (node.value is None, node.value or 0, -node.visits))
            self._refine(node)
            self._plan()

    def _bound(self) -> list[GroupSet]:
        """A best partition under the bounds of nodes; its value is a bound of the layer."""
        bounds = {groups: node.proof.bound for groups, node in self._nodes.items()}
        value, partition = best_partition(bounds, self._pursuit.instance.deployment.binding_groups)
        # What excludes anything better are the sets whose bounds are at least this.
        checked = all(node.proof.checked for node in self._nodes.values() if node.proof.bound >= value)
        self._pursuit.offer_bound("partition" if checked else "partition by cpsat", value, checked)
        return partition

    def _plan(self) -> None:
        """The best partition under the plans of nodes, if it is better than the best plan."""
        values = {groups: node.value for groups, node in self._nodes.items() if node.value is not None}
        better = {groups: value for groups, value in values.items() if value < self._pursuit.best}
        _, partition = best_partition(better, self._pursuit.instance.deployment.binding_groups)
        if partition:
            rows = [self._nodes[groups].experts[self._nodes[groups].slots] for groups in partition]
            self._pursuit.offer_plan(np.concatenate(rows))

    def _refine(self, node: _Node) -> None:
        """A plan first; then, in turn, search and proof, each time with twice the work."""
        effort = 2 ** (node.visits // 2)
        node.visits += 1
        before = greedy(node.instance) if node.slots is None else node.slots
        pursuit = self._pursuit
        if node.visits % 2:
            target = node.instance.kernel_value(max(node.proof.bound, pursuit.lower_bound))
            pairs = effort * _SEARCH_PAIRS
            _offer(node, search(node.instance, before, seed=self._seed + node.visits, target=target, work=pairs))
            pursuit.meter.spend(pairs / PAIRS_PER_SECOND)
            return

        def report(slots: Slots | None, proof: Proof | None) -> None:
            if slots is not None:
                _offer(node, slots)
            if proof is not None:
                node.proof = strongest(node.proof, proof)

        meter = pursuit.meter.part(most=effort * _PROOF_SECONDS)
        self._close(Pursuit(node.instance, before, node.proof.bound, pursuit.target_gap, meter, report))


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
        Deployment(deployment.gpus_per_node, deployment.slots_per_node, distinct=deployment.distinct),
    )


def _node(instance: Instance, groups: GroupSet) -> _Node:
    alone = node_instance(instance, groups)
    return _Node(alone, node_experts(instance, groups), strongest(*quick_bounds(alone)))


def _offer(node: _Node, slots: Slots) -> None:
    """Keep a plan of the node if it is better."""
    (value,) = max_loads(slots.tolist(), node.instance)
    if node.value is None or value < node.value:
        node.slots, node.value = slots, value
