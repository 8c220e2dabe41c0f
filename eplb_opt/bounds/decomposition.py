"""Any number of slots per GPU: counts in a master program, placement in a configuration program, cuts between them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.configuration import ConfigurationProgram, Filling
from eplb_opt.bounds.covering import better_covers
from eplb_opt.bounds.fillings import Weighting
from eplb_opt.bounds.master import MasterProgram
from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import search
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, Report
from eplb_opt.verify import max_loads

Slots = NDArray[np.int64]

# One program may use this part of what is left: most end early, and some never.
_SHARE = 0.3
# What a search from new counts may look at, in pairs of slots, and what that counts for in seconds of work.
_SEARCH_PAIRS, _SEARCH_WORK = 20_000_000, 0.07
_MOST_KICKS = 100_000
# Of the limits, for covers.
_COVER_SHARE = 0.5
# Where experts can have more counts than this altogether, the slack is so large that bounds would not move.
_MOST_ITEMS = 6_000


class Decomposition:
    """Closes the gap of one layer under the global policy, from a plan and a lower bound.

    A max load is *refuted* by one weighting under which the slots of any counts outweigh the GPUs, found by the
    configuration program and checked in integers; or by the master program, which no counts satisfy. First the
    smallest max load that no single weighting refutes is found by bisection, beginning strictly below the plan, where
    a refutation proves the plan optimal. Then counts from the master program are refuted one by one, or packed.
    All weightings are kept: they hold at any max load. Bounds lose at most slots per GPU / `CAPACITY` to rounding.

    Attributes
    ----------
    slots, best, lower_bound
        The best plan, its max load, and the best bound, in tokens.
    """

    def __init__(
        self,
        instance: Instance,
        slots: Slots,
        lower_bound: Fraction,
        target_gap: Fraction,
        meter: Meter,
        report: Report,
    ) -> None:
        self._instance, self._target_gap, self._report = instance, target_gap, report
        self._meter = meter
        self._random = np.random.default_rng(meter.left().seed)
        self.slots, self.lower_bound = slots, lower_bound
        (self.best,) = max_loads(slots.tolist(), instance)
        self._weightings: list[Weighting] = []
        self._fillings: list[Filling] = self._gpus(slots)

    def run(self) -> bool:
        """Better plans and bounds until their gap is at most the target; whether that was reached within limits."""
        self._cover()
        self.bisect()
        self._cut()
        return self._closed

    @property
    def _too_large(self) -> bool:
        least, most = Buckets(self._instance, self.best, below=False).ranges
        return int((most - least + 1).sum()) > _MOST_ITEMS

    @property
    def _closed(self) -> bool:
        return self.best - self.lower_bound <= self._target_gap * self.best

    @property
    def _resolution(self) -> Fraction:
        """Max loads that are nearer than this are not told apart."""
        return self.best * max(Fraction(self._instance.deployment.slots_per_gpu, 4 * CAPACITY), self._target_gap / 4)

    def bisect(self) -> None:
        """Raise the lower bound to about the smallest max load that no single weighting refutes."""
        if self._too_large:
            return
        open_, below = self.best, True
        while not self._closed and not self._meter.exhausted and open_ - self.lower_bound > self._resolution:
            max_load = open_ if below else (open_ + self.lower_bound) / 2
            buckets = Buckets(self._instance, max_load, below)
            refuted, program = self._refute(buckets)
            if refuted:
                self._raise(max_load, below, "weighting", checked=True)
            else:
                open_ = min(open_, max_load)
                if program is not None:
                    self._pack(_rounded_counts(program.counts(), buckets))
                    open_ = min(open_, self.best)
            below = False

    def _cover(self) -> None:
        """Look for better plans among all whose GPUs are near the mean load and counts near those of the plan."""
        meter = self._meter.part(_COVER_SHARE)
        for slots in better_covers(self._instance, self.slots, self.lower_bound, meter):
            self._offer(slots)
            if self._closed:
                return

    def _cut(self) -> None:
        """Refute counts one by one: strictly below the plan first, then lower where that is undecided."""
        max_load = self.lower_bound if self._too_large else self.best
        while not self._closed and not self._meter.exhausted and max_load - self.lower_bound > self._resolution:
            before = self.best
            below = max_load == self.best
            verdict = self._master(Buckets(self._instance, max_load, below))
            if verdict == "infeasible":
                self._raise(max_load, below, "weightings by cpsat", checked=False)
                max_load = (max_load + self.best) / 2
                if self.best - max_load <= self._resolution:
                    max_load = self.best
            elif self.best < before:
                max_load = self.best
            else:
                max_load = (self.lower_bound + max_load) / 2

    def _master(self, buckets: Buckets) -> str:
        """Whether counts remain that no weighting refutes; a better plan found on the way ends it, undecided."""
        meter = self._meter.part(2 * _SHARE)
        if not buckets.ranges[0].size:
            return "infeasible"
        while not meter.exhausted:
            verdict, counts = MasterProgram(buckets, self._weightings).solve(meter)
            if counts is None:
                return verdict
            fixed = Buckets(self._instance, buckets.max_load, buckets.below, counts)
            refuted, _ = self._refute(fixed)
            if not refuted:
                self._pack(np.array(counts))
                return "stopped"
        return "stopped"

    def _refute(self, buckets: Buckets) -> tuple[bool, ConfigurationProgram | None]:
        """Whether one weighting refutes the max load; else the configuration program, where it has a solution."""
        if not buckets.ranges[0].size:
            return True, None
        program = ConfigurationProgram(buckets, self._fillings)
        meter = self._meter.part(_SHARE)
        weighting, solved = program.solve(meter)
        self._fillings = program.used()
        if weighting is not None:
            self._weightings.append(weighting)
        return weighting is not None, program if solved else None

    def _raise(self, max_load: Fraction, below: bool, argument: str, checked: bool) -> None:
        """A max load is refuted, or (`below`) all that are less."""
        self.lower_bound = max_load if below else self._instance.next_max_load(max_load)
        self._report(None, Proof(argument, self.lower_bound, checked))

    def _pack(self, counts: NDArray[np.int64]) -> None:
        """Look for a better plan from these counts."""
        deployment = self._instance.deployment
        table = pack(
            self._instance.kernel_loads, counts, deployment.num_gpus, deployment.slots_per_gpu, deployment.distinct
        )
        slots = search(
            self._instance,
            table.ravel(),
            kicks=_MOST_KICKS,
            seed=int(self._random.integers(2**32)),
            target=self._instance.kernel_value(self.lower_bound),
            work=_SEARCH_PAIRS,
        )
        self._meter.spend(_SEARCH_WORK)
        self._offer(slots)

    def _offer(self, slots: Slots) -> None:
        (value,) = max_loads(slots.tolist(), self._instance)
        if value < self.best:
            self.slots, self.best = slots, value
            self._fillings += self._gpus(slots)
            self._report(slots, None)

    def _gpus(self, slots: Slots) -> list[Filling]:
        counts = np.bincount(slots).tolist()
        table = slots.reshape(self._instance.deployment.num_gpus, -1).tolist()
        return [tuple((expert, counts[expert]) for expert in gpu) for gpu in table]


def _rounded_counts(average: NDArray[np.float64], buckets: Buckets) -> NDArray[np.int64]:
    """Whole counts within the ranges near fractional ones, which a linear program gives with some error."""
    least, most = buckets.ranges
    counts = np.clip(np.floor(average), least, most).astype(np.int64)
    missing = buckets.instance.deployment.num_slots - counts.sum()
    while missing:
        # One replica more where most is missing, or one less where most is too much.
        sign = 1 if missing > 0 else -1
        possible = counts < most if missing > 0 else counts > least
        counts[np.argmax(np.where(possible, sign * (average - counts), -np.inf))] += sign
        missing -= sign
    return counts
