"""Levelling: GPUs of a node are packed anew, with other counts, and made to carry nearly the same, or exactly.

`eplb_opt.kernels.levelling` exchanges slots while counts stay. So each walk begins with counts of its own, near those
of the best plan: the more walks begin, the more of them end below it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from eplb_opt.heuristics.nearby_counts import Fractions, other_counts
from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import Slots, groups_of_slots, hottest, nodes_of, place_groups
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.levelling import Aim, level
from eplb_opt.kernels.state import state_of

# In the time that one step takes for each part that a GPU can give, so many pairs of slots are looked at.
PAIRS_PER_PART = 4
# A walk aims at so much of what the best plan is above what it should be, and at half as much below the mean load; and
# the scales of what GPUs are off by, in what the best plan is, but not in less than half a unit of load.
_NEARER, _BELOW, _SCALES, _FINEST = (0.3, 0.95), 0.5, (0.5, 1.5), 0.5
# Where the best plan is above by no more than so many units of load, fractions matter.
_FEW_UNITS = 64.0
# Other groups on the nodes are tried where the hottest node has this part of what the best plan is above the target.
_DUE_TO_GROUPS = 0.5


@dataclass(frozen=True)
class _Goal:
    """What the GPUs of a node should carry: the `mean` of it, and at most `limit`; the best plan is `above` that."""

    mean: float
    least: float
    limit: float
    above: float

    @classmethod
    def below(cls, top: float, mean: float, target: float, random: np.random.Generator) -> _Goal:
        """Nearer to the `target`, or to the mean load, than the best plan, whose hottest GPU carries `top`."""
        least = max(target, mean)
        return cls(mean, least, least + random.uniform(*_NEARER) * (top - least), top - least)

    @property
    def fractions(self) -> Fractions:
        """What helps to get there: whole loads as long as these can be better than the best plan."""
        if self.above > _FEW_UNITS:
            return "any"
        return "few" if ceil(self.least) < self.least + self.above else "many"

    def reached(
        self, instance: Instance, w: Floats, table: Ints, best: Ints, work: int, random: np.random.Generator
    ) -> float:
        """Walk from a table of GPUs, which ends where the walk does; `best` is the best on the way, of this load."""
        num_gpus, size = table.shape
        steps = max(1, work // (PAIRS_PER_PART * num_gpus * (size + size * (size - 1) // 2)))
        scale = max(self.above, _FINEST) * np.exp(random.uniform(*np.log(_SCALES)))
        aim = Aim(self.mean - _BELOW * (self.limit - self.mean), self.limit, scale)
        return level(state_of(w, table, instance.max_replicas, instance.deployment.distinct), aim, steps, best, random)


def levelling_applies(instance: Instance) -> bool:
    """Whether GPUs have anything to exchange: with two slots each, counts settle what can be reached."""
    return instance.deployment.slots_per_gpu > 2 and instance.deployment.gpus_per_node > 1


def levelled(
    instance: Instance, slots: Slots, walk: Slots | None, seed: int, target: float, work: int
) -> tuple[Slots, Slots]:
    """The best plan after one stretch of a walk, and where the walk stands; `slots` itself if nothing is better.

    `walk` is where a walk from `slots` stood, and a new one begins without. `target` and `work` as in
    `eplb_opt.heuristics.pipeline.search`. The same arguments give the same plans.
    """
    random = np.random.default_rng(seed % 2**64)
    top = hottest(instance, slots)
    if instance.deployment.binding_nodes == 1:
        return _walked(instance, slots, walk, top, target, work, random)
    plan = _regrouped(instance, slots, top, target, work, random) if walk is None else walk
    plan = _with_level_nodes(instance, plan, top, target, work, random)
    return (plan if hottest(instance, plan) < top else slots), plan


def _walked(
    instance: Instance,
    slots: Slots,
    walk: Slots | None,
    top: float,
    target: float,
    work: int,
    random: np.random.Generator,
) -> tuple[Slots, Slots]:
    """One stretch where all GPUs are one node."""
    w, shape = instance.kernel_loads, (instance.deployment.num_gpus, -1)
    goal = _Goal.below(top, float(instance.kernel_loads.sum()) / shape[0], target, random)
    if goal.above <= 0.0:
        return slots, slots
    table = walk.reshape(shape).copy() if walk is not None else _packed(instance, w, slots, goal, random)
    best = np.empty_like(table)
    reached = goal.reached(instance, w, table, best, work, random)
    return (best.ravel() if reached < top else slots), table.ravel()


def _with_level_nodes(
    instance: Instance, plan: Slots, top: float, target: float, work: int, random: np.random.Generator
) -> Slots:
    """A plan after each node that is too hot was packed anew, where that cools it.

    One node alone makes no better plan while another is as hot, so that what any of them gains is kept.
    """
    gpus = instance.deployment.gpus_per_node
    nodes = list(nodes_of(instance, groups_of_slots(instance, plan)))
    means = [float(instance.kernel_loads[node.experts].sum()) / gpus for node in nodes]
    tops = [hottest(instance, plan, node.slots) for node in nodes]
    goal = _Goal.below(top, max(means), target, random)
    hot = [place for place in np.argsort(tops)[::-1] if goal.above > 0.0 and tops[place] > goal.limit]
    plan = plan.copy()
    for place in hot:
        experts, part = nodes[place].experts, nodes[place].slots
        w, own = instance.kernel_loads[experts], replace(goal, mean=means[place])
        table = _packed(instance, w, np.searchsorted(experts, plan[part]), own, random)
        best = np.empty_like(table)
        if own.reached(instance, w, table, best, work // len(hot), random) < tops[place]:
            plan[part] = experts[best.ravel()]
    return plan


def _packed(instance: Instance, w: Floats, slots: Slots, goal: _Goal, random: np.random.Generator) -> Ints:
    """A table of the GPUs of a node, with counts near those of `slots`."""
    deployment = instance.deployment
    counts = np.bincount(slots, minlength=w.size)
    counts = other_counts(w, counts, instance.max_replicas, goal.mean, goal.fractions, random)
    return pack(w, counts, deployment.gpus_per_node, deployment.slots_per_gpu, deployment.distinct)


def _regrouped(
    instance: Instance, slots: Slots, top: float, target: float, work: int, random: np.random.Generator
) -> Slots:
    """A plan with groups exchanged between nodes, where these are what keeps it above the target; else `slots`.

    Nodes take groups as GPUs take replicas, so that they are levelled alike. Nodes whose groups stay keep their slots.
    """
    deployment = instance.deployment
    node_of_group, gpus = groups_of_slots(instance, slots), deployment.gpus_per_node
    totals = instance.kernel_loads.reshape(deployment.binding_groups, -1).sum(axis=1) / gpus
    hottest_mean = float(np.bincount(node_of_group, totals).max())
    if hottest_mean - target <= _DUE_TO_GROUPS * (top - target):
        return slots
    old = np.argsort(node_of_group, kind="stable").reshape(deployment.binding_nodes, -1)
    table, best = old.copy(), np.empty_like(old)
    goal = _Goal.below(hottest_mean, float(totals.sum()) / deployment.binding_nodes, target, random)
    if goal.above <= 0.0 or goal.reached(instance, totals, table, best, work // 2, random) >= hottest_mean:
        return slots
    node_of_group[best.ravel()] = np.arange(best.size) // best.shape[1]
    plan = place_groups(instance, node_of_group)
    for node in range(deployment.binding_nodes):
        if set(old[node]) == set(best[node]):
            part = slice(node * deployment.slots_per_node, (node + 1) * deployment.slots_per_node)
            plan[part] = slots[part]
    return plan
