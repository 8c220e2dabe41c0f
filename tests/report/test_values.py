"""Values are exact, and a solution of other loads is found out."""

from dataclasses import replace
from fractions import Fraction
from math import isnan

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.evaluate import objective_values
from eplb_opt.excess import excess_of, total_excess
from eplb_opt.loads import Loads
from eplb_opt.report.values import coolest, matched, require_same
from tests.report.conftest import recorded

DEPLOYMENT = Deployment(4, 20)


@pytest.mark.parametrize(("windows", "objective"), [(1, "total"), (3, "total"), (3, "mean"), (3, "worst")])
def test_values_are_those_of_solve(windows, objective):
    loads = recorded(windows)
    solution = eplb_opt.solve(loads, DEPLOYMENT, objective=objective, time_limit=0.2)
    values = objective_values(solution.plan, loads, objective)
    assert values == tuple(layer.objective for layer in solution.layers)
    require_same(solution, loads, DEPLOYMENT)


def test_excess_is_a_part_of_perfect_balance():
    assert excess_of(Fraction(5), Fraction(4), "total") == Fraction(1, 4)
    assert isnan(excess_of(Fraction(0), Fraction(0), "total"))
    assert isnan(excess_of(Fraction(1), Fraction(0), "mean"))
    assert excess_of(Fraction(5, 4), Fraction(4), "mean") == Fraction(1, 4)


def test_layers_follow_each_other_so_that_tokens_are_summed_and_imbalances_averaged():
    values, means = (Fraction(5), Fraction(30)), (Fraction(4), Fraction(10))
    assert total_excess(values, means, "total") == Fraction(35, 14) - 1
    assert total_excess((Fraction(5, 4), Fraction(3)), means, "mean") == Fraction(17, 8) - 1


@pytest.mark.parametrize(("objective", "excess"), [("total", Fraction(1, 4)), ("mean", Fraction(3, 2))])
def test_layers_without_load_count_in_no_excess(objective, excess):
    # Without load the objective is 0 tokens, or an imbalance of 1.
    nothing = Fraction(objective != "total")
    values, means = (Fraction(5, 2), nothing), (Fraction(2), Fraction(0))
    assert total_excess(values, means, objective) == excess
    assert isnan(total_excess((nothing,), (Fraction(0),), objective))


def test_the_coolest_plan_is_the_first_of_equal_ones():
    values = {"a": (Fraction(3), Fraction(2)), "b": (Fraction(4), Fraction(1)), "c": (Fraction(6), Fraction(0))}
    assert coolest(["a", "b", "c"], values) == "a"
    assert coolest(["c", "b"], values) == "b"


def test_plans_are_matched_by_layer_and_refused_by_name():
    loads = recorded()
    plan = eplb_opt.solve(recorded(layers=5), DEPLOYMENT, method="lpt").plan
    assert matched(plan, loads, DEPLOYMENT, "a.json").layer_ids == (3, 4, 5)
    with pytest.raises(InvalidPlanError, match=r"a\.json: the plan has no layer 2"):
        matched(plan, Loads(loads.values, (2, 3, 4)), DEPLOYMENT, "a.json")
    with pytest.raises(InvalidPlanError, match=r"a\.json is for 16 experts, the recording has 12"):
        matched(plan, recorded(experts=12), DEPLOYMENT, "a.json")
    with pytest.raises(InvalidPlanError, match=r"a\.json has 20 slots, the deployment num_slots=24"):
        matched(plan, loads, Deployment(4, 24), "a.json")
    with pytest.raises(InvalidPlanError, match=r"a\.json is not valid: layer 3: group"):
        matched(plan, loads, Deployment(4, 20, 2, 4), "a.json")


@pytest.mark.parametrize("key", ["objective", "max_load", "mean_load"])
def test_a_solution_whose_numbers_are_not_those_of_the_loads_is_refused(key):
    loads = recorded()
    solution = eplb_opt.solve(loads, DEPLOYMENT, method="lpt")
    # The least change that a float cannot see.
    wrong = replace(solution.layers[1], **{key: getattr(solution.layers[1], key) + Fraction(1, 10**30)})
    changed = replace(solution, layers=(solution.layers[0], wrong, solution.layers[2]))
    with pytest.raises(InvalidArgumentError, match=f"not of this recording: layer 4 has {key}="):
        require_same(changed, loads, DEPLOYMENT)


def test_a_solution_of_other_layers_windows_or_deployments_is_refused():
    loads = recorded(2)
    solution = eplb_opt.solve(loads, DEPLOYMENT, objective="mean", window_weights=[1, 2], time_limit=0.2)
    with pytest.raises(InvalidArgumentError, match="3 layers, the recording 2"):
        require_same(solution, Loads(loads.values[:, :2], (3, 4)), DEPLOYMENT)
    with pytest.raises(InvalidArgumentError, match="weighs 2 windows, the recording has 3"):
        require_same(solution, Loads(np.concatenate([loads.values, loads.values[:1]]), (3, 4, 5)), DEPLOYMENT)
    with pytest.raises(InvalidArgumentError, match=r"num_gpus=4.*, not for .*num_gpus=2"):
        require_same(solution, loads, Deployment(2, 20))
