"""LayerRecord: the best plan and the best bounds of one layer while a call runs."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eplb_opt.aim import Aim, Outlook
from eplb_opt.errors import InvalidPlanError, SolverError
from eplb_opt.exact import nearest_float
from eplb_opt.instance import Instance
from eplb_opt.layer_solution import LayerSolution, StoppedBy, TracePoint, relative_gap
from eplb_opt.plan import Plan
from eplb_opt.proof import REFUSED, Proof, strongest
from eplb_opt.verify import max_loads, require_valid

logger = logging.getLogger(__name__)


class LayerRecord:
    """Incumbent, bounds and trace of one layer; keeps only what is better, and nothing that is wrong.

    Every row offered is verified and valued in exact arithmetic. A solver's bound above a plan's value is a
    contradiction: it is refused, or taken back when the plan comes later, and the trace and the log say so.

    Attributes
    ----------
    layer_id
        Decoder layer.
    instance
        What is searched: one window, valued by its max load in tokens, or several, valued by an imbalance.
    aim
        How `instance` is valued.
    """

    def __init__(self, layer_id: int, recorded: Instance, aim: Aim | None = None) -> None:
        self.layer_id = layer_id
        self._recorded, self._asked = recorded, aim or Aim()
        self.instance, self.aim = self._asked.on(recorded)
        self._merit: Fraction | float | None = None
        self._slots: NDArray[np.int64] | None = None
        self._objective: Fraction | None = None
        self._checked = Proof("none", Fraction(0), checked=True)
        self._claimed: Proof | None = None
        self._trace: list[TracePoint] = []
        self._work: dict[str, float] = {}

    @property
    def has_plan(self) -> bool:
        """Whether any plan was kept yet."""
        return self._slots is not None

    @property
    def slots(self) -> NDArray[np.int64]:
        """Best row of slots."""
        if self._slots is None:
            raise SolverError(f"layer {self.layer_id} has no plan yet")
        return self._slots

    @property
    def objective(self) -> Fraction:
        """Exact value of `slots`."""
        if self._objective is None:
            raise SolverError(f"layer {self.layer_id} has no plan yet")
        return self._objective

    @cached_property
    def outlook(self) -> Outlook:
        """The windows that a search makes cool, scenarios among them."""
        return self.aim.outlook(self.instance)

    @property
    def proof(self) -> Proof:
        """The strongest bound that no plan contradicts."""
        return strongest(self._checked, self._claimed) if self._claimed else self._checked

    @property
    def gap(self) -> Fraction:
        """(objective - lower bound) / objective."""
        return self._gaps[0]

    @property
    def rough_gap(self) -> float:
        """The same as a float."""
        return self._gaps[1]

    @cached_property
    def _gaps(self) -> tuple[Fraction, float]:
        # Asked for after each step of any layer, and slow where numbers are long: kept until one of the two changes.
        gap = relative_gap(self.objective, self.proof.bound)
        return gap, float(gap)

    def _forget_gaps(self) -> None:
        self.__dict__.pop("_gaps", None)

    def offer_plan(self, slots: NDArray[np.int64], source: str, seconds: float = 0.0) -> bool:
        """Keep `slots` if it is valid and better; whether it was kept. `seconds` is when it was found.

        Where there are scenarios, better is what does better on all windows together.
        """
        row = np.asarray(slots, dtype=np.int64)
        try:
            require_valid(Plan(row[np.newaxis], self.instance.deployment, self.instance.num_experts), source)
        except InvalidPlanError as error:
            self.remark(f"refused: {source} is not valid: {error.violations[0]}", seconds)
            return False
        objective = self.aim.value(row.tolist(), self.instance)
        merit = self.outlook.value(row, self.instance.deployment.num_gpus) if self.aim.scenarios else objective
        if self._merit is not None and merit >= self._merit:
            return False
        if objective < self._checked.bound:
            raise SolverError(
                f"layer {self.layer_id}: a plan of {nearest_float(objective):.12g} is below the bound "
                f"{nearest_float(self._checked.bound):.12g} "
                f"({self._checked}); one of them is wrong"
            )
        self._slots, self._objective, self._merit = row, objective, merit
        self._forget_gaps()
        if self._claimed and self._claimed.bound > objective:
            claim, self._claimed = self._claimed, None
            self._forget_gaps()
            self._contradiction("taken back", claim, seconds)
        self._note(source, seconds)
        return True

    def offer_proof(self, proof: Proof, seconds: float = 0.0) -> bool:
        """Keep `proof` if it is stronger and no plan contradicts it; whether it was kept."""
        if self._objective is not None and proof.bound > self._objective:
            self._contradiction("refused", proof, seconds)
            return False
        if strongest(self.proof, proof) is self.proof:
            return False
        if proof.checked:
            self._checked = strongest(self._checked, proof)
        else:
            self._claimed = proof
            if REFUSED in proof.by:
                self.remark(f"{REFUSED}: the certificate of a bound does not hold ({proof.argument})", seconds)
        self._forget_gaps()
        if self._objective is not None:
            self._note(str(proof), seconds)
        return True

    def add_work(self, step: str, seconds: float) -> None:
        """Count the seconds of one step, by the name of its kind."""
        self._work[step] = self._work.get(step, 0.0) + seconds

    def remark(self, words: str, seconds: float) -> None:
        """Log what went wrong and keep it in the trace."""
        logger.warning("layer %s: %s", self.layer_id, words)
        if self._objective is not None:
            self._note(words, seconds)

    def to_solution(self, stopped_by: StoppedBy) -> LayerSolution:
        """What is known now; `stopped_by` is dropped where the layer is optimal."""
        optimal = self.objective == self.proof.bound
        total = self._recorded.total()
        return LayerSolution(
            layer_id=self.layer_id,
            objective=self.in_objective(self.objective),
            max_load=max_loads(self.slots.tolist(), total)[0],
            mean_load=total.mean_loads[0],
            proof=replace(self.proof, bound=self.in_objective(self.proof.bound)),
            stopped_by=None if optimal else stopped_by,
            trace=tuple(
                replace(
                    point,
                    objective=self.in_objective(point.objective),
                    lower_bound=self.in_objective(point.lower_bound),
                )
                for point in self._trace
            ),
            work=dict(self._work),
        )

    def in_objective(self, value: Fraction) -> Fraction:
        """A value or bound in the unit of the objective: max loads of one window become imbalances if that is one."""
        if self._asked.objective == self.aim.objective:
            return value
        (mean,) = self.instance.mean_loads
        return value / mean if mean else Fraction(1)

    def _contradiction(self, done: str, proof: Proof, seconds: float) -> None:
        bound, value = nearest_float(proof.bound), nearest_float(self.objective)
        self.remark(f"{done}: bound {bound} of {proof}, above a plan of {value}", seconds)

    def _note(self, source: str, seconds: float) -> None:
        # Steps run side by side, and what comes in later may have been found earlier: it counts from now on.
        since = max(seconds, self._trace[-1].seconds) if self._trace else seconds
        self._trace.append(TracePoint(since, self.objective, self.proof.bound, source))
