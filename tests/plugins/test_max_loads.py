"""Max loads of many layers at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.plugins.max_loads import hottest_loads, strictly_cooler, valid_layers
from eplb_opt.verify import max_loads
from tests.strategies import DYADIC, SMALL, TOKENS, deployments_and_experts, load_rows, rows_of_slots


@st.composite
def layers(draw, kinds):
    """A deployment, loads of some layers, and two plans of them."""
    deployment, num_experts = draw(deployments_and_experts(max_experts=6, max_slots=10))
    number = draw(st.integers(1, 3))
    values = np.array([draw(load_rows(num_experts, kinds)) for _ in range(number)])
    instances = [Instance.from_loads(layer, deployment) for layer in values]
    first, second = (np.array([draw(rows_of_slots(instance)) for instance in instances]) for _ in range(2))
    return deployment, values, instances, first, second


@given(layers((SMALL, TOKENS)))
def test_the_hottest_gpu_is_that_of_exact_arithmetic(drawn):
    deployment, values, instances, rows, _ = drawn
    exact = [float(max_loads(row.tolist(), one)[0]) for row, one in zip(rows, instances, strict=True)]
    assert hottest_loads(values, rows, deployment.num_gpus) == pytest.approx(exact)


def test_empty_slots_carry_nothing_and_do_not_count_as_replicas():
    # GPU 0 holds expert 0 alone, GPU 1 expert 1 and an empty slot.
    assert hottest_loads(np.array([[6, 4]]), np.array([[0, -1, 1, -1]]), 2).tolist() == [6.0]


@given(layers((SMALL, DYADIC)))
def test_cooler_is_decided_exactly(drawn):
    deployment, values, instances, first, second = drawn
    exact = [
        max_loads(here.tolist(), one)[0] < max_loads(there.tolist(), one)[0]
        for here, there, one in zip(first, second, instances, strict=True)
    ]
    assert strictly_cooler(values, first, second, deployment).tolist() == exact


def test_a_difference_that_floats_do_not_show_counts():
    # Both sums are 2**53 as floats: 2**53 + 1 is not one.
    values = np.array([[2**53, 1, 0, 0]])
    together, apart = np.array([[0, 1, 2, 3]]), np.array([[0, 2, 1, 3]])
    assert hottest_loads(values, together, 2) == hottest_loads(values, apart, 2)
    assert strictly_cooler(values, apart, together, Deployment(2, 4)).tolist() == [True]
    assert strictly_cooler(values, together, apart, Deployment(2, 4)).tolist() == [False]


def test_layers_that_break_a_rule_are_told_apart():
    deployment = Deployment(2, 4)
    rows = np.array([[0, 1, 2, 0], [0, 0, 1, 2], [0, 1, 2, 0], [0, 1, 0, 1], [0, 1, 2, -1], [0, 1, 0, 1]])
    assert valid_layers(rows, deployment, 3).tolist() == [True, False, True, False, False, False]
    assert valid_layers(rows[:1], deployment, 3).tolist() == [True]
