"""`solve` under a dispatch: values are those of asking source by source, bounds hold, and tiny layers are solved."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment
from eplb_opt.certify import certify
from eplb_opt.heuristics.registry import names
from eplb_opt.instance import Instance
from eplb_opt.verify import verify
from tests.dispatch import oracle
from tests.dispatch.strategies import deployments_under
from tests.examples import examples
from tests.oracle import row_is_valid
from tests.placements import Placements, TooManyError
from tests.random_instances import random_loads
from tests.strategies import SMALL, TOKENS, load_rows

DISPATCHES = ("nearest", "by-rank", "optimal")
OBJECTIVES = ("total", "mean", "worst")


def worth(row, instance, objective):
    """The objective by its definition."""
    if objective == "total":
        return oracle.hottest(row, instance.total())
    loaded = [window for window, loads in enumerate(instance.weights) if any(loads)]
    imbalances = [oracle.hottest(row, instance, window) / instance.mean_loads[window] for window in loaded]
    if not imbalances:
        return Fraction(1)
    return max(imbalances) if objective == "worst" else sum(imbalances, Fraction(0)) / len(imbalances)


def require_true(solution, loads):
    """Plan, values, bounds and proofs of a solution are what they are said to be."""
    deployment, objective = solution.plan.deployment, solution.objective
    assert verify(solution.plan) == []
    frame = eplb_opt.evaluate(solution.plan, loads)
    rows = solution.plan.physical_to_logical.tolist()
    for place, (row, layer, certified) in enumerate(zip(rows, solution.layers, certify(solution, loads), strict=True)):
        instance = Instance.from_loads(loads[:, place], deployment)
        assert row_is_valid(tuple(row), instance)
        assert layer.objective == worth(row, instance, objective)
        assert layer.max_load == oracle.hottest(row, instance.total())
        hottest = [float(oracle.hottest(row, instance, window)) for window in range(len(loads))]
        assert frame["max_load"][frame["layer_id"] == place].tolist() == hottest
        assert layer.lower_bound <= layer.objective
        assert (certified.error, certified.checked) == (None, layer.proof.checked)
        assert layer.proof.checked


def require_bounds_hold(solution, loads, placements):
    optima = placements.optima(loads.transpose(1, 0, 2), solution.objective)
    for layer, optimum in zip(solution.layers, optima, strict=True):
        assert layer.lower_bound <= optimum <= layer.objective


@pytest.mark.parametrize("dispatch", DISPATCHES)
@examples(12)
@given(data=st.data())
def test_any_tiny_layers(dispatch, data):
    """Several layers, windows and objectives, with next to no time."""
    limits = {"max_experts": 5, "max_gpus": 4, "max_slots": 8, "max_nodes": 2}
    deployment, experts = data.draw(deployments_under(dispatch, **limits))
    objective = data.draw(st.sampled_from(OBJECTIVES))
    shape = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    loads = np.array(
        [[data.draw(load_rows(experts, (SMALL, TOKENS))) for _ in range(shape[1])] for _ in range(shape[0])]
    )
    solution = eplb_opt.solve(loads, deployment, objective=objective, time_limit=0.01)
    require_true(solution, loads)
    try:
        placements = Placements(deployment, experts, 200)
    except TooManyError:
        return
    summed = loads.sum(axis=0, keepdims=True) if objective == "total" else loads
    require_bounds_hold(solution, summed, placements)


@pytest.mark.parametrize("objective", ["total", "worst"])
@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(4, 8, 2, policy="global"),
        Deployment(3, 6, distinct=False),
        Deployment(4, 8, 2, 2, "hierarchical"),
    ],
    ids=["global", "copies", "hierarchical"],
)
def test_tiny_layers_are_solved(deployment, dispatch, objective):
    """To the optimum of all placements; the optimal split is not searched for by itself."""
    deployment = replace(deployment, dispatch=dispatch)
    windows = 1 if objective == "total" else 3
    loads = np.random.default_rng(3).integers(1, 60, (windows, 1, 4))
    solution = eplb_opt.solve(loads, deployment, objective=objective, deterministic=True, time_limit=0.2, target_gap=0)
    require_true(solution, loads)
    placements = Placements(deployment, 4, 2000)
    require_bounds_hold(solution, loads, placements)
    if dispatch != "optimal":
        (optimum,) = placements.optima(loads.transpose(1, 0, 2), objective)
        assert solution.layers[0].objective == optimum


@pytest.mark.parametrize("objective", ["total", "mean"])
@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_a_solution_is_the_same_twice_and_read_back(dispatch, objective, tmp_path):
    deployment = Deployment(4, 16, 2, policy="global", dispatch=dispatch)
    loads = np.random.default_rng(1).lognormal(0, 1, (1 if objective == "total" else 2, 2, 12))
    options = {"deterministic": True, "time_limit": 0.1, "objective": objective, "seed": 5}
    one = eplb_opt.solve(loads, deployment, workers=1, **options)
    two = eplb_opt.solve(loads, deployment, workers=2, **options)
    assert one.plan == two.plan
    assert [layer.objective for layer in one.layers] == [layer.objective for layer in two.layers]
    require_true(one, loads)
    one.save(tmp_path / "solution.json")
    again = eplb_opt.read_solution(tmp_path / "solution.json")
    assert again.plan == one.plan and again.plan.deployment.dispatch == dispatch
    require_true(again, loads)
    warm = eplb_opt.solve(loads, deployment, warm_start=one.plan, time_limit=0.01, objective=objective)
    require_true(warm, loads)
    for before, after in zip(one.layers, warm.layers, strict=True):
        assert after.objective <= before.objective


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_every_rule_of_the_registry_is_valued_under_the_dispatch(dispatch):
    deployment = Deployment(4, 12, 2, policy="global", distinct=False, dispatch=dispatch)
    loads = np.random.default_rng(2).integers(0, 100, (1, 2, 8))
    for method in ("greedy", *names()):
        solution = eplb_opt.solve(loads, deployment, method=method, time_limit=0.3)
        require_true(solution, loads)
        even = eplb_opt.solve(loads, replace(deployment, dispatch="even"), method=method, time_limit=0.3)
        assert np.array_equal(solution.plan.physical_to_logical, even.plan.physical_to_logical)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_layers_without_a_token_and_windows_without_one(dispatch, objective):
    deployment = Deployment(4, 8, 2, policy="global", dispatch=dispatch)
    loads = np.zeros((2, 3, 6), dtype=np.int64)
    loads[0, 1] = [5, 1, 0, 0, 2, 9]
    loads[:, 2] = random_loads(np.random.default_rng(0), (2, 6)) + 1
    solution = eplb_opt.solve(loads, deployment, objective=objective, time_limit=0.1)
    require_true(solution, loads)
    assert solution.layers[0].objective == (0 if objective == "total" else 1)


@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_scenarios_steer_and_recorded_windows_count(dispatch):
    deployment = Deployment(4, 16, 4, policy="global", dispatch=dispatch)
    loads = np.random.default_rng(4).lognormal(0, 1, (3, 1, 10))
    solution = eplb_opt.solve(loads, deployment, objective="mean", scenarios=4, time_limit=0.3)
    require_true(solution, loads)


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_plans_made_for_the_dispatch_are_better_than_those_for_the_even_split(dispatch):
    deployment = Deployment(8, 40, 4, policy="global", dispatch=dispatch)
    loads = np.random.default_rng(5).lognormal(0, 1, (1, 6, 32))
    ours = eplb_opt.solve(loads, deployment, deterministic=True, time_limit=0.3)
    even = eplb_opt.solve(loads, replace(deployment, dispatch="even"), deterministic=True, time_limit=0.3)
    # By chance both rules share alike in a plan for the even split, in one of six layers or so: never in all of them.
    instances = [Instance.from_loads(loads[:, layer], deployment) for layer in range(6)]
    above = [
        layer.objective / instance.mean_loads[0] - 1 for layer, instance in zip(ours.layers, instances, strict=True)
    ]
    rows = even.plan.physical_to_logical.tolist()
    above_even = [
        oracle.hottest(row, instance) / instance.mean_loads[0] - 1
        for row, instance in zip(rows, instances, strict=True)
    ]
    assert 4 * sum(above) < sum(above_even)
