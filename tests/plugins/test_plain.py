"""Plans in NumPy: valid, even, and those of the shipped policy."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.batch import place_layers
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.registry import heuristic_of
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.plugins.plain import even_row, even_rows, published_rows
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.plugins.sizes import loads, numbers
from tests.reference_policy import reference_max_load
from tests.strategies import deployments_and_experts


@given(deployments_and_experts(max_experts=8, max_gpus=6, max_slots=24, max_nodes=3))
def test_an_even_plan_is_valid_and_even(pair):
    deployment, num_experts = pair
    plan = Plan(even_row(num_experts, deployment)[np.newaxis], deployment, num_experts)
    assert eplb_opt.verify(plan) == []
    assert plan.replica_counts.max() - plan.replica_counts.min() <= 1


def test_replicas_of_an_even_plan_part():
    # 4 experts in 2 x 3 slots: 0 0 1 1 2 3, dealt in turn.
    assert even_row(4, Deployment(2, 6)).tolist() == [0, 1, 2, 0, 1, 3]


def test_even_rows_are_one_row_for_each_layer():
    deployment = Deployment(2, 6)
    rows = even_rows(np.zeros((3, 4)), deployment)
    assert rows.tolist() == [even_row(4, deployment).tolist()] * 3


@given(st.data())
def test_published_rows_are_as_hot_as_the_published_policy(data):
    sizes = data.draw(numbers())
    deployment, values = replace(sizes.deployment, distinct=False), data.draw(loads(sizes))
    rows = published_rows(values, deployment)
    assert eplb_opt.verify(Plan(rows, deployment, sizes.experts)) == []
    for layer, row in zip(values, rows, strict=True):
        instance = Instance.from_loads(layer, deployment)
        assert max_loads(row.tolist(), instance)[0] == reference_max_load(instance)


@examples(150)
@given(st.data())
def test_every_statement_of_the_published_policy_gives_slots_the_same_loads(data):
    """In NumPy, in compiled code, and made to obey rules of which there are none; ties included."""
    sizes = data.draw(numbers())
    deployment, values = replace(sizes.deployment, distinct=False), data.draw(loads(sizes))
    rows = published_rows(values, deployment)
    compiled = place_layers(heuristic_of("lpt"), values.astype(float), deployment).slots
    assert slot_loads(compiled, values).tolist() == slot_loads(rows, values).tolist()
    # Groups as packed decide which of two experts on a node is the lower one, and so do ids where groups are bound.
    single = replace(deployment, policy="global")
    instances = [Instance.from_loads(layer, single) for layer in values]
    # In one unit: in another, sums are rounded elsewhere, and equal ones need not stay equal.
    rows = published_rows(np.stack([instance.kernel_loads for instance in instances]), single)
    obeying = np.stack([greedy(instance) for instance in instances])
    assert slot_loads(obeying, values).tolist() == slot_loads(rows, values).tolist()


def slot_loads(rows, values):
    counts = np.stack([np.bincount(row, minlength=values.shape[1]) for row in rows])
    return np.take_along_axis(values / counts, rows, axis=1)


def test_equal_sums_are_told_apart_by_rounding_in_some_units():
    """Whole loads, which `greedy` divides by what they have in common, and the same loads as they are."""
    values = np.array([[0, 0, 2520, 645120, 670320, 783720, 1569960, 1942920, 2096640, 2257920]])
    deployment = Deployment(3, 18, distinct=False)
    instance = Instance.from_loads(values[0], deployment)
    reduced = published_rows(instance.kernel_loads[np.newaxis], deployment)
    assert slot_loads(greedy(instance)[np.newaxis], values).tolist() == slot_loads(reduced, values).tolist()
    recorded = published_rows(values, deployment)
    assert sorted(slot_loads(recorded, values)[0]) == sorted(slot_loads(reduced, values)[0])


@given(st.data())
def test_layers_do_not_know_of_each_other(data):
    sizes = data.draw(numbers())
    values = data.draw(loads(sizes))
    together = published_rows(values, sizes.deployment)
    alone = [published_rows(layer[np.newaxis], sizes.deployment)[0].tolist() for layer in values]
    assert together.tolist() == alone
