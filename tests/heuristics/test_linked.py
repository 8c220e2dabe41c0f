"""Linked plans: valid, linked as far as spare slots go, and brought to the mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.linked import linked, settled
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.examples import examples
from tests.formulations.test_split import under_optimal
from tests.strategies import instances, rows_of_slots

REAL_SIZE = Deployment(16, 80, dispatch="optimal")


def layer_of(seed, deployment=REAL_SIZE, experts=70):
    loads = np.random.default_rng(seed).lognormal(8.0, 0.7, experts).round()
    return Instance.from_loads(loads, deployment)


def num_sets(row, deployment):
    """Sets of GPUs that share experts, one with the next."""
    sets = [{gpu} for gpu in range(deployment.num_gpus)]
    for expert in set(row):
        gpus = {slot // deployment.slots_per_gpu for slot, held in enumerate(row) if held == expert}
        sets = [s for s in sets if not s & gpus] + [set().union(*(s for s in sets if s & gpus))]
    return len(sets)


@examples(50)
@given(st.data())
def test_linked_and_settled_plans_are_valid(data):
    instance = under_optimal(data.draw(instances()))
    row = data.draw(rows_of_slots(instance))
    for seed in (0, 1):
        start = linked(instance, np.array(row), seed)
        for found in (start, settled(instance, start, seed, 0.0, 10_000)):
            assert verify(Plan(found[np.newaxis], instance.deployment, instance.num_experts)) == []


@pytest.mark.parametrize("seed", range(5))
def test_every_spare_slot_links_one_more_gpu(seed):
    instance = layer_of(seed)
    row = linked(instance, greedy(instance)).tolist()
    spare = REAL_SIZE.num_slots - instance.num_experts
    assert num_sets(row, REAL_SIZE) == REAL_SIZE.num_gpus - spare


@pytest.mark.parametrize("seed", range(5))
def test_settling_is_never_worse_keeps_its_argument_and_is_the_same_again(seed):
    instance = layer_of(seed)
    row = greedy(instance)
    kept = row.copy()
    found = settled(instance, row, seed, 0.0, 300_000)
    assert np.array_equal(row, kept)
    assert np.array_equal(found, settled(instance, row, seed, 0.0, 300_000))
    assert max_loads(found.tolist(), instance) <= max_loads(row.tolist(), instance)


@pytest.mark.parametrize("nodes", [1, 2])
def test_solve_closes_layers_of_a_usual_shape(nodes):
    """One window, 70 experts on 16 GPUs, 10 spare slots."""
    policy = {"num_nodes": nodes, "num_groups": nodes, "policy": "hierarchical"} if nodes > 1 else {}
    deployment = Deployment(16, 80, dispatch="optimal", **policy)
    loads = [np.random.default_rng(seed).lognormal(15.0, 0.7, 70).round() for seed in range(3)]
    solution = eplb_opt.solve(np.array(loads), deployment, time_limit=30, target_gap=1e-5)
    assert max(layer.gap for layer in solution.layers) <= 1e-5


def test_limited_work_gives_the_same_plan_again():
    loads = np.random.default_rng(0).lognormal(15.0, 0.7, 70).round()
    plans = [
        eplb_opt.solve(loads, REAL_SIZE, time_limit=1, target_gap=0, deterministic=True, workers=workers).plan
        for workers in (1, 2)
    ]
    assert np.array_equal(plans[0].physical_to_logical, plans[1].physical_to_logical)
