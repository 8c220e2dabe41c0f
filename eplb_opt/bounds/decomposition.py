"""Any number of slots per GPU: counts in a master program, placement in a configuration program, cuts between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.configuration import ConfigurationProgram, Filling
from eplb_opt.bounds.exhaustion import exhaust
from eplb_opt.bounds.fillings import Weighting
from eplb_opt.bounds.master import MasterProgram
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.heuristics.packing import pack

Slots = NDArray[np.int64]

# One program may use this part of what is left: most end early, and some never.
_SHARE = 0.3
# Part of the limits for trying all fillings, where those are few.
_EXHAUSTION = 0.7
# Seconds of work of a search from new counts.
_SEARCH = 0.13
# Where experts can have more counts than this altogether, the slack is so large that bounds would not move.
_MOST_ITEMS = 6_000


class Decomposition:
    """Closes the gap of one layer under the global policy, from a plan and a lower bound.

    A max load is *refuted* by one weighting under which the slots of any counts outweigh the GPUs, found by the
    configuration program and checked in integers; or by the master program, which no counts satisfy. Where fillings are
    few all of them are tried first (`exhaustion`). Then the smallest max load that no single weighting refutes is found
    by bisection, beginning strictly below the plan, where a refutation proves the plan optimal. At last counts from the
    master program are refuted one by one, or packed.
    All weightings are kept: they hold at any max load. Bounds lose at most slots per GPU / `CAPACITY` to rounding.
    `meter` is the pursuit's, or a part of it.
    """

    def __init__(self, pursuit: Pursuit, meter: Meter) -> None:
        self._pursuit, self._instance, self._meter = pursuit, pursuit.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        self._weightings: list[Weighting] = []
        self._fillings: list[Filling] = self._gpus(pursuit.slots)

    def run(self) -> None:
        """Better plans and bounds until the gap is small enough, within the limits."""
        exhaust(self._pursuit, self._meter.part(_EXHAUSTION))
        self.bisect()
        self._cut()

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

    def bisect(self) -> None:
        """Raise the lower bound to about the smallest max load that no single weighting refutes."""
        if self._too_large:
            return
        open_, below = self._pursuit.best, True
        while self._is_open(open_):
            max_load = open_ if below else (open_ + self._pursuit.lower_bound) / 2
            buckets = Buckets(self._instance, max_load, below)
            known = len(self._weightings)
            refuted, program = self._refute(buckets)
            if refuted:
                self._raise(max_load, below, "weighting", True, _evidence(self._weightings[known:], max_load))
            else:
                open_ = min(open_, max_load)
                if program is not None:
                    self._pack(_rounded_counts(program.counts(), buckets))
                    open_ = min(open_, self._pursuit.best)
            below = False

    def _cut(self) -> None:
        """Refute counts one by one: strictly below the plan first, then lower where that is undecided."""
        pursuit = self._pursuit
        max_load = pursuit.lower_bound if self._too_large else pursuit.best
        while self._is_open(max_load):
            before = pursuit.best
            below = max_load == pursuit.best
            verdict = self._master(Buckets(self._instance, max_load, below))
            if verdict == "infeasible":
                self._raise(max_load, below, "weightings by cpsat", checked=False)
                max_load = (max_load + pursuit.best) / 2
                if pursuit.best - max_load <= self._resolution:
                    max_load = pursuit.best
            elif pursuit.best < before:
                max_load = pursuit.best
            else:
                max_load = (pursuit.lower_bound + max_load) / 2

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

    def _raise(
        self,
        max_load: Fraction,
        below: bool,
        argument: str,
        checked: bool,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        """A max load is refuted, or (`below`) all that are less."""
        bound = max_load if below else self._instance.next_max_load(max_load)
        self._pursuit.offer_bound(argument, bound, checked, evidence)

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


def _evidence(weightings: Sequence[Weighting], max_load: Fraction) -> Mapping[str, Any]:
    """Of the weighting that refutes a max load; without one, counts alone do."""
    if not weightings:
        return {"argument": "counts"}
    (weighting,) = weightings
    return {
        "argument": "weighting",
        "buckets": CAPACITY,
        "scale": str(max_load),
        "starts": weighting.starts.tolist(),
        "weights": weighting.weights.tolist(),
    }


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
