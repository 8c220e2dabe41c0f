"""What GPUs carry under each rule is what asking source by source gives, to the last digit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.dispatch.rules import rule_of
from eplb_opt.verify import gpu_loads, max_loads
from tests.dispatch import oracle
from tests.dispatch.strategies import layers_under
from tests.oracle import row_gpu_loads

FIXED = ("even", "nearest", "by-rank")


def close(found, expected):
    """Whether floats are what fractions say, but for rounding."""
    assert np.asarray(found).shape == np.asarray(expected).shape
    assert np.allclose(found, np.array(expected, dtype=float), rtol=1e-12, atol=0)


@pytest.mark.parametrize("dispatch", FIXED)
@given(data=st.data())
def test_loads_are_those_of_asking_source_by_source(dispatch, data):
    instance, row = data.draw(layers_under(dispatch))
    deployment, windows = instance.deployment, range(instance.num_windows)
    table = oracle.asked_of_each(row, instance.num_experts, deployment)
    shares = oracle.shares(table, deployment)
    for expert in range(instance.num_experts):
        assert sum(shares[slot] for slot in oracle.slots_of(row, expert)) == 1
    expected = [oracle.gpu_loads(row, shares, instance, window) for window in windows]
    assert gpu_loads(row, instance) == expected
    assert max_loads(row, instance) == tuple(map(max, expected))
    rule = rule_of(deployment)
    slots = [
        [share * window[expert] * instance.unit for expert, share in zip(row, shares, strict=True)]
        for window in instance.weights
    ]
    close(rule.slot_loads(row, instance.tokens, instance), slots)
    close(rule.rough_gpu_loads(row, instance.tokens, instance), expected)
    away = [oracle.cross_node_share(table, instance, window) for window in windows]
    assert rule.cross_node_shares(row, instance) == away


@pytest.mark.parametrize("dispatch", (*FIXED, "sglang-static", "optimal"))
@given(data=st.data())
def test_loads_of_gpus_sum_to_all_load(dispatch, data):
    instance, row = data.draw(layers_under(dispatch))
    streams = (0,) * instance.deployment.num_gpus if dispatch == "sglang-static" else ()
    instance = type(instance)(instance.weights, instance.unit, instance.deployment, streams)
    for loads, window, top in zip(gpu_loads(row, instance), instance.weights, max_loads(row, instance), strict=True):
        assert sum(loads) == sum(window) * instance.unit
        assert max(loads) == top


@given(layers_under("even"))
def test_even_is_an_equal_share_for_every_replica(layer):
    instance, row = layer
    assert gpu_loads(row, instance) == [row_gpu_loads(row, instance, window) for window in range(instance.num_windows)]


@given(layers_under("optimal", max_gpus=6, max_slots=18))
def test_the_optimal_split_is_as_cool_as_sets_of_gpus_allow(layer):
    instance, row = layer
    tops, loads = max_loads(row, instance), gpu_loads(row, instance)
    rough = rule_of(instance.deployment).rough_gpu_loads(row, instance.tokens, instance)
    for window, (top, some) in enumerate(zip(tops, loads, strict=True)):
        assert top == max(some) == oracle.best_split(row, instance, window)
        assert oracle.some_split_has(some, row, instance, window)
        assert rough[window].max() == pytest.approx(float(top), rel=1e-12)
        assert rough[window].sum() == pytest.approx(float(sum(some)), rel=1e-12)


@given(layers_under("optimal"))
def test_sources_that_split_alike_ask_other_nodes_for_their_part(layer):
    instance, row = layer
    nodes = instance.deployment.num_nodes
    expected = [Fraction(nodes - 1, nodes) if any(window) else 0 for window in instance.weights]
    assert rule_of(instance.deployment).cross_node_shares(row, instance) == expected
