"""Hierarchical placement: which groups share a node, decided by bounds and plans of single nodes."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.groups import GroupSet, best_partition, group_sets
from eplb_opt.bounds.node import Bracket, Node
from eplb_opt.bounds.partition_evidence import backing, evidence_of
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.heuristics.planner import better_plan, first_plan
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof

Slots = NDArray[np.int64]
# Closes the gap of one node: `eplb_opt.bounds.closing.close`.
Close = Callable[[Pursuit], None]

# Each set has its own bounds and plans, and looking for a partition may pass through all sets of groups that can be
# left, which takes minutes for 32 groups in pairs. Beyond, other methods have to do.
MOST_SETS, MOST_GROUPS = 5_000, 18
# Seconds of work of the first search on a set, and of the first proof. Both double.
_SEARCH, _PROOF = 0.03, 0.1


def partition_applies(instance: Instance) -> bool:
    """Whether the sets of groups that a node can take, and their partitions, are few enough to be told apart."""
    deployment = instance.deployment
    groups, share = deployment.binding_groups, deployment.groups_per_node
    return deployment.binding_nodes > 1 and (groups <= MOST_GROUPS or share == 1) and comb(groups, share) <= MOST_SETS


class Partition:
    """Closes the gap of one hierarchical layer, from a plan and a lower bound.

    Once it is known which groups a node takes, it is a layer of its own, and the nodes are alike: f(A) is the optimum
    of a node with the set A of groups, and the optimum of the layer the smallest possible largest f over partitions
    of the groups into sets. The best partition under lower bounds of f gives a lower bound of the layer, that under
    plans gives a plan. What decides between the two is refined, by search and then by the programs for one node, until
    they meet. Valid because the load of a GPU depends on its own node alone.

    Of several windows the hottest counts. A node's plans are for all of them; its bound is the largest that is proven
    for one window by itself, and so the gap of a node need not close where several windows are hot.
    """

    def __init__(self, pursuit: Pursuit, close: Close) -> None:
        self._pursuit, self._close = pursuit, close
        self._seed = pursuit.meter.left().seed
        instance, slots = pursuit.instance, pursuit.slots
        deployment = instance.deployment
        self._nodes = {groups: Node(instance, groups) for groups in group_sets(instance)}
        for start in range(0, slots.size, deployment.slots_per_node):
            part = slots[start : start + deployment.slots_per_node]
            groups = tuple(sorted(set((part // instance.experts_per_group).tolist())))
            self._nodes[groups].offer(np.searchsorted(self._nodes[groups].experts, part))

    def run(self) -> None:
        """Better plans and bounds until the gap is small enough, within the limits."""
        while True:
            partition = self._bound()
            open_ = [self._nodes[groups] for groups in partition if not self._nodes[groups].all.closed]
            if self._pursuit.closed or self._pursuit.meter.exhausted or not open_:
                return
            # The node that keeps this partition from being as good as its bounds promise.
            self._refine(max(open_, key=lambda node: (node.all.value is None, node.all.value or 0, -node.visits)))
            self._plan()

    def _bound(self) -> list[GroupSet]:
        """A best partition under the bounds of nodes; its value is a bound of the layer."""
        num_groups = self._pursuit.instance.deployment.binding_groups
        bounds = {groups: node.all.proof.bound for groups, node in self._nodes.items()}
        value, partition = best_partition(bounds, num_groups)
        by, excluding = backing(self._nodes, num_groups, value)
        evidence = None if by else evidence_of(excluding, value)
        self._pursuit.offer_bound("partition", value, by=by, evidence=evidence)
        return partition

    def _plan(self) -> None:
        """The best partition under the plans of nodes, if it is better than the best plan."""
        plans = {groups: node.all for groups, node in self._nodes.items()}
        better = {
            groups: plan.value
            for groups, plan in plans.items()
            if plan.value is not None and plan.value < self._pursuit.best
        }
        _, partition = best_partition(better, self._pursuit.instance.deployment.binding_groups)
        if partition:
            rows = [self._nodes[groups].experts[plans[groups].slots] for groups in partition]
            self._pursuit.offer_plan(np.concatenate(rows))

    def _refine(self, node: Node) -> None:
        """A plan first; then, in turn, search and proof, each time with twice the work."""
        node.look_at_windows()
        effort = 2 ** (node.visits // 2)
        node.visits += 1
        window = node.window_to_prove
        if window is None or window.slots is None or node.visits % 2:
            self._search(node, effort * _SEARCH)
        else:
            self._prove(node, window, window.slots, effort * _PROOF)

    def _search(self, node: Node, seconds: float) -> None:
        plan = node.all
        node.searches += 1
        # With several windows a plan that search cannot better need not be good: each second search begins anew.
        anew = node.windows and node.searches % 2
        before = first_plan(plan.instance) if plan.slots is None or anew else plan.slots
        node.offer(before)
        target = max(plan.proof.bound, self._pursuit.lower_bound)
        node.offer(better_plan(plan.instance, before, target, seconds, self._seed + node.visits))
        self._pursuit.meter.spend(seconds)

    def _prove(self, node: Node, window: Bracket, slots: Slots, seconds: float) -> None:
        """No plan of a node is better than the best for one window by itself."""

        def report(slots: Slots | None, proof: Proof | None) -> None:
            if slots is not None:
                node.offer(slots)
            if proof is not None:
                window.learn(proof)
                node.all.learn(proof)

        meter = self._pursuit.meter.part(most=seconds)
        self._close(Pursuit(window.instance, slots, window.proof.bound, self._pursuit.target_gap, meter, report))
