"""Pattern enumeration: every way to fill a GPU within a max load is listed, and every way to combine them tried."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.quick import replica_range
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.exact_cover import ROUNDING, cover, patterns_between
from eplb_opt.limits import Meter

Slots = NDArray[np.int64]

# More patterns, or more choices of all but one item of a pattern, take longer than they are worth.
_MOST_PATTERNS, _MOST_CHOICES = 40_000, 20_000_000
# Seconds for a node of the search, for each pattern, and on top.
_PER_PATTERN, _PER_NODE = 5e-10, 5e-7
# Max loads nearer than this part are not told apart: floats have to leave room.
_RESOLUTION = Fraction(1, 10**8)
# Part of the limits for one attempt, and what an attempt counts for at least, in seconds of work.
_PART, _LEAST_WORK = 0.4, 0.005
# How far above the bound max loads are tried, as a part of the gap: at first, at most, and at least.
_FIRST_STEP, _MOST_STEP, _LEAST_STEP = Fraction(1, 32), Fraction(1, 2), Fraction(1, 1000)


def few_choices(items: int, slots_per_gpu: int) -> bool:
    """Whether so many items, of which there is one for each expert at least, leave few enough patterns to look for."""
    return comb(items + slots_per_gpu, slots_per_gpu - 1) <= _MOST_CHOICES


@dataclass(frozen=True)
class PatternEnumeration:
    """Patterns of GPUs with which a plan within a max load can be made up.

    Attributes
    ----------
    instance
        A layer of one window under the global policy.
    most
        The max load, in the unit of `Instance.kernel_loads`.
    experts, replicas, loads
        Items, of decreasing load: an expert with a number of replicas that the max load allows, and its load then.
    patterns
        Rows of items, all whose loads sum to at most `most`, and to enough for the other GPUs to carry the rest.
    """

    instance: Instance
    most: float
    experts: NDArray[np.int64]
    replicas: NDArray[np.int64]
    loads: NDArray[np.float64]
    patterns: NDArray[np.int64]

    @classmethod
    def within(cls, instance: Instance, max_load: Fraction) -> PatternEnumeration | None:
        """All patterns for plans within `max_load`; ``None`` where they are too many.

        Sums of floats are given some room, so that no pattern is left out.
        """
        deployment = instance.deployment
        least, most = replica_range(instance, max_load)
        experts = np.repeat(np.arange(least.size), most - least + 1)
        replicas = np.concatenate([np.arange(a, b + 1) for a, b in zip(least, most, strict=True)] or [experts])
        size = deployment.slots_per_gpu
        if not few_choices(experts.size, size):
            return None
        loads = instance.kernel_loads[experts] / replicas
        order = np.argsort(-loads, kind="stable")
        experts, replicas, loads = experts[order], replicas[order], loads[order]
        highest = instance.kernel_value(max_load) * (1 + ROUNDING)
        lowest = instance.kernel_loads.sum() - (deployment.num_gpus - 1) * highest - ROUNDING * highest
        patterns = np.empty((_MOST_PATTERNS, size), dtype=np.int64)
        listed = patterns_between(loads, experts, replicas, size, lowest, highest, deployment.distinct, patterns)
        return cls(instance, highest, experts, replicas, loads, patterns[:listed].copy()) if listed >= 0 else None

    @property
    def seconds_per_node(self) -> float:
        """Roughly how long the search looks at one choice."""
        return _PER_NODE + _PER_PATTERN * len(self.patterns)

    def plan(self, nodes: int) -> tuple[Slots | None, int]:
        """A plan of these patterns, if the search through `nodes` of its choices finds one; and how many are left.

        Where some are left and no plan is found, there is none.
        """
        if np.unique(self.experts).size < self.instance.num_experts or not len(self.patterns):
            return None, nodes
        left = np.array([nodes])
        chosen = np.empty(self.instance.deployment.num_gpus, dtype=np.int64)
        found = cover(self.loads, self.experts, self.replicas, self.patterns, self.most, chosen, left)
        return (self.experts[self.patterns[chosen]].ravel() if found else None), int(left[0])


def enumerate_patterns(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits, or as long as attempts are of use.

    Asks for plans a little above the bound first, as these have the fewest patterns, and then in steps that get longer
    as long as they are settled. The proof is a search that nothing has checked: its bounds rest on its word.
    """
    step = _FIRST_STEP
    while not (incumbent.closed or meter.exhausted):
        gap = incumbent.value - incumbent.bound
        if gap <= _RESOLUTION * incumbent.value:
            return
        max_load = incumbent.bound + step * gap
        patterns = PatternEnumeration.within(incumbent.instance, max_load)
        if patterns is None and step <= _LEAST_STEP:
            return
        refuted = better = False
        if patterns is not None:
            limits = meter.left(_PART)
            seconds = limits.seconds if limits.work is None else limits.work
            nodes = int(max(seconds, _LEAST_WORK) / patterns.seconds_per_node)
            plan, left = patterns.plan(nodes)
            meter.spend((nodes - left) * patterns.seconds_per_node + _LEAST_WORK)
            better = plan is not None and incumbent.offer_plan(plan, "patterns")
            refuted = plan is None and left > 0
        if refuted:
            incumbent.prove("fillings", incumbent.instance.next_max_load(max_load), by="search")
        step = min(_MOST_STEP, 2 * step) if refuted or better else max(_LEAST_STEP, step / 4)
