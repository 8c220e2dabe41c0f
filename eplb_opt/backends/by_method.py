"""A program to the solver that a method names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eplb_opt.arguments import one_of
from eplb_opt.backends.outcome import PROGRAM_METHODS, Outcome, Report
from eplb_opt.limits import Limits

if TYPE_CHECKING:
    import pulp


def solve_program(
    method: str, problem: pulp.LpProblem, warm_start: Mapping[str, int] | None, limits: Limits, report: Report
) -> Outcome:
    """Minimise a pure integer program by one of `PROGRAM_METHODS`; the solver is loaded when it is asked for.

    Raises
    ------
    InvalidArgumentError, MissingPackageError, SolverError
        Another method, a solver that is not installed, or one that failed.
    """
    if one_of("method", method, PROGRAM_METHODS) == "cpsat":
        from eplb_opt.backends import cpsat

        return cpsat.solve(problem, warm_start, limits, report)
    from eplb_opt.backends import pulp

    return pulp.solve(problem, warm_start, limits, report, method.removeprefix("pulp:"))
