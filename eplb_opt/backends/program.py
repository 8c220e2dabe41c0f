"""One run of the whole model on one layer: build, warm-start, solve, translate back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic

from eplb_opt.arguments import one_of
from eplb_opt.backends.outcome import PROGRAM_METHODS, Limits, Outcome, Report, Verdict
from eplb_opt.errors import SolverError
from eplb_opt.formulations.assignment import Assignment, assignment, num_variables
from eplb_opt.instance import Instance
from eplb_opt.verify import max_loads

# Above this PuLP needs gigabytes before a solver sees the program, and no solver gains anything on it.
MAX_VARIABLES = 1_000_000


@dataclass(frozen=True)
class ProgramTask:
    """What a worker process needs to know; picklable.

    Attributes
    ----------
    instance
        One layer of one window.
    incumbent
        A valid row of slots, the warm start; only plans at least as good are searched.
    lower_bound
        A proven bound, in tokens.
    method
        One of `PROGRAM_METHODS`.
    limits
        For building and solving together.
    call
        Names the call that asked, so that it can end its own workers.
    """

    instance: Instance
    incumbent: tuple[int, ...]
    lower_bound: Fraction
    method: str
    limits: Limits
    call: str = ""


@dataclass(frozen=True)
class ProgramNews:
    """What a run has found so far.

    Attributes
    ----------
    slots
        A row of slots that the solver calls feasible, or ``None``.
    bound
        A lower bound in tokens on the solver's word, or ``None``.
    verdict
        ``None`` while the solver runs.
    """

    slots: tuple[int, ...] | None
    bound: Fraction | None
    verdict: Verdict | None


def run_program(task: ProgramTask, emit: Callable[[ProgramNews], None]) -> None:
    """Solve the task's program, emitting better plans and bounds as they come and the verdict last.

    Raises
    ------
    InvalidArgumentError, MissingPackageError, SolverError
        An unknown method, a solver that is not installed, or one that failed.
    """
    deadline = monotonic() + task.limits.seconds
    upper = max_loads(task.incumbent, task.instance)[0]
    size = num_variables(task.instance, upper)
    if size > MAX_VARIABLES:
        raise SolverError(f"the program has {size} variables, more than {MAX_VARIABLES}; use method='auto'")
    program = assignment(task.instance, upper=upper, lower=task.lower_bound)
    limits = replace(task.limits, seconds=max(0.0, deadline - monotonic()))

    def news(values: Mapping[str, float] | None, bound: int | None, verdict: Verdict | None = None) -> ProgramNews:
        slots = None if values is None else tuple(program.slots_of(values).tolist())
        return ProgramNews(slots, None if bound is None else program.bound(bound), verdict)

    outcome = _solve(task.method, program, program.values_of(task.incumbent), limits, lambda v, b: emit(news(v, b)))
    emit(news(outcome.values, outcome.bound, outcome.verdict))


def _solve(method: str, program: Assignment, warm_start: Mapping[str, int], limits: Limits, report: Report) -> Outcome:
    if one_of("method", method, PROGRAM_METHODS) == "cpsat":
        from eplb_opt.backends import cpsat

        return cpsat.solve(program.problem, warm_start, limits, report)
    from eplb_opt.backends import pulp

    return pulp.solve(program.problem, warm_start, limits, report, method.removeprefix("pulp:"))
