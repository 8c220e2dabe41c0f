"""Hierarchical placement: which groups share a node, decided by bounds and plans of single nodes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb

import numpy as np

from eplb_opt.bounds.groups import GroupSet, best_partition, group_sets
from eplb_opt.bounds.node import Node
from eplb_opt.bounds.node_windows import prove_all_windows
from eplb_opt.bounds.partition_evidence import backing, evidence_of
from eplb_opt.bounds.pattern_enumeration import filling_evidence
from eplb_opt.heuristics.planner import better_plan, first_plan
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Meter
from eplb_opt.proof import Proof

# Proves one node: `eplb_opt.bounds.prove.prove`.
Prove = Callable[[Incumbent, Meter], None]

# Each set has its own bounds and plans, and looking for a partition may pass through all sets of groups that can be
# left, which takes minutes for 32 groups in pairs. Beyond, other methods have to do.
MOST_SETS, MOST_GROUPS = 5_000, 18
# Part of the limits to look for evidence of a node.
_CERTIFYING = 0.1
# Seconds of work of the first search on a set, and of the first proof. Both double.
_SEARCH, _PROOF = 0.03, 0.1


def partition_applies(instance: Instance) -> bool:
    """Whether the sets of groups that a node can take, and their partitions, are few enough to be told apart."""
    deployment = instance.deployment
    groups, size = deployment.binding_groups, deployment.groups_per_node
    return deployment.binding_nodes > 1 and (groups <= MOST_GROUPS or size == 1) and comb(groups, size) <= MOST_SETS


class Partition:
    """Proves the optimum of one hierarchical layer, from a plan and a lower bound.

    Once it is known which groups a node takes, it is a layer of its own, and the nodes are alike: f(A) is the optimum
    of a node with the set A of groups, and the optimum of the layer the smallest possible largest f over partitions
    of the groups into sets. The best partition under lower bounds of f gives a lower bound of the layer, that under
    plans gives a plan. What decides between the two is refined, by search and then by the programs for one node, until
    they meet. Valid because the load of a GPU depends on its own node alone.

    Of several windows the hottest counts. A node's plans are for all of them; its bound is the largest that is proven
    for one window by itself, or for all of them at once.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter, prove: Prove) -> None:
        self._incumbent, self._meter, self._prove = incumbent, meter, prove
        self._seed = meter.left().seed
        instance, slots = incumbent.instance, incumbent.slots
        deployment = instance.deployment
        self._nodes = {groups: Node(instance, groups, incumbent.target_gap) for groups in group_sets(instance)}
        for start in range(0, slots.size, deployment.slots_per_node):
            part = slots[start : start + deployment.slots_per_node]
            groups = tuple(sorted(set((part // instance.experts_per_group).tolist())))
            self._nodes[groups].offer(np.searchsorted(self._nodes[groups].experts, part))

    def run(self) -> None:
        """Better plans and bounds until the gap is small enough, within the limits."""
        while True:
            partition = self._bound()
            if self._certify():
                continue
            unsettled = [self._nodes[groups] for groups in partition if not self._nodes[groups].settled]
            if self._incumbent.closed or self._meter.exhausted or not unsettled:
                return
            # The node that keeps this partition from being as good as its bounds promise.
            self._refine(max(unsettled, key=_hotness))
            self._plan()

    def _bound(self) -> list[GroupSet]:
        """A best partition under the bounds of nodes; its value is a bound of the layer."""
        num_groups = self._incumbent.instance.deployment.binding_groups
        bounds = {groups: node.incumbent.bound for groups, node in self._nodes.items()}
        value, partition = best_partition(bounds, num_groups)
        by, excluding = backing(self._nodes, num_groups, value)
        evidence = None if by else evidence_of(excluding, value)
        self._incumbent.prove("partition", value, by=by, evidence=evidence)
        return partition

    def _certify(self) -> bool:
        """Whether a node has evidence now for what it is needed for, where it had a word for more.

        The word of a search may be about a max load far above the best plan of the layer, which takes longer to check,
        or too long. Evidence is looked for once for each plan.
        """
        needed, enough = self._incumbent.bound, self._incumbent.value
        if self._incumbent.checked.bound >= needed:
            return False
        for node in self._nodes.values():
            if node.certified == enough or not node.words_for(needed):
                continue
            node.certified = enough
            for known in node.words_for(needed):
                at = min(known.bound, enough)
                evidence = filling_evidence(known.instance, at, self._meter.part(_CERTIFYING))
                if evidence is not None:
                    known.offer_proof(Proof("fillings", at, checked=True, evidence=evidence))
                    return True
        return False

    def _plan(self) -> None:
        """The best partition under the plans of nodes, if it is better than the best plan."""
        plans = {groups: node.incumbent for groups, node in self._nodes.items() if node.incumbent.has_plan}
        better = {groups: plan.value for groups, plan in plans.items() if plan.value < self._incumbent.value}
        _, partition = best_partition(better, self._incumbent.instance.deployment.binding_groups)
        if partition:
            rows = [self._nodes[groups].experts[plans[groups].slots] for groups in partition]
            self._incumbent.offer_plan(np.concatenate(rows), "partition")

    def _refine(self, node: Node) -> None:
        """A plan first; then, in turn, search and proof, each time with twice the work."""
        node.look_at_windows()
        effort = 2 ** (node.visits // 2)
        node.visits += 1
        window = node.window_to_prove
        if node.visits % 2:
            self._search(node, effort * _SEARCH)
        elif node.windows and (window is None or node.visits % 4 == 0):
            prove_all_windows(node, self._meter.part(most=effort * _PROOF))
        elif window is None:
            self._search(node, effort * _SEARCH)
        else:
            self._prove(window, self._meter.part(most=effort * _PROOF))

    def _search(self, node: Node, seconds: float) -> None:
        whole, limits = node.incumbent, self._meter.left()
        # A search that time cuts short hands nothing over.
        seconds = min(seconds, limits.seconds if limits.work is None else limits.work)
        node.searches += 1
        # With several windows a plan that search cannot better need not be good: each second search begins anew.
        anew = node.windows and node.searches % 2
        before = first_plan(whole.instance) if anew or not whole.has_plan else whole.slots
        node.offer(before)
        target = max(whole.bound, self._incumbent.bound)
        node.offer(better_plan(whole.instance, before, target, seconds, self._seed + node.visits))
        self._meter.spend(seconds)


def _hotness(node: Node) -> tuple[bool, Fraction, int]:
    """The larger, the more a node keeps a partition from being good: without a plan, else by its value."""
    known = node.incumbent.has_plan
    return not known, node.incumbent.value if known else Fraction(0), -node.visits
