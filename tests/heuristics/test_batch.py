"""Heuristics of the registry on whole models: valid for every deployment, never below the optimum."""

from dataclasses import replace
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics import names
from eplb_opt.heuristics.batch import best_placement, place_layers
from eplb_opt.heuristics.registry import JOINT, heuristic_of
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force
from tests.reference_policy import reference_max_load
from tests.strategies import SMALL, TOKENS, deployments_and_experts, instances

ROWS = [name for name in names() if name != JOINT]


def placed(name, values, deployment):
    return place_layers(heuristic_of(name), np.atleast_2d(np.asarray(values, dtype=float)), deployment)


@pytest.mark.parametrize("name", ROWS)
@examples(20)
@given(instances(kinds=(SMALL, TOKENS), max_experts=8, max_slots=12))
def test_plans_obey_the_rules_of_the_deployment(name, instance):
    slots = placed(name, instance.weights, instance.deployment).slots
    assert eplb_opt.verify(Plan(slots, instance.deployment, instance.num_experts)) == []


@examples(30)
@given(instances(kinds=(SMALL, TOKENS)))
def test_no_heuristic_beats_the_optimum(instance):
    optimum = brute_force(instance)
    for name in ROWS:
        slots = placed(name, instance.weights, instance.deployment).slots[0]
        assert max_loads(slots.tolist(), instance)[0] >= optimum


@examples(25)
@given(instances(kinds=(SMALL,), max_experts=8, max_slots=12, distinct=False))
@example(Instance.from_loads([1, 1, 1, 2], Deployment(4, 8, 2, 4, distinct=False)))  # groups as packed decide a tie
def test_the_shipped_policy_is_as_published(instance):
    # Divided by any count these loads are whole, so that floats tie where exact numbers do.
    divisible = lcm(*range(1, 13))
    whole = replace(instance, weights=tuple(tuple(divisible * w for w in row) for row in instance.weights))
    slots = placed("lpt", whole.weights, whole.deployment).slots[0]
    assert max_loads(slots.tolist(), whole)[0] == reference_max_load(whole)


@examples(30)
@given(st.data())
def test_layers_are_independent_and_plans_do_not_change(data):
    deployment, num_experts = data.draw(deployments_and_experts(max_experts=8, max_slots=12))
    loads = np.array(
        data.draw(
            st.lists(st.lists(st.integers(0, 9), min_size=num_experts, max_size=num_experts), min_size=2, max_size=4)
        )
    )
    name = data.draw(st.sampled_from(ROWS))
    together = placed(name, loads, deployment)
    assert placed(name, loads, deployment).slots.tolist() == together.slots.tolist()
    for layer, row in enumerate(loads):
        alone = placed(name, row, deployment)
        assert alone.slots[0].tolist() == together.slots[layer].tolist()
        assert alone.doubled[0] == together.doubled[layer]


@pytest.mark.parametrize("name", ROWS)
def test_a_layer_without_load_has_a_plan(name):
    deployment = Deployment(4, 12, 2, 4)
    plan = Plan(placed(name, np.zeros(8), deployment).slots, deployment, 8)
    assert eplb_opt.verify(plan) == []


def test_replicas_that_the_shipped_policy_doubles_up_are_counted_and_parted():
    # The 9 goes to one GPU, and both replicas of the 8, 4 each, to the other.
    loads, published = [9, 8, 1, 1, 1], Deployment(2, 6, distinct=False)
    doubling = placed("lpt", loads, published)
    apart = placed("lpt", loads, replace(published, distinct=True))
    assert held_twice(doubling) == doubling.doubled[0] == 1
    assert held_twice(apart) == 0
    assert apart.doubled[0] == 1


def held_twice(placement):
    return sum(len(gpu) - len(set(gpu)) for gpu in placement.slots.reshape(2, 3).tolist())


def test_the_hottest_experts_are_on_every_gpu():
    slots = placed("biased", np.arange(20), Deployment(4, 24, distinct=False)).slots[0].reshape(4, 6)
    assert all(19 in gpu for gpu in slots.tolist())


def test_the_trivial_plan_is_in_order():
    slots = placed("trivial", np.arange(6), Deployment(4, 8, distinct=False)).slots[0]
    assert slots.tolist() == [0, 1, 2, 3, 4, 5, 0, 1]


def test_groups_stay_together():
    deployment = Deployment(4, 16, 2, 4)
    for name in ROWS:
        nodes = placed(name, [8, 7, 1, 1, 2, 2, 9, 9], deployment).slots[0].reshape(2, 8) // 2
        assert not set(nodes[0].tolist()) & set(nodes[1].tolist())


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("windows", [1, 3])
def test_solve_takes_every_name(name, windows):
    loads = np.random.default_rng(0).lognormal(5, 1, (windows, 2, 16)).astype(int)
    solution = eplb_opt.solve(loads, Deployment(4, 20), method=name, time_limit=5)
    assert {layer.stopped_by for layer in solution.layers} <= {"stalled", "gap"}
    assert solution.gap >= 0
    if name != JOINT:
        expected = placed(name, loads.sum(axis=0), Deployment(4, 20)).slots
        assert solution.plan.physical_to_logical.tolist() == expected.tolist()


@examples(30)
@given(instances(kinds=(SMALL, TOKENS), max_experts=8, max_slots=12))
def test_descent_is_never_hotter_than_exchanges(instance):
    exchanged = placed("lpt-swap", instance.weights, instance.deployment).slots[0]
    descended = placed("descent", instance.weights, instance.deployment).slots[0]
    before, after = (max_loads(slots.tolist(), instance)[0] for slots in (exchanged, descended))
    assert after <= before * (1 + Fraction(1, 10**9))


@examples(30)
@given(instances(max_experts=8, max_slots=12))
def test_the_best_placement_is_no_hotter_than_any(instance):
    name, best = best_placement(instance)
    values = {
        other: max_loads(
            place_layers(heuristic_of(other), instance.kernel_loads[None], instance.deployment).slots[0].tolist(),
            instance,
        )
        for other in ROWS
    }
    assert max_loads(best.tolist(), instance) == values[name] == min(values.values())


@examples(8)
@given(instances(kinds=(SMALL, TOKENS), max_experts=12, max_gpus=6, max_slots=24))
def test_solve_is_never_worse_than_any_heuristic(instance):
    values = np.array(instance.weights)[:, np.newaxis]
    plans = {name: eplb_opt.solve(values, instance.deployment, method=name).layers[0].objective for name in names()}
    for method in ("search", "auto"):
        found = eplb_opt.solve(values, instance.deployment, method=method, time_limit=0.05).layers[0].objective
        assert found <= min(plans.values())
