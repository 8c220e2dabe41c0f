"""`solve` where ranks draw: what a plan is worth is what they draw for all of it, in the order of the layers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment, Loads
from eplb_opt.dispatch.of_plan import layers_of, streams_before
from eplb_opt.dispatch.sglang_static import draw
from eplb_opt.errors import InvalidPlanError
from eplb_opt.heuristics.drawn import asked, attempt, shuffled
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.verify import max_loads, verify
from tests.dispatch import oracle
from tests.dispatch.strategies import deployments_under, rows_of
from tests.examples import examples
from tests.oracle import row_is_valid

DEPLOYMENT = Deployment(8, 40, 4, policy="global", dispatch="sglang-static")
# The dense layers of a model draw too; layer 4 has no load.
LAYER_IDS = (2, 3, 4, 6)


def recorded(windows=1):
    values = np.random.default_rng(windows).lognormal(5, 1, (windows, len(LAYER_IDS), 32)).round()
    values[:, 2] = 0
    return Loads(values, LAYER_IDS, num_model_layers=7)


def drawn_max_loads(plan, loads):
    """Max load of each layer of one window, by ranks with generators of their own."""
    dense = [[slot % plan.num_experts for slot in range(plan.deployment.num_slots)]] * 7
    rows = dict(zip(plan.layer_ids, plan.physical_to_logical.tolist(), strict=True))
    tables = oracle.drawn([rows.get(layer, dense[layer]) for layer in range(7)], plan.num_experts, plan.deployment)
    for place, layer in enumerate(plan.layer_ids):
        shares = oracle.shares(oracle.as_asked(tables[layer]), plan.deployment)
        instance = Instance.from_loads(loads.values[:, place], plan.deployment)
        yield max(oracle.gpu_loads(rows[layer], shares, instance))


@pytest.mark.parametrize("method", ["auto", "greedy", "lpt"])
def test_values_are_those_of_the_tables(method):
    loads = recorded()
    solution = eplb_opt.solve(loads, DEPLOYMENT, method=method, time_limit=0.3)
    assert solution.plan.deployment == DEPLOYMENT and verify(solution.plan) == []
    tops = list(drawn_max_loads(solution.plan, loads))
    assert [layer.objective for layer in solution.layers] == [layer.max_load for layer in solution.layers] == tops
    assert all(layer.lower_bound <= layer.objective and layer.proof.checked for layer in solution.layers)
    assert all(found.error is None and found.checked for found in eplb_opt.certify(solution, loads))
    assert eplb_opt.evaluate(solution.plan, loads)["max_load"].tolist() == [float(top) for top in tops]


def test_heuristics_are_valued_and_left_as_they_are():
    loads = recorded()
    even = eplb_opt.solve(loads, replace(DEPLOYMENT, dispatch="even"), method="lpt").plan
    drawn = eplb_opt.solve(loads, DEPLOYMENT, method="lpt").plan
    assert drawn.physical_to_logical.tolist() == even.physical_to_logical.tolist()


def test_a_plan_for_the_draws_beats_those_that_ignore_them():
    loads = recorded()
    deterministic = {"time_limit": 0.5, "deterministic": True}
    value = sum(layer.objective for layer in eplb_opt.solve(loads, DEPLOYMENT, **deterministic).layers)
    for other in ("even", "nearest"):
        plan = eplb_opt.solve(loads, replace(DEPLOYMENT, dispatch=other), **deterministic).plan
        assert value < sum(drawn_max_loads(plan.dispatched("sglang-static"), loads))


@pytest.mark.parametrize(("windows", "objective"), [(1, "total"), (3, "mean"), (3, "worst")])
def test_deterministic_whatever_the_workers(windows, objective):
    solutions = [
        eplb_opt.solve(
            recorded(windows), DEPLOYMENT, objective=objective, time_limit=0.4, deterministic=True, workers=workers
        )
        for workers in (1, 3)
    ]
    assert solutions[0].plan == solutions[1].plan
    assert all(found.error is None for found in eplb_opt.certify(solutions[0], recorded(windows)))


def test_never_worse_than_the_whole_of_a_warm_start():
    loads = recorded()
    known = eplb_opt.solve(loads, DEPLOYMENT, time_limit=0.5)
    again = eplb_opt.solve(loads, DEPLOYMENT, warm_start=known.plan, method="greedy", seed=5)
    assert sum(layer.objective for layer in again.layers) <= sum(layer.objective for layer in known.layers)


def test_layers_that_are_counted_without_the_dense_ones_are_refused():
    loads = Loads(np.ones((1, 2, 32)), numbering="moe")
    with pytest.raises(InvalidPlanError, match="decoder layers are wanted"):
        eplb_opt.solve(loads, DEPLOYMENT, time_limit=0.1)


@examples(20)
@given(st.data())
def test_compiled_draws_are_those_of_the_law(data):
    """From where other layers left the streams; and a shuffled row is valid, and expected to be as hot."""
    deployment, experts = data.draw(deployments_under("sglang-static", max_gpus=12, max_slots=36))
    instance = Instance.from_loads([1] * experts, deployment)
    row = np.array(data.draw(rows_of(instance)))
    streams = tuple(data.draw(st.integers(0, 70_000)) for _ in range(deployment.num_gpus))
    instance = replace(instance, streams=streams)
    expected = np.full(len(row), deployment.num_gpus)
    for places, choices in draw(row, deployment, streams).choices:
        expected[places] = np.bincount(choices, minlength=len(places))
    assert asked(row, instance).tolist() == expected.tolist()
    other = shuffled(row, deployment, np.random.default_rng(0))
    assert row_is_valid(tuple(other.tolist()), instance)
    nearest = replace(instance, deployment=replace(deployment, dispatch="nearest"), streams=())
    assert max_loads(other, nearest) == max_loads(row, nearest)


@examples(15)
@given(st.integers(0, 99), st.integers(0, 3), st.sampled_from([1, 3]))
def test_an_attempt_is_worth_what_it_says(seed, number, windows):
    loads = recorded(windows)
    plan = eplb_opt.solve(loads, DEPLOYMENT, method="greedy").plan
    streams = streams_before(plan)[3]
    objective = Objective("mean" if windows > 1 else "hottest")
    instance = Instance.from_loads(loads.values[:, 1], DEPLOYMENT, streams)
    row, value = attempt(instance, objective.windows(instance), plan.physical_to_logical[1], number, seed)
    assert row_is_valid(tuple(row.tolist()), instance)
    exact = objective.value(row.tolist(), instance)
    assert value == pytest.approx(float(exact if windows > 1 else exact / instance.mean_loads[0]), rel=1e-9)
    if number == 0:
        (before, known), *_ = [pair for pair in layers_of(plan, loads) if any(pair[1].loaded_windows)][1:]
        assert exact <= objective.value(before, known)
