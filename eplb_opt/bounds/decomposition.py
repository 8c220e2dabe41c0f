"""Any number of slots per GPU: dual functions refute max loads for parts of the counts, or counts are packed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.branching import refute_by_branching
from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.configuration import ConfigurationLP, Pattern
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.pattern_enumeration import enumerate_patterns
from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.planner import improve
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Meter

Slots = NDArray[np.int64]

# One question may use this part of what is left: most end early, and some never.
_PART = 0.3
# Of what is not settled, the part that is left to be settled by more parts.
_NARROW = Fraction(1, 8)
# Part of the limits for trying all patterns, where those are few.
_EXHAUSTION = 0.4
# Into how many parts ranges of counts are split at most; once no further question is settled, so many times as many.
_FIRST_PARTS, _MOST_PARTS, _MORE = 1, 1024, 32
# Seconds of work of a search from new counts.
_SEARCH = 0.13
# Where experts can have more counts than this altogether, the slack is so large that bounds would not move.
_MOST_ITEMS = 6_000


def prove_by_dual_functions(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits.

    Where patterns are few, `enumerate_patterns` tries all of them: first for a part of the limits, last for the rest.
    """
    enumerate_patterns(incumbent, meter.part(_EXHAUSTION))
    Decomposition(incumbent, meter).run()
    enumerate_patterns(incumbent, meter)


class Decomposition:
    """Proves the optimum of one layer under the global policy, from a plan and a lower bound.

    Is there a plan below some max load? A dual function *refutes* it if the slots of any counts weigh more than all
    GPUs can carry. The configuration LP finds it, and integers check it; `branching` finds one for each part of the
    counts. The first question is whether any plan is below the best one, which may be optimal; the next ones lie
    halfway between the bound and the smallest max load that was not refuted. Counts that nothing refutes are packed.
    Bounds lose at most slots per GPU / `CAPACITY` to rounding.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter) -> None:
        self._incumbent, self._instance, self._meter = incumbent, incumbent.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        self._patterns: list[Pattern] = self._gpus(incumbent.slots)

    @property
    def _too_large(self) -> bool:
        least, most = Buckets(self._instance, self._incumbent.value, below=False).ranges
        return int((most - least + 1).sum()) > _MOST_ITEMS

    @property
    def _resolution(self) -> Fraction:
        """Max loads that are nearer than this are not told apart."""
        size = self._instance.deployment.slots_per_gpu
        return self._incumbent.value * max(Fraction(size, 32 * CAPACITY), self._incumbent.target_gap / 4)

    def _is_open(self, max_load: Fraction) -> bool:
        """Whether there is work to do, and limits for it, between the lower bound and a max load."""
        if self._incumbent.closed or self._meter.exhausted:
            return False
        return max_load - self._incumbent.bound > self._resolution

    def run(self) -> None:
        """Raise the bound to about the smallest max load with counts that no dual function refutes; pack these."""
        incumbent, most_parts = self._incumbent, _FIRST_PARTS
        asked: Fraction | None = None
        # Below `settled` there are counts that no dual function refutes; below `open_` nothing was found out in time.
        settled = open_ = incumbent.value
        while not self._too_large and self._is_open(settled):
            below, asked = asked != incumbent.value, incumbent.value
            max_load = asked if below else (open_ + incumbent.bound) / 2
            answer = self._ask(Buckets(self._instance, max_load, below), most_parts)
            if answer.evidence is not None:
                bound = max_load if below else self._instance.next_max_load(max_load)
                kind = answer.evidence["argument"]
                incumbent.prove("slack" if kind == "counts" else kind, bound, evidence=answer.evidence)
            else:
                settled = min(settled, incumbent.value if answer.counts is None else max_load)
                open_ = min(open_, incumbent.value, max_load)
            narrow = open_ - incumbent.bound <= _NARROW * (settled - incumbent.bound)
            if not self._is_open(open_) or (narrow and most_parts < _MOST_PARTS):
                if most_parts == _MOST_PARTS:
                    return
                open_, asked, most_parts = settled, None, most_parts * _MORE

    def _ask(self, buckets: Buckets, most_parts: int) -> Feasibility:
        """Whether dual functions refute a max load; counts that they do not refute are packed."""
        if not buckets.ranges[0].size:
            return Feasibility(evidence={"argument": "counts"})
        program = ConfigurationLP(buckets, self._patterns)
        answer = refute_by_branching(program, most_parts, self._meter.part(_PART))
        self._patterns = program.used()
        if answer.evidence is None and program.values.any():
            self._pack(program.whole_counts())
        return answer

    def _pack(self, counts: NDArray[np.int64]) -> None:
        """Look for a better plan from these counts."""
        deployment = self._instance.deployment
        table = pack(
            self._instance.kernel_loads, counts, deployment.num_gpus, deployment.slots_per_gpu, deployment.distinct
        )
        before = self._incumbent.value
        improve(self._incumbent, table.ravel(), self._meter, _SEARCH, int(self._random.integers(2**32)))
        if self._incumbent.value < before:
            self._patterns += self._gpus(self._incumbent.slots)

    def _gpus(self, slots: Slots) -> list[Pattern]:
        counts = np.bincount(slots).tolist()
        table = slots.reshape(self._instance.deployment.num_gpus, -1).tolist()
        return [tuple((expert, counts[expert]) for expert in gpu) for gpu in table]
