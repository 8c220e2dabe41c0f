"""Exhaustion: every way to fill the GPUs within a max load is tried, so that a plan is found or there is none."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.quick import replica_range
from eplb_opt.instance import Instance
from eplb_opt.kernels.exact_cover import ROUNDING, cover, fillings_between

Slots = NDArray[np.int64]

# More fillings, or more choices of all but one item of a filling, take longer than they are worth.
_MOST_FILLINGS, _MOST_CHOICES = 40_000, 20_000_000
# Seconds for a node of the search, for each filling, and on top.
_PER_FILLING, _PER_NODE = 5e-10, 5e-7
# Max loads nearer than this part are not told apart: floats have to leave room.
_RESOLUTION = Fraction(1, 10**8)
# Part of the limits for one attempt, and what an attempt counts for at least, in seconds of work.
_SHARE, _LEAST_WORK = 0.4, 0.005
# How far above the bound max loads are tried, as a part of the gap: at first, at most, and at least.
_FIRST_STEP, _MOST_STEP, _LEAST_STEP = Fraction(1, 32), Fraction(1, 2), Fraction(1, 1000)


@dataclass(frozen=True)
class Exhaustion:
    """Fillings of GPUs with which a plan within a max load can be made up.

    Attributes
    ----------
    instance
        A layer of one window under the global policy.
    most
        The max load, in the unit of `Instance.kernel_loads`.
    experts, replicas, loads
        Items, of decreasing load: an expert with a number of replicas that the max load allows, and its load then.
    fillings
        Rows of items, all whose loads sum to at most `most`, and to enough for the other GPUs to carry the rest.
    """

    instance: Instance
    most: float
    experts: NDArray[np.int64]
    replicas: NDArray[np.int64]
    loads: NDArray[np.float64]
    fillings: NDArray[np.int64]

    @classmethod
    def within(cls, instance: Instance, max_load: Fraction) -> Exhaustion | None:
        """All fillings for plans within `max_load`; ``None`` where they are too many.

        Sums of floats are given some room, so that no filling is left out.
        """
        deployment = instance.deployment
        least, most = replica_range(instance, max_load)
        experts = np.repeat(np.arange(least.size), most - least + 1)
        replicas = np.concatenate([np.arange(a, b + 1) for a, b in zip(least, most, strict=True)] or [experts])
        size = deployment.slots_per_gpu
        if comb(experts.size + size, size - 1) > _MOST_CHOICES:
            return None
        loads = instance.kernel_loads[experts] / replicas
        order = np.argsort(-loads, kind="stable")
        experts, replicas, loads = experts[order], replicas[order], loads[order]
        highest = instance.kernel_value(max_load) * (1 + ROUNDING)
        lowest = instance.kernel_loads.sum() - (deployment.num_gpus - 1) * highest - ROUNDING * highest
        fillings = np.empty((_MOST_FILLINGS, size), dtype=np.int64)
        listed = fillings_between(loads, experts, replicas, size, lowest, highest, deployment.distinct, fillings)
        return cls(instance, highest, experts, replicas, loads, fillings[:listed].copy()) if listed >= 0 else None

    @property
    def seconds_per_node(self) -> float:
        """Roughly how long the search looks at one choice."""
        return _PER_NODE + _PER_FILLING * len(self.fillings)

    def plan(self, nodes: int) -> tuple[Slots | None, int]:
        """A plan of these fillings, if the search through `nodes` of its choices finds one; and how many are left.

        Where some are left and no plan is found, there is none.
        """
        if np.unique(self.experts).size < self.instance.num_experts or not len(self.fillings):
            return None, nodes
        left = np.array([nodes])
        chosen = np.empty(self.instance.deployment.num_gpus, dtype=np.int64)
        found = cover(self.loads, self.experts, self.replicas, self.fillings, self.most, chosen, left)
        return (self.experts[self.fillings[chosen]].ravel() if found else None), int(left[0])


def exhaust(pursuit: Pursuit, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits, or as long as attempts are of use.

    Asks for plans a little above the bound first, as these have the fewest fillings, and then in steps that get longer
    as long as they are settled. The proof is a search that nothing has checked: its bounds rest on its word.
    """
    step = _FIRST_STEP
    while not (pursuit.closed or meter.exhausted):
        gap = pursuit.best - pursuit.lower_bound
        if gap <= _RESOLUTION * pursuit.best:
            return
        max_load = pursuit.lower_bound + step * gap
        exhaustion = Exhaustion.within(pursuit.instance, max_load)
        if exhaustion is None and step <= _LEAST_STEP:
            return
        refuted = better = False
        if exhaustion is not None:
            limits = meter.left(_SHARE)
            seconds = limits.seconds if limits.work is None else limits.work
            nodes = int(max(seconds, _LEAST_WORK) / exhaustion.seconds_per_node)
            plan, left = exhaustion.plan(nodes)
            meter.spend((nodes - left) * exhaustion.seconds_per_node + _LEAST_WORK)
            better = plan is not None and pursuit.offer_plan(plan)
            refuted = plan is None and left > 0
        if refuted:
            pursuit.offer_bound("fillings", pursuit.instance.next_max_load(max_load), by="search")
        step = min(_MOST_STEP, 2 * step) if refuted or better else max(_LEAST_STEP, step / 4)
