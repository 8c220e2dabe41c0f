"""A report that checks what it is told: for everything that closes gaps."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.heuristics.planner import first_plan
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.verify import verify
from tests.oracle import row_max_load


class Watch:
    """Told of improvements: each plan is valid and better than the one before, each bound larger and not too large.

    Starts from the greedy plan, and from `lower_bound` or the instant bounds. `optimum` may be unknown.
    """

    def __init__(self, instance: Instance, optimum: Fraction | None, lower_bound: Fraction | None = None) -> None:
        self.instance, self.optimum = instance, optimum
        self.slots = first_plan(instance)
        self.best = self._value(self.slots)
        instant = max(proof.bound for window in instance.windows() for proof in quick_bounds(window))
        self.lower_bound = instant if lower_bound is None else lower_bound
        self.proofs: list[Proof] = []
        self.plans: list[Fraction] = []

    def __call__(self, improvement: Improvement) -> None:
        slots, proof = improvement.slots, improvement.proof
        assert (slots is None) != (proof is None), improvement
        if slots is not None:
            assert verify(Plan(slots[np.newaxis], self.instance.deployment, self.instance.num_experts)) == []
            value = self._value(slots)
            assert self.lower_bound <= value < self.best
            self.slots, self.best = slots, value
            self.plans.append(value)
        if proof is not None:
            claimed = bool(self.proofs) and not self.proofs[-1].checked
            assert proof.bound > self.lower_bound or (proof.bound == self.lower_bound and claimed and proof.checked)
            assert proof.bound <= (self.best if self.optimum is None else self.optimum)
            self.lower_bound = proof.bound
            self.proofs.append(proof)

    def run(self, method: Callable[[Incumbent, Meter], object], target_gap: Fraction, limits: Limits) -> bool:
        """Let a method go on from what is known here; whether it closed the gap. It ends with what it told."""
        incumbent = Incumbent(self.instance, target_gap=target_gap)
        incumbent.offer_plan(self.slots, "start")
        incumbent.offer_proof(Proof("known", self.lower_bound, checked=True))
        incumbent.tell = self
        method(incumbent, Meter(limits))
        assert (incumbent.value, incumbent.bound) == (self.best, self.lower_bound)
        assert np.array_equal(incumbent.slots, self.slots)
        assert incumbent.closed == (self.gap <= target_gap)
        return incumbent.closed

    def _value(self, slots: NDArray[np.int64]) -> Fraction:
        return max(row_max_load(tuple(slots.tolist()), window) for window in self.instance.windows())

    @property
    def gap(self) -> Fraction:
        """(best - lower bound) / best."""
        return (self.best - self.lower_bound) / self.best if self.best else Fraction(0)
