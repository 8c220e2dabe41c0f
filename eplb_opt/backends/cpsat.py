"""CP-SAT: translates a PuLP program with integer data and solves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eplb_opt.backends.outcome import Outcome, Report
from eplb_opt.errors import MissingPackageError, SolverError
from eplb_opt.limits import Limits

if TYPE_CHECKING:
    import pulp


def solve(problem: pulp.LpProblem, warm_start: Mapping[str, int] | None, limits: Limits, report: Report) -> Outcome:
    """Minimise a pure integer program with CP-SAT.

    `warm_start` gives every variable a value. With `Limits.work` the run is deterministic: one worker and CP-SAT's
    deterministic time.

    Raises
    ------
    SolverError
        The program is not one CP-SAT takes (continuous variable, fractional number), or CP-SAT refuses it.
    """
    cp_model = import_cp_model()
    model, variables = _translate(problem, cp_model)
    for name, value in (warm_start or {}).items():
        model.add_hint(variables[name], value)
    error = model.validate()
    if error:
        raise SolverError(f"CP-SAT refuses the program: {error}")

    solver = new_solver(cp_model, limits)
    solver.best_bound_callback = lambda bound: report(None, _integer_bound(bound))

    def on_solution(callback: Any) -> None:
        values = {name: callback.value(variable) for name, variable in variables.items()}
        report(values, _integer_bound(callback.best_objective_bound))

    status = solver.solve(model, _SolutionReporter.of(cp_model, on_solution))
    if status == cp_model.MODEL_INVALID:
        raise SolverError("CP-SAT refuses the program as invalid")
    if status == cp_model.INFEASIBLE:
        return Outcome("infeasible", None, None)
    bound = _integer_bound(solver.best_objective_bound)
    if status == cp_model.UNKNOWN:
        # CP-SAT can time out in presolve without reporting even its warm start.
        return Outcome("stopped", None, bound)
    values = {name: solver.value(variable) for name, variable in variables.items()}
    # A gap limit would make OPTIMAL mean less than it says; none is set here.
    return Outcome("optimal" if status == cp_model.OPTIMAL else "stopped", values, bound)


def new_solver(cp_model: Any, limits: Limits) -> Any:
    """A CP-SAT solver within `limits`."""
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(limits.seconds, 1e-3)
    solver.parameters.num_workers = limits.threads
    solver.parameters.random_seed = limits.seed
    if limits.work is not None:
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = limits.work
    return solver


def import_cp_model() -> Any:
    """CP-SAT's Python module, which loads when it is first needed."""
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise MissingPackageError(f"CP-SAT needs the package ortools: {error}") from error
    return cp_model


def _translate(problem: pulp.LpProblem, cp_model: Any) -> tuple[Any, dict[str, Any]]:
    """The same program for CP-SAT, and its variables by name."""
    model = cp_model.CpModel()
    variables = {}
    for variable in problem.variables():
        if variable.cat != "Integer":
            raise SolverError(f"CP-SAT takes integer variables only, {variable.name} is {variable.cat}")
        low, high = (_whole(bound, variable.name) for bound in (variable.lowBound, variable.upBound))
        variables[variable.name] = model.new_int_var(low, high, variable.name)

    def linear(expression: Any) -> Any:
        items = [(variables[v.name], _whole(c, v.name)) for v, c in expression.items()]
        return cp_model.LinearExpr.weighted_sum([v for v, _ in items], [c for _, c in items])

    for name, row in problem.constraints.items():
        # PuLP keeps a row as expression + constant (<=, =, >=) 0, with the sense as -1, 0, 1.
        right = -_whole(row.constant, name)
        left = linear(row)
        model.add(left <= right if row.sense < 0 else left >= right if row.sense > 0 else left == right)
    model.minimize(linear(problem.objective))
    return model, variables


def _whole(number: float | None, name: str) -> int:
    if number is None or int(number) != number:
        raise SolverError(f"CP-SAT takes integer data only, {name} has {number}")
    return int(number)


def _integer_bound(bound: float) -> int | None:
    """CP-SAT keeps integer bounds and hands them out as floats; exact for the sizes programs are scaled to."""
    return round(bound) if abs(bound) < 2**53 else None


class _SolutionReporter:
    @staticmethod
    def of(cp_model: Any, on_solution: Any) -> Any:
        """A CP-SAT callback object around a function; the base class exists only once ortools is imported."""

        class Reporter(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
            def on_solution_callback(self) -> None:
                on_solution(self)

        return Reporter()
