"""HiGHS and CBC through PuLP: warm starts are used, time-outs are not called optimal, bounds are read."""

from fractions import Fraction

import pulp as pulp_package
import pytest

from eplb_opt.backends import pulp
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, SolverError
from eplb_opt.formulations.assignment import assignment
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.verify import max_loads
from tests.backends.test_cpsat import knapsack, quiet

SOLVERS = ["HiGHS", "COIN_CMD"]


def test_ortools_and_highspy_live_in_one_process():
    import highspy
    from ortools.sat.python import cp_model

    assert highspy.Highs() and cp_model.CpModel()


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_optimum_comes_with_its_bound(solver):
    outcome = pulp.solve(knapsack(), {"a": 0, "b": 1, "c": 1}, Limits(10), quiet, solver)
    assert (outcome.verdict, outcome.bound) == ("optimal", -8)
    assert {name: round(value) for name, value in outcome.values.items()} == {"a": 1, "b": 0, "c": 1}


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_number_of_threads_may_change_between_programs(solver):
    for threads in (1, 2, 1):
        outcome = pulp.solve(knapsack(), None, Limits(10, threads=threads), quiet, solver)
        assert (outcome.verdict, outcome.bound) == ("optimal", -8)


def test_a_run_that_highs_refuses_is_an_error_and_no_bound(monkeypatch):
    import highspy

    monkeypatch.setattr(highspy.Highs, "run", lambda self: highspy.HighsStatus.kError)
    with pytest.raises(SolverError, match="HiGHS did not solve the program"):
        pulp.solve(knapsack(), None, Limits(10), quiet)


@pytest.mark.parametrize("solver", SOLVERS)
def test_infeasible_is_said_and_has_no_values(solver):
    problem = knapsack()
    problem.addConstraint(problem.variablesDict()["a"] + problem.variablesDict()["b"] >= 3, "too_much")
    outcome = pulp.solve(problem, None, Limits(10), quiet, solver)
    assert (outcome.verdict, outcome.values, outcome.bound) == ("infeasible", None, None)


@pytest.fixture(scope="module")
def large():
    """A layer whose program no solver closes in a second, its warm start and its bound."""
    loads = generate_loads(num_experts=24, num_layers=1, skew=1.2, tokens=99_991)
    instance = Instance.from_loads(loads.values[0, 0], Deployment(12, 36))
    return instance, greedy_plus_swap(instance), max(proof.bound for proof in quick_bounds(instance))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_time_out_is_stopped_and_keeps_warm_start_and_bound(solver, large):
    instance, slots, lower = large
    (value,) = max_loads(slots.tolist(), instance)
    program = assignment(instance, upper=value, lower=lower)
    outcome = pulp.solve(program.problem, program.values_of(slots), Limits(2.0), quiet, solver)
    assert outcome.verdict == "stopped"
    assert outcome.values is not None, "the warm start was not taken"
    (found,) = max_loads(program.slots_of(outcome.values).tolist(), instance)
    assert found <= value
    bound = program.bound(outcome.bound)
    # One unit for rounding T down; the solver's tolerance is taken off before.
    assert lower - Fraction(2) / program.factor - lower / 10**6 <= bound <= found


def test_highs_reports_incumbents_and_bounds_while_it_runs(large):
    instance, slots, lower = large
    program = assignment(instance, upper=max_loads(slots.tolist(), instance)[0], lower=lower)
    seen = []
    pulp.solve(program.problem, program.values_of(slots), Limits(3.0), lambda v, b: seen.append((v, b)))
    assert any(b is not None for _, b in seen)


@pytest.mark.parametrize(
    ("log", "verdict", "bound"),
    [
        ("Result - Optimal solution found\n\nObjective value:  -8.0\n", "optimal", -8),
        ("Result - Stopped on time limit\n\nObjective value: -4.0\nLower bound:  -8.500\n", "stopped", -8),
        ("Result - Stopped on time limit\n\nNo feasible solution found\nLower bound:  -12.0\n", "stopped", -12),
        ("Result - Problem proven infeasible\n", "infeasible", None),
        ("Result - Optimal solution found (within gap tolerance)\n\nLower bound: -9.000\n", "stopped", -9),
        ("cut off in the mid", "stopped", None),
    ],
)
def test_cbc_is_read_from_its_own_words(log, verdict, bound):
    problem = knapsack()
    problem.assignVarsVals({"a": 1, "b": 0, "c": 1})
    problem.assignStatus(pulp_package.LpStatusOptimal, pulp_package.LpSolutionIntegerFeasible)
    outcome = pulp._read_cbc(log, problem)
    assert (outcome.verdict, outcome.bound) == (verdict, bound)


def test_a_work_limit_and_an_unknown_solver_are_refused():
    with pytest.raises(InvalidArgumentError, match="no deterministic work limit"):
        pulp.solve(knapsack(), None, Limits(1, work=1.0), quiet)
    with pytest.raises(InvalidArgumentError, match="pulp:GLPK is not one of pulp:HiGHS, pulp:COIN_CMD"):
        pulp.solve(knapsack(), None, Limits(1), quiet, "GLPK")
