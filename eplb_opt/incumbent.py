"""Incumbent: the best plan and the best bound of a layer, and whether they have met."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.acceptance import accepted
from eplb_opt.errors import InvalidPlanError, SolverError
from eplb_opt.improvement import Improvement, Slots
from eplb_opt.instance import Instance
from eplb_opt.layer_solution import TracePoint, relative_gap
from eplb_opt.objective import Objective, Windows
from eplb_opt.plan import Plan
from eplb_opt.proof import REFUSED, Proof, strongest
from eplb_opt.verify import require_valid

logger = logging.getLogger(__name__)

# Holds for all plans, as no load is negative.
NO_BOUND = Proof("none", Fraction(0), checked=True)


class Incumbent:
    """What is known of a layer: keeps only what is better.

    Each plan that is offered is verified and valued in exact arithmetic. A bound above the value of a plan contradicts
    it. Where the plan was first, the bound is refused. Where the bound was first, it is taken back if it is somebody's
    word, and an error is raised if it has a certificate. The log and the trace say what was refused or taken back.

    A layer has an incumbent, and so has each part of it that is looked at by itself, such as a node or a window. A
    worker process has one of its own, whose improvements go to that of the caller.

    Attributes
    ----------
    instance
        What is searched, as `Objective.on` gives it.
    objective
        How plans of `instance` are valued: by a max load in tokens, or an imbalance.
    target_gap
        The gap that is small enough.
    name
        Of the layer, for messages.
    tell
        Called with each improvement that is kept.
    """

    def __init__(
        self,
        instance: Instance,
        objective: Objective | None = None,
        *,
        target_gap: Fraction = Fraction(0),
        name: str = "the layer",
        tell: Callable[[Improvement], object] | None = None,
    ) -> None:
        self.instance, self.objective = instance, objective or Objective()
        self.target_gap, self.name, self.tell = target_gap, name, tell
        self.checked: Proof = NO_BOUND
        self.trace: list[TracePoint] = []
        self._claimed: Proof | None = None
        self._slots: Slots | None = None
        self._value: Fraction | None = None
        self._merit: Fraction | float | None = None

    @property
    def has_plan(self) -> bool:
        """Whether any plan was kept yet."""
        return self._slots is not None

    @property
    def slots(self) -> Slots:
        """The best plan: slot -> expert, shape ``(slots,)``."""
        if self._slots is None:
            raise SolverError(f"{self.name} has no plan yet")
        return self._slots

    @property
    def value(self) -> Fraction:
        """Exact value of the best plan."""
        if self._value is None:
            raise SolverError(f"{self.name} has no plan yet")
        return self._value

    @property
    def proof(self) -> Proof:
        """The best bound that no plan contradicts; `checked` is the best that has a certificate."""
        return strongest(self.checked, self._claimed) if self._claimed else self.checked

    @property
    def bound(self) -> Fraction:
        """No plan has a smaller value."""
        return self.proof.bound

    @property
    def imbalance_bound(self) -> float:
        """The bound in the unit of `windows`: of the hottest of them as a part of the largest mean load."""
        hottest = self.objective.kind == "hottest"
        return float(self.bound / max(self.instance.mean_loads) if hottest else self.bound)

    @property
    def gap(self) -> Fraction:
        """(value - bound) / value."""
        return self._gaps[0]

    @property
    def rough_gap(self) -> float:
        """The same as a float."""
        return self._gaps[1]

    @property
    def closed(self) -> bool:
        """Whether there is a plan, and its gap is small enough."""
        return self._value is not None and self._value - self.bound <= self.target_gap * self._value

    @cached_property
    def windows(self) -> Windows:
        """The windows that a search makes cool, scenarios among them."""
        return self.objective.windows(self.instance)

    def offer(self, improvement: Improvement) -> bool:
        """Keep a plan or a bound if it is better, and a remark in any case; whether the layer is better known."""
        if improvement.slots is not None:
            return self.offer_plan(improvement.slots, improvement.by, improvement.seconds)
        if improvement.proof is not None:
            return self.offer_proof(improvement.proof, improvement.seconds)
        self.remark(improvement.by, improvement.seconds)
        return False

    def offer_plan(self, slots: NDArray[np.int64], by: str, seconds: float = 0.0) -> bool:
        """Keep a row of slots if it is valid and better; whether it was kept. `seconds` is when it was found.

        Where there are scenarios, better is what does better on all windows together.

        Raises
        ------
        SolverError
            It is better than a bound with a certificate allows.
        """
        row = np.asarray(slots, dtype=np.int64)
        try:
            require_valid(Plan(row[np.newaxis], self.instance.deployment, self.instance.num_experts), by)
        except InvalidPlanError as error:
            self.remark(f"refused: {by} is not valid: {error.violations[0]}", seconds)
            return False
        value = self.objective.value(row.tolist(), self.instance)
        scenarios = self.objective.scenarios
        merit = self.windows.value(row, self.instance) if scenarios else value
        if self._merit is not None and merit >= self._merit:
            return False
        self._slots, self._value, self._merit = row, value, merit
        self._forget_gaps()
        self._tell(Improvement(by, slots=row, seconds=seconds))
        if value < self.checked.bound:
            raise SolverError(
                f"{self.name}: a plan of {float(value):.12g} is below the bound "
                f"{float(self.checked.bound):.12g} ({self.checked}); one of them is wrong"
            )
        if self._claimed and self._claimed.bound > value:
            claim, self._claimed = self._claimed, None
            self._forget_gaps()
            self._log(self._contradiction("taken back", claim), seconds)
        self._note(by, seconds)
        return True

    def offer_proof(self, proof: Proof, seconds: float = 0.0) -> bool:
        """Keep a bound if it is better, or has evidence for what was claimed; whether it is the best one now.

        `proof.checked` is believed: `prove` asks the checker.
        """
        if self._value is not None and proof.bound > self._value:
            self.remark(self._contradiction("refused", proof), seconds)
            return False
        better = strongest(self.proof, proof) is proof
        if proof.checked:
            self.checked = strongest(self.checked, proof)
        elif better:
            self._claimed = proof
            if REFUSED in proof.by:
                self._log(f"{REFUSED}: the certificate of a bound does not hold ({proof.argument})", seconds)
        if not better:
            return False
        self._forget_gaps()
        if self._value is not None:
            self._note(str(proof), seconds)
        self._tell(Improvement(str(proof), proof=proof, seconds=seconds))
        return True

    def prove(self, argument: str, bound: Fraction, *, by: str = "", evidence: Mapping[str, Any] | None = None) -> bool:
        """Keep a bound that was found just now, as in `Proof`, if it is better; whether it was kept.

        Either there is evidence, which the checker looks at before anybody is told, or it is somebody's word.
        """
        claim = Proof(argument, bound, evidence is not None, by, evidence)
        if strongest(self.proof, claim) is not claim:
            return False
        return self.offer_proof(claim if evidence is None else accepted(claim, self.instance, self.objective))

    def remark(self, words: str, seconds: float = 0.0) -> None:
        """Log what went wrong, keep it in the trace, and tell it."""
        self._log(words, seconds)
        self._tell(Improvement(words, seconds=seconds))

    def _log(self, words: str, seconds: float) -> None:
        logger.warning("%s: %s", self.name, words)
        if self._value is not None:
            self._note(words, seconds)

    def _tell(self, improvement: Improvement) -> None:
        if self.tell is not None:
            self.tell(improvement)

    @cached_property
    def _gaps(self) -> tuple[Fraction, float]:
        # Asked for after each step of any layer, and slow where numbers are long: kept until one of the two changes.
        gap = relative_gap(self.value, self.bound)
        return gap, float(gap)

    def _forget_gaps(self) -> None:
        self.__dict__.pop("_gaps", None)

    def _contradiction(self, done: str, proof: Proof) -> str:
        return f"{done}: bound {float(proof.bound)} of {proof}, above a plan of {float(self.value)}"

    def _note(self, by: str, seconds: float) -> None:
        # Steps run side by side, and what comes in later may have been found earlier: it counts from now on.
        since = max(seconds, self.trace[-1].seconds) if self.trace else seconds
        self.trace.append(TracePoint(since, self.value, self.bound, by))
