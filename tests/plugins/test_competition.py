"""The competition's interface: what is answered, what is remembered, and moves that pay."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError
from eplb_opt.plan import Plan
from eplb_opt.plugins import competition
from eplb_opt.plugins.competition import Rebalancer, initial_row, rebalance, reset
from eplb_opt.plugins.plain import published_rows
from tests.examples import examples

RANDOM = np.random.default_rng(0)
SKEW = RANDOM.lognormal(4, 1, (3, 16))


def trace(iterations=50, skew=SKEW, seed=0):
    """Hotness of 3 layers and 16 experts, which varies around `skew`."""
    return np.random.default_rng(seed).poisson(skew, (iterations, *skew.shape))


def mean_imbalance(hotness, layer, table):
    """Mean over the iterations of max / mean, as the competition counts it."""
    counts = np.bincount(table.ravel(), minlength=hotness.shape[2])
    ratios = []
    for loads in hotness[:, layer]:
        of_device = (loads / counts)[table].sum(axis=1)
        ratios.append(of_device.max() / of_device.mean() if of_device.any() else 1.0)
    return np.mean(ratios)


def seconds(hotness, layer, table, old):
    """Score of a layer over the part of a run that a plan serves: compute, and moves."""
    of_compute = 60 / 16 * mean_imbalance(hotness, layer, table) / hotness.shape[1]
    return of_compute + np.count_nonzero(table != old) * 88_080_384 / 900e9


def test_the_signature_is_the_competitions():
    assert list(inspect.signature(rebalance).parameters) == ["hotness", "n_device", "n_red_expert"]


def test_the_simulator_begins_with_experts_in_order_and_the_last_of_each_device_doubled():
    assert initial_row(4, Deployment(2, 6)).tolist() == [0, 1, 1, 2, 3, 3]
    assert sorted(set(initial_row(4, Deployment(2, 8)).tolist())) == [0, 1, 2, 3]


@examples(20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([2, 4, 8]))
def test_every_layer_that_changes_saves_time_and_the_others_stay(seed, layers, devices):
    random = np.random.default_rng(seed)
    simulated = Rebalancer()
    table = np.tile(initial_row(16, Deployment(devices, 16 + devices)), (layers, 1)).reshape(layers, devices, -1)
    for _ in range(3):
        hotness = random.poisson(random.lognormal(2, 1, (layers, 16)), (20, layers, 16))
        change, priority, deployment, nothing = simulated.rebalance(hotness, devices, devices)
        assert nothing is None and isinstance(change, bool) and change == bool(len(priority))
        assert deployment.shape == table.shape
        assert priority.dtype == deployment.dtype == np.int64
        saved = []
        for layer in range(layers):
            if layer in priority:
                plan = Plan(deployment[layer].reshape(1, -1), Deployment(devices, 16 + devices), 16)
                assert eplb_opt.verify(plan) == []
            else:
                assert np.array_equal(deployment[layer], table[layer])
            before = seconds(hotness, layer, table[layer], table[layer])
            saved.append(before - seconds(hotness, layer, deployment[layer], table[layer]))
        assert all(saved[layer] > 0 for layer in priority)
        ordered = [saved[layer] for layer in priority]
        assert ordered == sorted(ordered, reverse=True)
        table = deployment


def test_skewed_hotness_is_balanced():
    hotness = trace()
    begin = initial_row(16, Deployment(4, 20)).reshape(4, 5)
    change, priority, deployment, _ = Rebalancer().rebalance(hotness, 4, 4)
    assert change and sorted(priority) == [0, 1, 2]
    for layer in range(3):
        assert mean_imbalance(hotness, layer, deployment[layer]) < mean_imbalance(hotness, layer, begin)


def test_the_same_hotness_again_moves_nothing():
    simulated = Rebalancer()
    _, _, first, _ = simulated.rebalance(trace(), 4, 4)
    change, priority, second, _ = simulated.rebalance(trace(), 4, 4)
    assert not change and priority.tolist() == [] and np.array_equal(first, second)


def test_moves_that_do_not_pay_are_not_made(monkeypatch):
    monkeypatch.setattr(competition, "SECONDS_PER_MOVE", 1e6)
    change, _, deployment, _ = Rebalancer().rebalance(trace(), 4, 4)
    assert not change
    assert deployment[0].ravel().tolist() == initial_row(16, Deployment(4, 20)).tolist()


def simulated_seconds(hotness, devices, answer, interval=40):
    """The score of a run: one layer is deployed in an iteration, and a new window begins when all are."""
    _, layers, experts = hotness.shape
    table = np.tile(initial_row(experts, Deployment(devices, experts + devices)), (layers, 1))
    table = planned = table.reshape(layers, devices, -1)
    imbalances, moves, queue, collected = [], 0, [], 0
    for now, iteration in enumerate(hotness):
        imbalances += [mean_imbalance(iteration[np.newaxis], layer, table[layer]) for layer in range(layers)]
        collected += not queue
        if queue:
            layer = queue.pop(0)
            moves += np.count_nonzero(table[layer] != planned[layer])
            table[layer] = planned[layer]
        elif collected > interval:
            change, priority, planned, _ = answer(hotness[now - interval : now])
            queue, collected = list(priority) if change else [], 0
    return 60 * np.mean(imbalances) + moves * 88_080_384 / 900e9


def test_a_run_takes_less_time_than_without_moves_and_than_with_the_shipped_plan_each_time():
    random = np.random.default_rng(3)
    layers, experts, devices = 12, 32, 8
    # Loads that drift from one lasting skew to another.
    ends = random.lognormal(3, 0.8, (2, layers, experts))
    hotness = random.poisson(np.linspace(ends[0], ends[1], 400)) + 1
    published = Deployment(devices, experts + devices, distinct=False)

    def shipped(window):
        rows = published_rows(window.sum(axis=0), published)
        return True, np.arange(layers), rows.reshape(layers, devices, -1), None

    def never(window):
        return False, [], None, None

    ours = Rebalancer()
    times = [simulated_seconds(hotness, devices, one) for one in (never, shipped)]
    assert simulated_seconds(hotness, devices, lambda window: ours.rebalance(window, devices, devices)) < min(times)


def test_no_hotness_moves_nothing():
    assert not Rebalancer().rebalance(np.zeros((5, 3, 16), dtype=int), 4, 4)[0]


def test_other_sizes_and_a_reset_begin_a_new_run():
    reset()
    first = rebalance(trace(), 4, 4)
    assert not rebalance(trace(), 4, 4)[0]
    assert rebalance(trace(), 8, 8)[0]
    reset()
    again = rebalance(trace(), 4, 4)
    assert again[0] and np.array_equal(again[2], first[2])
    reset()


def test_answers_are_the_callers_to_change():
    simulated = Rebalancer()
    _, _, table, _ = simulated.rebalance(trace(), 4, 4)
    expected = table.copy()
    table[:] = 0
    assert np.array_equal(simulated.rebalance(trace(), 4, 4)[2], expected)


@pytest.mark.parametrize(
    ("hotness", "devices", "redundant"),
    [
        (np.ones((3, 16)), 4, 4),
        (np.ones((2, 3, 16)), 4, 3),
        (np.ones((2, 3, 16)), 4, -4),
        (np.ones((2, 3, 16)), 0, 0),
        (-np.ones((2, 3, 16)), 4, 4),
    ],
)
def test_mistakes_of_the_caller_are_told(hotness, devices, redundant):
    with pytest.raises(EplbOptError) as caught:
        Rebalancer().rebalance(hotness, devices, redundant)
    assert "\n" not in str(caught.value)
