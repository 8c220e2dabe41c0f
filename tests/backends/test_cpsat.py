"""CP-SAT: the translation takes what it can represent, refuses the rest, and tells statuses truthfully."""

import pulp
import pytest

from eplb_opt.backends import cpsat
from eplb_opt.errors import SolverError
from eplb_opt.limits import Limits


def quiet(_values, _bound):
    pass


def knapsack():
    """Minimise -(5 a + 4 b + 3 c) with 2 a + 3 b + c <= 4: the best is a = c = 1, and b needs one unit more."""
    problem = pulp.LpProblem("knapsack", pulp.LpMinimize)
    a, b, c = (pulp.LpVariable(name, 0, 1, cat="Integer") for name in "abc")
    problem.setObjective(-5 * a - 4 * b - 3 * c)
    problem.addConstraint(2 * a + 3 * b + c <= 4, "room")
    return problem


def test_the_optimum_comes_with_its_bound():
    outcome = cpsat.solve(knapsack(), {"a": 0, "b": 1, "c": 1}, Limits(10), quiet)
    assert (outcome.verdict, outcome.bound, outcome.values) == ("optimal", -8, {"a": 1, "b": 0, "c": 1})


def test_every_sense_and_the_constant_of_a_row_are_translated():
    problem = pulp.LpProblem("rows", pulp.LpMinimize)
    a, b = (pulp.LpVariable(name, -5, 9, cat="Integer") for name in "ab")
    problem.setObjective(a + 2 * b)
    problem.addConstraint(a + 3 == 7, "equal")
    problem.addConstraint(b - 1 >= a - 2, "at_least")
    problem.addConstraint(a + b <= 20, "at_most")
    # a = 4, so b >= 3.
    outcome = cpsat.solve(problem, None, Limits(10), quiet)
    assert (outcome.verdict, outcome.values) == ("optimal", {"a": 4, "b": 3})


def test_infeasible_is_said_and_has_no_values():
    problem = knapsack()
    problem.addConstraint(problem.variablesDict()["a"] >= 2, "too_much")
    outcome = cpsat.solve(problem, None, Limits(10), quiet)
    assert (outcome.verdict, outcome.values, outcome.bound) == ("infeasible", None, None)


def test_no_time_is_stopped_and_not_optimal(monkeypatch):
    outcome = cpsat.solve(hard_problem(), None, Limits(0.01), quiet)
    assert outcome.verdict == "stopped"


def hard_problem():
    """Equal subset sums over many large numbers: cannot be closed in a hundredth of a second."""
    problem = pulp.LpProblem("hard", pulp.LpMinimize)
    variables = [pulp.LpVariable(f"v{i}", 0, 1, cat="Integer") for i in range(120)]
    top = pulp.LpVariable("T", 0, 10**9, cat="Integer")
    numbers = [(7**i) % 99_999_989 for i in range(120)]
    problem.setObjective(top + 0)
    problem.addConstraint(pulp.lpSum(n * v for n, v in zip(numbers, variables, strict=True)) - top <= 3 * 10**9, "up")
    problem.addConstraint(pulp.lpSum(n * v for n, v in zip(numbers, variables, strict=True)) + top >= 3 * 10**9, "low")
    problem.addConstraint(pulp.lpSum(variables) == 61, "half")
    return problem


def test_a_work_limit_gives_the_same_answer_twice():
    answers = [cpsat.solve(hard_problem(), None, Limits(60, seed=3, work=0.2), quiet) for _ in range(2)]
    assert answers[0] == answers[1]


def test_continuous_variables_and_fractions_are_refused_by_name():
    problem = knapsack()
    problem.addConstraint(problem.variablesDict()["a"] * 0.5 <= 1, "half")
    with pytest.raises(SolverError, match=r"integer data only, a has 0\.5"):
        cpsat.solve(problem, None, Limits(10), quiet)
    problem = pulp.LpProblem("continuous", pulp.LpMinimize)
    problem.setObjective(pulp.LpVariable("q", 0, 1) + 0)
    with pytest.raises(SolverError, match="q is Continuous"):
        cpsat.solve(problem, None, Limits(10), quiet)


def test_incumbents_and_bounds_are_reported_while_it_runs():
    seen = []
    outcome = cpsat.solve(knapsack(), {"a": 0, "b": 1, "c": 1}, Limits(10), lambda v, b: seen.append((v, b)))
    values = [v for v, _ in seen if v is not None]
    assert values[-1] == outcome.values
    assert all(b is None or b <= outcome.bound for _, b in seen)
