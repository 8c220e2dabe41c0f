"""LayerSolution: what is known about one layer of a plan, and why the search for a better one stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from eplb_opt.move_limit import MoveLimit
from eplb_opt.proof import Proof

Status = Literal["optimal", "feasible", "infeasible"]
StoppedBy = Literal["gap", "time", "stalled", "interrupt"]


@dataclass(frozen=True)
class TracePoint:
    """One event of a layer's solution: a better plan or a better bound.

    Attributes
    ----------
    seconds
        Time since the call began.
    objective, lower_bound
        Both values after the event.
    source
        What found it: ``"greedy"``, ``"search"``, the argument of a proof, or a solver. Or a remark on what failed or
        was refused, with a colon in it: ``"cpsat: ..."``.
    """

    seconds: float
    objective: Fraction
    lower_bound: Fraction
    source: str


@dataclass(frozen=True)
class LayerSolution:
    """What is known about one layer.

    Attributes
    ----------
    layer_id
        Decoder layer.
    objective
        Exact objective of the plan's row; for ``"total"`` the max load in tokens, else an imbalance.
    max_load, mean_load
        Load of the hottest GPU and total load / number of GPUs, exact, in tokens; of several windows, of their sum.
    proof
        The strongest lower bound and its argument.
    stopped_by
        ``None`` if the layer is optimal, else ``"gap"`` (target gap met), ``"time"``, ``"stalled"`` (the method has
        nothing more to give) or ``"interrupt"``.
    trace
        Incumbents and bounds over time.
    work
        Seconds of work spent on this layer by the name of the step, such as ``"search"``, summed over workers.
    limit
        The plans that the bound is about, where it is about plans with few moves; ``None``: all.
    """

    layer_id: int
    objective: Fraction
    max_load: Fraction
    mean_load: Fraction
    proof: Proof
    stopped_by: StoppedBy | None
    trace: tuple[TracePoint, ...] = ()
    work: Mapping[str, float] = field(default_factory=dict, hash=False)
    limit: MoveLimit | None = None

    @property
    def lower_bound(self) -> Fraction:
        """Proven: no plan, of those within the `limit` if there is one, has a smaller objective."""
        return self.proof.bound

    @property
    def gap(self) -> Fraction:
        """(objective - lower bound) / objective, exact; 0 for a layer without load."""
        return relative_gap(self.objective, self.lower_bound)

    @property
    def status(self) -> Status:
        """``"optimal"`` if the bound equals the objective exactly, else ``"feasible"``."""
        return "optimal" if self.lower_bound == self.objective else "feasible"

    @property
    def runtime(self) -> float:
        """Seconds of work spent on this layer, summed over steps and workers."""
        return sum(self.work.values())

    @property
    def imbalance(self) -> Fraction:
        """Max load / mean load, at least 1, of several windows of their sum; 1 for a layer without load."""
        return self.max_load / self.mean_load if self.mean_load else Fraction(1)


def relative_gap(objective: Fraction, lower_bound: Fraction) -> Fraction:
    """(objective - lower bound) / objective; 0 where both are 0."""
    return (objective - lower_bound) / objective if objective else Fraction(0)
