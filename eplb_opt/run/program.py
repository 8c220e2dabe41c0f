"""Programs on one layer: build, warm-start, solve, translate back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import one_of
from eplb_opt.backends.limits import Limits, Meter
from eplb_opt.backends.outcome import CLOSING_METHODS, PROGRAM_METHODS, Outcome, Report, Verdict
from eplb_opt.bounds.closing import close
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.search_evidence import search_evidence
from eplb_opt.errors import SolverError
from eplb_opt.formulations.assignment import (
    EXACT_SOLVER_ROW_SUM,
    FLOAT_SOLVER_ROW_SUM,
    Assignment,
    assignment,
    num_variables,
)
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof
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
        One of `PROGRAM_METHODS`, or the layer's closing method.
    limits
        For building and solving together.
    target_gap
        What the caller is content with; programs that search by themselves stop there.
    call
        Names the call that asked, so that it can end its own workers.
    """

    instance: Instance
    incumbent: tuple[int, ...]
    lower_bound: Fraction
    method: str
    limits: Limits
    target_gap: Fraction = Fraction(0)
    call: str = ""


@dataclass(frozen=True)
class ProgramNews:
    """What a run has found so far.

    Attributes
    ----------
    slots
        A row of slots that the solver calls feasible, or ``None``.
    proof
        A proof of a lower bound, or ``None``.
    verdict
        ``None`` while the solver runs.
    """

    slots: tuple[int, ...] | None
    proof: Proof | None
    verdict: Verdict | None


def run_task(task: ProgramTask, emit: Callable[[ProgramNews], None]) -> None:
    """Run what the task names, emitting better plans and bounds as they come and the verdict last.

    Where a bound that closes a small layer would rest on somebody's word, a search that can be checked is tried too.
    """
    best = max(max_loads(task.incumbent, task.instance))

    def report(news: ProgramNews) -> None:
        nonlocal best
        if news.slots is not None:
            best = min(best, max(max_loads(news.slots, task.instance)))
        if news.proof is None or news.proof.certified is not None or news.proof.bound != best:
            emit(news)
            return
        # The word comes first: it stays if time is over before the search is.
        emit(replace(news, verdict=None))
        evidence = search_evidence(task.instance, best)
        if evidence is not None:
            emit(ProgramNews(None, Proof(evidence["argument"], best, checked=True, evidence=evidence), None))
        if news.verdict is not None:
            emit(ProgramNews(None, None, news.verdict))

    (run_pursuit if task.method in CLOSING_METHODS else run_program)(task, report)


def run_pursuit(task: ProgramTask, emit: Callable[[ProgramNews], None]) -> None:
    """Close the gap of a layer by the method that fits it, emitting like `run_program`."""

    def report(slots: NDArray[np.int64] | None, proof: Proof | None) -> None:
        emit(ProgramNews(None if slots is None else tuple(slots.tolist()), proof, None))

    slots = np.array(task.incumbent, dtype=np.int64)
    pursuit = Pursuit(task.instance, slots, task.lower_bound, task.target_gap, Meter(task.limits), report)
    close(pursuit)
    emit(ProgramNews(None, None, "exhausted" if pursuit.closed else "stopped"))


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
    row_sum = EXACT_SOLVER_ROW_SUM if task.method == "cpsat" else FLOAT_SOLVER_ROW_SUM
    program = assignment(task.instance, upper=upper, lower=task.lower_bound, largest_row_sum=row_sum)
    limits = replace(task.limits, seconds=max(0.0, deadline - monotonic()))

    def news(values: Mapping[str, float] | None, bound: int | None, verdict: Verdict | None = None) -> ProgramNews:
        slots = None if values is None else tuple(program.slots_of(values).tolist())
        proof = None if bound is None else Proof("program", program.bound(bound), checked=False, by=task.method)
        return ProgramNews(slots, proof, verdict)

    outcome = _solve(task.method, program, program.values_of(task.incumbent), limits, lambda v, b: emit(news(v, b)))
    emit(news(outcome.values, outcome.bound, outcome.verdict))


def _solve(method: str, program: Assignment, warm_start: Mapping[str, int], limits: Limits, report: Report) -> Outcome:
    if one_of("method", method, PROGRAM_METHODS) == "cpsat":
        from eplb_opt.backends import cpsat

        return cpsat.solve(program.problem, warm_start, limits, report)
    from eplb_opt.backends import pulp

    return pulp.solve(program.problem, warm_start, limits, report, method.removeprefix("pulp:"))
