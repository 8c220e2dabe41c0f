"""Pursuit: the plan and the lower bound of one layer while a method closes the gap between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.aim import Aim
from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.acceptance import accepted
from eplb_opt.heuristics.planner import better_plan
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, Report
from eplb_opt.verify import max_loads

Slots = NDArray[np.int64]


@dataclass
class Pursuit:
    """What a method that closes gaps begins with, and what it has reached.

    Attributes
    ----------
    instance
        A layer of one window, or of several of which the hottest counts.
    slots, lower_bound
        The best plan, as a row of slots, and the best bound, in tokens.
    target_gap
        The gap that is small enough.
    meter
        What may still be used.
    report
        Told of every better plan and bound.
    best
        Max load of `slots` in the hottest window, in tokens.
    proof
        What was reported last for `lower_bound`; ``None`` before.
    """

    instance: Instance
    slots: Slots
    lower_bound: Fraction
    target_gap: Fraction
    meter: Meter
    report: Report
    best: Fraction = field(init=False)
    proof: Proof | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._aim = Aim("total" if self.instance.num_windows == 1 else "worst")
        self.best = max(max_loads(self.slots.tolist(), self.instance))

    @property
    def closed(self) -> bool:
        """Whether the gap is small enough."""
        return self.best - self.lower_bound <= self.target_gap * self.best

    def offer_plan(self, slots: Slots) -> bool:
        """Keep and report a row of slots if it is better; whether it was."""
        value = max(max_loads(slots.tolist(), self.instance))
        if value >= self.best:
            return False
        self.slots, self.best = slots, value
        self.report(slots, None)
        return True

    def offer_bound(
        self, argument: str, bound: Fraction, *, by: str = "", evidence: Mapping[str, Any] | None = None
    ) -> None:
        """Keep and report a bound if it is higher, or has evidence for what was only claimed; as in `Proof`.

        Either there is evidence, which the checker looks at, or the bound is somebody's word.
        """
        claimed = self.proof is not None and self.proof.certified is None
        if bound > self.lower_bound or (bound == self.lower_bound and claimed and evidence is not None):
            proof = Proof(argument, bound, evidence is not None, by, evidence)
            self.lower_bound = bound
            self.proof = accepted(proof, self.instance, self._aim) if evidence is not None else proof
            self.report(None, self.proof)

    def search(self, slots: Slots, seconds: float, seed: int, meter: Meter) -> Slots:
        """Search from a row of slots, for so many `seconds` of work, and what it ends with.

        `meter` is the pursuit's, or a part of it.
        """
        found = better_plan(self.instance, slots, self.lower_bound, seconds, seed)
        meter.spend(seconds)
        self.offer_plan(found)
        return found
