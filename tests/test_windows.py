"""solve over several windows: the objective, its bound, and the laws between windows."""

import signal
import threading
from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.instance import Instance
from eplb_opt.verify import objective_value
from tests.clocks import patience
from tests.oracle import enumerate_rows

OBJECTIVES = ["mean", "worst"]


def recorded(windows=3, layers=2, experts=24, seed=0):
    """Windows that agree on which experts are hot, more or less."""
    random = np.random.default_rng(seed)
    common = random.lognormal(0, 1, (1, layers, experts))
    return np.round(1000 * common * random.lognormal(0, 0.5, (windows, layers, experts))).astype(np.int64)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(2, 6),
        Deployment(3, 6),
        Deployment(3, 6, distinct=False),
        Deployment(6, 6),
        Deployment(4, 8, num_nodes=2, num_groups=2),
    ],
)
def test_small_layers_end_at_the_best_placement(objective, deployment):
    loads = recorded(layers=1, experts=4)
    solution = eplb_opt.solve(loads, deployment, objective=objective, time_limit=200)
    assert eplb_opt.verify(solution.plan) == []
    for layer, values, row in zip(
        solution.layers, np.moveaxis(loads, 1, 0), solution.plan.physical_to_logical, strict=True
    ):
        instance = Instance.from_loads(values, deployment)
        optimum = min(objective_value(other, instance, objective) for other in enumerate_rows(instance))
        assert layer.lower_bound <= layer.objective == objective_value(row.tolist(), instance, objective) == optimum
        assert layer.stopped_by in (None, "stalled", "gap")
        assert layer.proof.checked


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_one_window_is_planned_as_its_total(objective):
    loads, deployment = recorded(windows=1), Deployment(8, 32)
    options = {"deterministic": True, "time_limit": 0.3}
    total = eplb_opt.solve(loads, deployment, objective="total", **options)
    other = eplb_opt.solve(loads, deployment, objective=objective, **options)
    assert other.plan == total.plan
    for layer, of_total in zip(other.layers, total.layers, strict=True):
        assert layer.objective == of_total.max_load / of_total.mean_load
        assert (layer.gap, layer.status, layer.stopped_by) == (of_total.gap, of_total.status, of_total.stopped_by)
        assert layer.lower_bound == of_total.lower_bound / of_total.mean_load
        assert [point.source for point in layer.trace] == [point.source for point in of_total.trace]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_windows_without_load_are_left_out(objective):
    deployment, options = Deployment(8, 32), {"deterministic": True, "time_limit": 0.2}
    loads = recorded(windows=2)
    silent = np.concatenate([loads, np.zeros_like(loads[:1])])
    one, two = (eplb_opt.solve(values, deployment, objective=objective, **options) for values in (loads, silent))
    assert one.plan == two.plan
    assert [layer.objective for layer in one.layers] == [layer.objective for layer in two.layers]
    nothing = eplb_opt.solve(np.zeros((2, 1, 24)), deployment, objective=objective, **options)
    assert (nothing.layers[0].objective, nothing.layers[0].lower_bound, nothing.status) == (1, 1, "optimal")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_order_and_repetition_of_windows_change_neither_value_nor_bound(objective):
    deployment = Deployment(3, 6)
    loads = recorded(experts=4)
    solutions = [
        eplb_opt.solve(values, deployment, objective=objective, time_limit=0.3, deterministic=True)
        for values in (loads, loads[::-1], np.concatenate([loads, loads]))
    ]
    for layers in zip(*(solution.layers for solution in solutions), strict=True):
        assert len({layer.objective for layer in layers}) == len({layer.lower_bound for layer in layers}) == 1


