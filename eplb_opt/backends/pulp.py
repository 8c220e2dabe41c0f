"""PuLP's solvers: HiGHS through its Python interface and CBC as a command."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from eplb_opt.backends.outcome import Outcome, Report, Verdict
from eplb_opt.errors import InvalidArgumentError, MissingPackageError, SolverError
from eplb_opt.limits import Limits


def solve(
    problem: Any, warm_start: Mapping[str, int] | None, limits: Limits, report: Report, solver: str = "HiGHS"
) -> Outcome:
    """Minimise a PuLP problem with an integer objective by one of PuLP's solvers, ``"HiGHS"`` or ``"COIN_CMD"``.

    `warm_start` gives every variable a value. Verdict and bound are read from the solver itself: PuLP's own status
    calls a time-out of HiGHS optimal.

    Raises
    ------
    MissingPackageError
        The solver is not installed; the message names the package.
    SolverError
        The solver failed.
    InvalidArgumentError
        Not one of the two solvers, or a work limit, which they do not have.
    """
    if limits.work is not None:
        raise InvalidArgumentError(f"pulp:{solver} has no deterministic work limit")
    for variable in problem.variables():
        if warm_start:
            variable.setInitialValue(warm_start[variable.name], check=False)
    if solver == "HiGHS":
        return _solve_highs(problem, warm_start is not None, limits, report)
    if solver == "COIN_CMD":
        return _solve_cbc(problem, warm_start is not None, limits)
    raise InvalidArgumentError(f"pulp:{solver} is not one of pulp:HiGHS, pulp:COIN_CMD")


def _solve_highs(problem: Any, warm: bool, limits: Limits, report: Report) -> Outcome:
    import pulp

    try:
        import highspy
    except ImportError as error:
        raise MissingPackageError(f"pulp:HiGHS needs the package highspy: {error}") from error
    callbacks = highspy.cb.HighsCallbackType

    class WarmHiGHS(pulp.HiGHS):  # type: ignore[misc]
        """PuLP's interface to HiGHS has no warm start and no event for a better bound."""

        def callSolver(self, lp: Any) -> None:  # noqa: N802
            if warm:
                start = highspy.HighsSolution()
                start.col_value = [float(variable.varValue) for variable in lp.variables()]
                lp.solverModel.setSolution(start)
            # HiGHS keeps one scheduler per process, and refuses to run with another number of threads than it has.
            lp.solverModel.resetGlobalScheduler(True)
            lp.solverModel.run()

    names = [variable.name for variable in problem.variables()]

    best: int | None = None

    def on_event(kind: Any, _message: str, out: Any, _in: Any, _data: Any) -> None:
        nonlocal best
        bound = _integer_bound(out.mip_dual_bound)
        if kind == callbacks.kCallbackMipImprovingSolution:
            report(dict(zip(names, out.mip_solution, strict=True)), bound)
        elif bound is not None and (best is None or bound > best):
            best = bound
            report(None, bound)

    solver = WarmHiGHS(
        msg=False,
        timeLimit=limits.seconds,
        gapRel=0.0,
        gapAbs=0.0,
        threads=limits.threads,
        random_seed=limits.seed,
        callbackTuple=(on_event, None),
        # HiGHS asks whether to stop all the time, but logs, which would tell the bound too, only to a screen.
        callbacksToActivate=[callbacks.kCallbackMipImprovingSolution, callbacks.kCallbackMipInterrupt],
    )
    try:
        problem.solve(solver)
    except (pulp.PulpSolverError, KeyError) as error:
        # PuLP's table of HiGHS statuses lacks some, such as the memory limit.
        raise SolverError(f"HiGHS failed: {error}") from error
    status, statuses = problem.solverModel.getModelStatus(), highspy.HighsModelStatus
    info = problem.solverModel.getInfo()
    if status in (statuses.kInfeasible, statuses.kUnboundedOrInfeasible):
        return Outcome("infeasible", None, None)
    if status not in (statuses.kOptimal, statuses.kTimeLimit, statuses.kInterrupt):
        # Bound and solution have default values then, which mean nothing.
        raise SolverError(f"HiGHS did not solve the program: {status}")
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = {v.name: v.varValue for v in problem.variables()} if found else None
    verdict: Verdict = "optimal" if status == statuses.kOptimal and found else "stopped"
    return Outcome(verdict, values, _integer_bound(info.mip_dual_bound))


def _solve_cbc(problem: Any, warm: bool, limits: Limits) -> Outcome:
    import pulp

    with tempfile.TemporaryDirectory(prefix="eplb_opt_") as folder:
        log = Path(folder) / "cbc.log"
        # One thread: with two, one run in some 250 waits for its time limit, with the optimum in hand.
        solver = pulp.COIN_CMD(
            msg=False,
            timeLimit=max(limits.seconds, 0.1),
            gapRel=0.0,
            gapAbs=0.0,
            warmStart=warm,
            logPath=str(log),
            path=_cbc_path(),
            options=[f"randomCbcSeed {limits.seed}"],
        )
        solver.tmpDir = folder
        if not solver.available():
            raise MissingPackageError("pulp:COIN_CMD needs the CBC solver: pip install 'pulp[cbc]'")
        try:
            problem.solve(solver)
        except pulp.PulpSolverError as error:
            raise SolverError(f"CBC failed: {error}") from error
        text = log.read_text(errors="replace")
    return _read_cbc(text, problem)


def _cbc_path() -> str | None:
    """The CBC of `pulp[cbc]`, which is on the PATH only where the environment is activated; else PuLP looks for one."""
    try:
        from cbcbox import cbc_bin_path
    except ImportError:
        return None
    return str(cbc_bin_path())


def _read_cbc(log: str, problem: Any) -> Outcome:
    """Verdict and bound from CBC's own log, which PuLP does not read.

    CBC ends with ``Result - Optimal solution found`` or ``Result - Stopped on time limit`` and, in the latter case,
    a line ``Lower bound:``.
    """
    import pulp

    result = re.search(r"^Result - (.*)$", log, re.MULTILINE)
    words = result.group(1) if result else ""
    if "infeasible" in words.lower() or problem.status == pulp.LpStatusInfeasible:
        return Outcome("infeasible", None, None)
    found = problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)
    values = {v.name: v.varValue for v in problem.variables()} if found else None
    if words.startswith("Optimal solution found") and "within gap" not in words and found:
        return Outcome("optimal", values, _integer_bound(pulp.value(problem.objective)))
    bound = re.search(r"^Lower bound:\s+(\S+)", log, re.MULTILINE)
    return Outcome("stopped", values, _integer_bound(float(bound.group(1))) if bound else None)


def _integer_bound(bound: float) -> int | None:
    """A floating-point bound as one on an integer objective: rounded up, after a margin for the solver's tolerances."""
    if not abs(bound) < 2**53:
        return None
    return ceil(bound - 1e-3 - 1e-6 * abs(bound))
