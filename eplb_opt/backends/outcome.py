"""What a solver says of a program: best solution, best bound, and why it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

# Names of the solvers that run the whole model of a layer.
PROGRAM_METHODS = ("cpsat", "pulp:HiGHS", "pulp:COIN_CMD")

Verdict = Literal["optimal", "infeasible", "stopped"]


@dataclass(frozen=True)
class Outcome:
    """A solver's answer to a program.

    Attributes
    ----------
    verdict
        ``"optimal"`` and ``"infeasible"`` only where the solver claims a proof; a time-out is ``"stopped"``.
    values
        Variable values by name of the best solution, or ``None``.
    bound
        Lower bound on the objective in the program's unit, an integer as the objective is one; ``None`` if unknown.
    """

    verdict: Verdict
    values: Mapping[str, float] | None
    bound: int | None


# Called with (values or None, bound or None) whenever a running solver has something better.
Report = Callable[[Mapping[str, float] | None, int | None], None]