def test_weights_are_worth_as_much_as_repetition():
    deployment, loads = Deployment(3, 6), recorded(experts=4)
    options = {"time_limit": 0.3, "deterministic": True}
    weighted = eplb_opt.solve(loads, deployment, window_weights=[2, 1, 1], **options)
    other = eplb_opt.solve(np.concatenate([loads[:1], loads]), deployment, **options)
    for one, two in zip(weighted.layers, other.layers, strict=True):
        assert (one.objective, one.lower_bound) == (two.objective, two.lower_bound)
    assert weighted.window_weights == (2, 1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"window_weights": [1, 1]}, "2 window_weights for 3 windows"),
        ({"window_weights": [1, 0, 1]}, "hold 0, which is not a positive number"),
        ({"window_weights": [1, float("nan"), 1]}, "hold nan"),
        ({"window_weights": [1, "2", 1]}, "hold '2'"),
        ({"window_weights": [1, 10**400, 1]}, r"hold 10+\.\.\.0+, which is not"),
        ({"window_weights": [1, 1, 1], "objective": "worst"}, "the objective is worst"),
        ({"scenarios": 5, "objective": "total"}, "give several"),
    ],
)
def test_weights_and_scenarios_that_mean_nothing_are_refused(options, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        eplb_opt.solve(recorded(), Deployment(8, 32), **options)


def test_scenarios_steer_the_search_and_leave_bound_and_value_alone():
    loads, deployment = recorded(windows=3, experts=64), Deployment(16, 80)
    options = {"deterministic": True, "time_limit": 0.5}
    plain, steered = (eplb_opt.solve(loads, deployment, scenarios=number, **options) for number in (0, 30))
    assert eplb_opt.verify(steered.plan) == []
    assert steered.plan != plain.plan
    for one, two, values, row in zip(
        plain.layers, steered.layers, np.moveaxis(loads, 1, 0), steered.plan.physical_to_logical, strict=True
    ):
        instance = Instance.from_loads(values, deployment)
        assert two.objective == objective_value(row.tolist(), instance, "mean")
        assert one.lower_bound == two.lower_bound
    assert steered.plan == eplb_opt.solve(loads, deployment, scenarios=30, workers=1, **options).plan


def test_auto_is_the_mean_of_several_windows_and_the_total_of_one():
    deployment = Deployment(8, 32)
    assert eplb_opt.solve(recorded(), deployment, time_limit=0.1).objective == "mean"
    assert eplb_opt.solve(recorded(windows=1), deployment, time_limit=0.1).objective == "total"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_search_is_better_than_greedy_and_only_goes_forward(objective):
    loads, deployment = recorded(windows=5, experts=64), Deployment(16, 80)
    greedy = eplb_opt.solve(loads, deployment, objective=objective, method="greedy")
    solution = eplb_opt.solve(loads, deployment, objective=objective, time_limit=0.5, deterministic=True)
    assert {layer.stopped_by for layer in greedy.layers} == {"stalled"}
    for layer, other in zip(solution.layers, greedy.layers, strict=True):
        assert layer.objective < other.objective
        values = [point.objective for point in layer.trace]
        assert values == sorted(values, reverse=True)
        assert values[-1] == layer.objective
        assert layer.trace[-1].lower_bound == layer.lower_bound


def test_deterministic_is_the_same_whatever_the_workers_and_never_worse_with_more():
    loads, deployment = recorded(windows=4, layers=3, experts=64), Deployment(16, 80)
    short, twin, long = (
        eplb_opt.solve(loads, deployment, deterministic=True, time_limit=seconds, workers=workers, seed=5)
        for seconds, workers in ((0.3, 1), (0.3, 2), (0.6, 2))
    )
    assert short.plan == twin.plan
    for layer, longer in zip(short.layers, long.layers, strict=True):
        assert longer.objective <= layer.objective


def test_the_time_limit_and_ctrl_c_end_it_with_a_plan():
    loads, deployment = recorded(windows=6, layers=4, experts=128), Deployment(32, 160)
    solution = eplb_opt.solve(loads, deployment, time_limit=0.5)
    assert solution.runtime < patience(1.6)
    threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,)).start()
    solution = eplb_opt.solve(loads, deployment, time_limit=60)
    assert solution.runtime < patience(3)
    assert {layer.stopped_by for layer in solution.layers} == {"interrupt"}
    assert eplb_opt.verify(solution.plan) == []


def test_several_windows_are_no_task_for_the_whole_model():
    with pytest.raises(InvalidArgumentError, match="plans one window"):
        eplb_opt.solve(recorded(), Deployment(8, 32), method="cpsat")
    assert eplb_opt.solve(recorded(), Deployment(8, 32), method="cpsat", objective="total", time_limit=0.2).gap >= 0


def test_a_warm_start_is_never_lost():
    loads, deployment = recorded(), Deployment(8, 32)
    first = eplb_opt.solve(loads, deployment, time_limit=0.3)
    again = eplb_opt.solve(loads, deployment, method="greedy", warm_start=first.plan)
    assert [layer.objective for layer in again.layers] == [layer.objective for layer in first.layers]


def test_what_is_saved_is_read_again(tmp_path):
    solution = eplb_opt.solve(recorded(), Deployment(8, 32), time_limit=0.2)
    solution.save(tmp_path / "solution.json")
    from eplb_opt.io.native import read_solution

    assert read_solution(tmp_path / "solution.json").layers == solution.layers
    weighted = eplb_opt.solve(recorded(), Deployment(8, 32), time_limit=0.2, window_weights=[1, 0.5, 0.1])
    weighted.save(tmp_path / "weighted.json")
    assert read_solution(tmp_path / "weighted.json").window_weights == (1, Fraction(1, 2), Fraction(0.1))
    assert "(mean over windows), bound" in str(solution)
    assert solution.gap == 1 - sum(layer.lower_bound for layer in solution.layers) / sum(
        (layer.objective for layer in solution.layers), Fraction(0)
    )
