"""Any number of slots per GPU: max loads are refuted by weightings for parts of the counts, or counts are packed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.configuration import ConfigurationProgram, Filling
from eplb_opt.bounds.exhaustion import exhaust
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.splits import refute_by_splits
from eplb_opt.bounds.verdict import Verdict
from eplb_opt.heuristics.packing import pack

Slots = NDArray[np.int64]

# One question may use this part of what is left: most end early, and some never.
_SHARE = 0.3
# Of what is not settled, the part that is left to be settled by more parts.
_NARROW = Fraction(1, 8)
# Part of the limits for trying all fillings, where those are few.
_EXHAUSTION = 0.4
# Into how many parts ranges of counts are split at most; once no further question is settled, so many times as many.
_FIRST_PARTS, _MOST_PARTS, _MORE = 1, 1024, 32
# Seconds of work of a search from new counts.
_SEARCH = 0.13
# Where experts can have more counts than this altogether, the slack is so large that bounds would not move.
_MOST_ITEMS = 6_000


def close_by_decomposition(pursuit: Pursuit) -> None:
    """Better plans and bounds until the gap is small enough, within the limits.

    Where fillings are few all of them are tried (`exhaust`), first for a part of the limits and then for what is left.
    """
    exhaust(pursuit, pursuit.meter.part(_EXHAUSTION))
    Decomposition(pursuit, pursuit.meter).run()
    exhaust(pursuit, pursuit.meter)


class Decomposition:
    """Closes the gap of one layer under the global policy, from a plan and a lower bound.

    Is there a plan below some max load? It is *refuted* by a weighting under which the slots of any counts outweigh the
    GPUs, found by the configuration program and checked in integers; or by one for each part of the counts (`splits`).
    Asked is anything below each new plan, as it may be optimal, and then halfway between the bound and the smallest max
    load that was not refuted. Counts that cannot be refuted are packed. Bounds lose at most slots per GPU / `CAPACITY`
    to rounding. `meter` is the pursuit's, or a part of it.
    """

    def __init__(self, pursuit: Pursuit, meter: Meter) -> None:
        self._pursuit, self._instance, self._meter = pursuit, pursuit.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        self._fillings: list[Filling] = self._gpus(pursuit.slots)

    @property
    def _too_large(self) -> bool:
        least, most = Buckets(self._instance, self._pursuit.best, below=False).ranges
        return int((most - least + 1).sum()) > _MOST_ITEMS

    @property
    def _resolution(self) -> Fraction:
        """Max loads that are nearer than this are not told apart."""
        size = self._instance.deployment.slots_per_gpu
        return self._pursuit.best * max(Fraction(size, 4 * CAPACITY), self._pursuit.target_gap / 4)

    def _is_open(self, max_load: Fraction) -> bool:
        """Whether there is work to do, and limits for it, between the lower bound and a max load."""
        if self._pursuit.closed or self._meter.exhausted:
            return False
        return max_load - self._pursuit.lower_bound > self._resolution

    def run(self) -> None:
        """Raise the lower bound to about the smallest max load with counts that no weighting refutes; pack these."""
        pursuit, most_parts = self._pursuit, _FIRST_PARTS
        asked: Fraction | None = None
        # Below `settled` there are counts that no weighting refutes; below `open_` nothing was found out in time.
        settled = open_ = pursuit.best
        while not self._too_large and self._is_open(settled):
            below, asked = asked != pursuit.best, pursuit.best
            max_load = asked if below else (open_ + pursuit.lower_bound) / 2
            verdict = self._ask(Buckets(self._instance, max_load, below), most_parts)
            if verdict.evidence is not None:
                bound = max_load if below else self._instance.next_max_load(max_load)
                kind = verdict.evidence["argument"]
                pursuit.offer_bound("slack" if kind == "counts" else kind, bound, evidence=verdict.evidence)
            else:
                settled = min(settled, pursuit.best if verdict.counts is None else max_load)
                open_ = min(open_, pursuit.best, max_load)
            narrow = open_ - pursuit.lower_bound <= _NARROW * (settled - pursuit.lower_bound)
            if not self._is_open(open_) or (narrow and most_parts < _MOST_PARTS):
                if most_parts == _MOST_PARTS:
                    return
                open_, asked, most_parts = settled, None, most_parts * _MORE

    def _ask(self, buckets: Buckets, most_parts: int) -> Verdict:
        """Whether weightings refute a max load; if not, counts that they do not refute are packed."""
        if not buckets.ranges[0].size:
            return Verdict(evidence={"argument": "counts"})
        program = ConfigurationProgram(buckets, self._fillings)
        verdict = refute_by_splits(program, most_parts, self._meter.part(_SHARE))
        self._fillings = program.used()
        if verdict.evidence is None and program.shares.any():
            self._pack(program.whole_counts())
        return verdict

    def _pack(self, counts: NDArray[np.int64]) -> None:
        """Look for a better plan from these counts."""
        deployment = self._instance.deployment
        table = pack(
            self._instance.kernel_loads, counts, deployment.num_gpus, deployment.slots_per_gpu, deployment.distinct
        )
        before = self._pursuit.best
        self._pursuit.search(table.ravel(), _SEARCH, int(self._random.integers(2**32)), self._meter)
        if self._pursuit.best < before:
            self._fillings += self._gpus(self._pursuit.slots)

    def _gpus(self, slots: Slots) -> list[Filling]:
        counts = np.bincount(slots).tolist()
        table = slots.reshape(self._instance.deployment.num_gpus, -1).tolist()
        return [tuple((expert, counts[expert]) for expert in gpu) for gpu in table]
