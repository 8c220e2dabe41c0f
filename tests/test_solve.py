"""solve: valid, bounded, never worse than greedy, in time, and honest about why it stopped."""

import json
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment, Instance, Loads
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.plan import Plan
from eplb_opt.run.loading import load_kernels
from eplb_opt.run.pool import POOL
from eplb_opt.verify import max_loads
from tests.clocks import LONG, patience
from tests.examples import examples
from tests.formulations.test_assignment import KNOWN
from tests.oracle import brute_force
from tests.random_instances import random_instance
from tests.strategies import SMALL, TOKENS, instances

METHODS = ["auto", "greedy", "search", "cpsat", "pulp:HiGHS", "pulp:COIN_CMD"]


def loads_of(instance):
    """The instance's loads in whole tokens, which is all that the strategies used here make."""
    return [[int(weight * instance.unit) for weight in instance.weights[0]]]


def check(solution, instance):
    """What holds for every solution of one layer: valid, exact, between the bound and greedy."""
    (layer,) = solution.layers
    assert eplb_opt.verify(solution.plan) == []
    slots = solution.plan.physical_to_logical[0].tolist()
    assert layer.objective == layer.max_load == max_loads(slots, instance)[0]
    assert layer.lower_bound <= layer.objective <= max_loads(greedy(instance).tolist(), instance)[0]
    assert layer.lower_bound >= max(proof.bound for proof in quick_bounds(instance))
    assert (layer.status == "optimal") == (layer.lower_bound == layer.objective) == (layer.stopped_by is None)


@examples(20)
@given(instances(kinds=(SMALL, TOKENS)))
def test_bound_optimum_solution_and_greedy_are_in_order(instance):
    optimum = brute_force(instance)
    solution = eplb_opt.solve(loads_of(instance), instance.deployment, time_limit=20, target_gap=0)
    check(solution, instance)
    (layer,) = solution.layers
    assert layer.lower_bound <= optimum <= layer.objective
    assert layer.objective - layer.lower_bound <= optimum / 10**5


@examples(20)
@given(instances(kinds=(SMALL, TOKENS)), st.sampled_from(METHODS))
def test_every_method_keeps_the_order(instance, method):
    optimum = brute_force(instance)
    solution = eplb_opt.solve(loads_of(instance), instance.deployment, method=method, time_limit=5, target_gap=0)
    check(solution, instance)
    assert solution.layers[0].lower_bound <= optimum <= solution.layers[0].objective


@pytest.mark.slow
def test_bound_optimum_and_solution_are_in_order_on_thousands_of_random_instances():
    random = np.random.default_rng(7)
    for _ in range(3000):
        # Huge and fractional loads leave a gap of rounding, which is no reason to use up the time limit.
        instance = random_instance(random)
        values = [[float(weight * instance.unit) for weight in instance.weights[0]]]
        instance = Instance.from_loads(values[0], instance.deployment)
        optimum = brute_force(instance)
        solution = eplb_opt.solve(values, instance.deployment, time_limit=20, target_gap=1e-5)
        check(solution, instance)
        assert solution.layers[0].lower_bound <= optimum <= solution.layers[0].objective
        assert solution.worst_gap <= Fraction(1, 10**5)


@pytest.mark.parametrize("name", KNOWN)
def test_known_optima_are_proven(name):
    loads, deployment, optimum = KNOWN[name]
    solution = eplb_opt.solve([loads], deployment, target_gap=0, time_limit=60)
    assert (solution.layers[0].objective, solution.status, solution.gap) == (optimum, "optimal", 0)


def test_one_slot_per_gpu_is_optimal_at_once():
    random = np.random.default_rng(3)
    solution = eplb_opt.solve(random.integers(1, 1000, (4, 20)), Deployment(32, 32), target_gap=0, method="greedy")
    assert solution.status == "optimal"
    assert {layer.proof.checked for layer in solution.layers} == {True}


@examples(20)
@given(st.data())
def test_names_of_experts_and_the_unit_of_loads_change_nothing_else(data):
    instance = data.draw(instances(kinds=(SMALL,), hierarchical=False))
    (loads,) = loads_of(instance)
    order = data.draw(st.permutations(range(len(loads))))
    solve = [
        eplb_opt.solve([values], instance.deployment, target_gap=0, time_limit=20).layers[0]
        for values in (loads, [loads[e] for e in order], [3 * load for load in loads])
    ]
    assert {layer.status for layer in solve} == {"optimal"}
    assert solve[0].objective == solve[1].objective == solve[2].objective / 3


def test_layers_without_load_are_balanced_and_optimal():
    solution = eplb_opt.solve(np.zeros((2, 8)), Deployment(4, 12, 2, 4))
    assert solution.status == "optimal" and solution.gap == 0 and solution.worst_gap == 0
    assert [layer.imbalance for layer in solution.layers] == [1, 1]
    assert "imbalance 1.000000" in str(solution)


def test_layer_ids_and_model_layers_come_through():
    loads = Loads(np.arange(24).reshape(2, 12), layer_ids=(3, 5), num_model_layers=9)
    plan = eplb_opt.solve(loads, Deployment(4, 16)).plan
    assert (plan.layer_ids, plan.num_model_layers) == ((3, 5), 9)


def test_windows_are_summed_when_total_is_asked_for():
    windows = np.random.default_rng(1).integers(0, 100, (3, 2, 12))
    options = {"deterministic": True, "time_limit": 0.3, "target_gap": 0}
    summed = eplb_opt.solve(windows.sum(axis=0), Deployment(4, 16), **options)
    total = eplb_opt.solve(windows, Deployment(4, 16), objective="total", **options)
    assert total.plan == summed.plan
    assert [layer.objective for layer in total.layers] == [layer.objective for layer in summed.layers]


@pytest.fixture(scope="module")
def hard():
    """Layers that neither search nor program close within a test's time."""
    return generate_loads(num_experts=64, num_layers=4, skew=1.5, seed=5), Deployment(32, 96)


@pytest.mark.parametrize("method", ["auto", "search", "cpsat", "pulp:HiGHS", "pulp:COIN_CMD"])
def test_the_time_limit_holds_and_keeps_plan_and_bound(hard, method):
    loads, deployment = hard
    begin = time.monotonic()
    solution = eplb_opt.solve(loads, deployment, method=method, time_limit=0.5, target_gap=0)
    assert time.monotonic() - begin <= patience(0.5 * 1.05 + 1.0)
    assert {layer.stopped_by for layer in solution.layers} <= {None, "time"}
    assert all(0 < layer.lower_bound <= layer.objective for layer in solution.layers)
    assert eplb_opt.verify(solution.plan) == []


def test_ctrl_c_returns_the_best_so_far(hard):
    loads, deployment = hard
    before = signal.getsignal(signal.SIGINT)
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    solution = eplb_opt.solve(loads, deployment, method="cpsat", time_limit=60, target_gap=0)
    assert time.monotonic() - begin < patience(4)
    assert {layer.stopped_by for layer in solution.layers} <= {None, "interrupt"}
    assert eplb_opt.verify(solution.plan) == []
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_when_every_layer_is_done_is_told_to_whoever_calls_in_a_loop():
    def press(now):
        if now.layers_done == now.layers:
            signal.raise_signal(signal.SIGINT)

    solution = eplb_opt.solve([[4, 4, 4, 4]], Deployment(4, 4), progress=press)
    assert (solution.status, solution.layers[0].stopped_by, solution.interrupted) == ("optimal", None, True)
    assert not eplb_opt.solve([[4, 4, 4, 4]], Deployment(4, 4)).interrupted


def test_wrong_input_is_refused_before_anything_is_compiled(monkeypatch):
    monkeypatch.setattr("eplb_opt.run.loading.load_kernels", lambda _parts: pytest.fail("kernels were loaded"))
    with pytest.raises(InvalidDeploymentError):
        eplb_opt.solve([[4, 4, 4, 4, 4]], Deployment(4, 4))
    with pytest.raises(InvalidArgumentError, match="scenarios"):
        eplb_opt.solve([[4, 4, 4, 4]], Deployment(4, 4), scenarios=3)
    with pytest.raises(InvalidArgumentError, match="window_weights"):
        eplb_opt.solve([[4, 4, 4, 4]], Deployment(4, 4), window_weights=[1])
    with pytest.raises(InvalidPlanError, match="warm start"):
        eplb_opt.solve([[4, 4, 4, 4]], Deployment(4, 4), warm_start=Plan([[0, 1, 2, 2]], Deployment(4, 4), 4))


def test_a_second_ctrl_c_gives_up(hard):
    loads, deployment = hard

    def twice(_progress):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        eplb_opt.solve(loads, deployment, time_limit=60, progress=twice)


def test_it_runs_outside_the_main_thread(hard):
    loads, deployment = hard
    with ThreadPoolExecutor(1) as pool:
        solution = pool.submit(eplb_opt.solve, loads, deployment, time_limit=0.2).result()
    assert eplb_opt.verify(solution.plan) == []


def test_the_target_gap_stops_the_search(hard):
    loads, deployment = hard
    solution = eplb_opt.solve(loads, deployment, target_gap=0.2, time_limit=60)
    assert solution.worst_gap <= Fraction(0.2)
    assert {layer.stopped_by for layer in solution.layers} <= {None, "gap"}


def test_greedy_has_nothing_more_to_give(hard):
    loads, deployment = hard
    solution = eplb_opt.solve(loads, deployment, method="greedy")
    assert {layer.stopped_by for layer in solution.layers} == {"stalled"}
    assert [point.source for point in solution.layers[0].trace] == ["greedy"]


def test_search_is_better_than_greedy_and_the_trace_says_when(hard):
    loads, deployment = hard
    by_greedy = eplb_opt.solve(loads, deployment, method="greedy")
    by_search = eplb_opt.solve(loads, deployment, method="search", time_limit=0.5, deterministic=True)
    assert by_search.gap < by_greedy.gap
    for layer in by_search.layers:
        assert layer.trace[0].source == "greedy"
        assert layer.trace[-1].objective == layer.objective
        objectives = [point.objective for point in layer.trace]
        bounds = [point.lower_bound for point in layer.trace]
        seconds = [point.seconds for point in layer.trace]
        assert objectives == sorted(objectives, reverse=True)
        assert bounds == sorted(bounds) and seconds == sorted(seconds)


@pytest.mark.parametrize(
    "deployment",
    [Deployment(16, 48), Deployment(24, 48), Deployment(8, 48, num_nodes=2, num_groups=4)],
    ids=["three slots", "two slots", "hierarchical"],
)
def test_a_longer_deterministic_limit_is_never_worse(deployment):
    loads = np.random.default_rng(8).lognormal(0, 1, 32).round(3)
    options = {"deterministic": True, "target_gap": 0, "workers": 1}
    layers = [eplb_opt.solve(loads, deployment, time_limit=t, **options).layers[0] for t in (0.1, 0.2, 0.5)]
    for shorter, longer in pairwise(layers):
        assert longer.objective <= shorter.objective
        assert longer.lower_bound >= shorter.lower_bound


@pytest.mark.parametrize("method", ["auto", "search", "cpsat"])
def test_deterministic_gives_the_same_plan_whatever_the_workers(method):
    loads = generate_loads(num_experts=24, num_layers=3, skew=1.3, seed=2)
    options = {"method": method, "deterministic": True, "time_limit": 0.3, "target_gap": 0, "seed": 4}
    plans = [eplb_opt.solve(loads, Deployment(12, 36), workers=workers, **options).plan for workers in (1, 3)]
    assert plans[0] == plans[1]


def test_a_warm_start_is_never_lost(hard):
    loads, deployment = hard
    good = eplb_opt.solve(loads, deployment, method="search", time_limit=0.3)
    again = eplb_opt.solve(loads, deployment, method="greedy", warm_start=good.plan)
    assert [layer.objective for layer in again.layers] == [layer.objective for layer in good.layers]
    assert again.layers[0].trace[0].source == "warm start"


def test_a_warm_start_that_does_not_fit_is_refused(hard):
    loads, deployment = hard
    # Expert 1 in slots 0 and 1, so twice on GPU 0.
    row = [1, 1, *range(2, 64), 0, *range(33, 64)]
    doubled = eplb_opt.Plan(np.array([row] * 4), deployment, 64)
    with pytest.raises(InvalidPlanError, match="the warm start is not valid: layer 0: GPU 0 holds expert 1 more than"):
        eplb_opt.solve(loads, deployment, warm_start=doubled)
    with pytest.raises(InvalidPlanError, match="no layer 2-3"):
        eplb_opt.solve(loads, deployment, warm_start=doubled.select([0, 1]))


def test_progress_tells_layers_and_gaps(hard):
    loads, deployment = hard
    seen = []
    eplb_opt.solve(loads, deployment, time_limit=0.3, progress=seen.append)
    assert {event.layer_id for event in seen} == {0, 1, 2, 3}
    assert seen[0].layers == 4 and seen[0].time_limit == 0.3
    assert seen[0].worst_gap is None and seen[-1].worst_gap >= seen[-1].gap
    assert [event.seconds for event in seen] == sorted(event.seconds for event in seen)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor_will_do(hard, kind):
    loads, deployment = hard
    make = ThreadPoolExecutor if kind == "threads" else ProcessPoolExecutor
    options = {} if kind == "threads" else {"mp_context": get_context("spawn")}
    first, pressed = {}, []

    def enough(now):
        """Ctrl-C once a layer is better than it began, which took a search."""
        if now.objective < first.setdefault(now.layer_id, now.objective) and not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    limits = {"time_limit": LONG, "target_gap": 0, "workers": 2}
    with make(2, **options) as executor:
        solution = eplb_opt.solve(loads, deployment, method="search", executor=executor, progress=enough, **limits)
    assert eplb_opt.verify(solution.plan) == []
    assert any(point.source == "search" for layer in solution.layers for point in layer.trace)


@pytest.mark.parametrize("broken", ["submit", "result"])
def test_an_executor_that_breaks_loses_nothing(hard, broken, caplog):
    class Breaking(ThreadPoolExecutor):
        submitted = 0

        def submit(self, function, *arguments):
            self.submitted += 1
            if self.submitted <= 6:
                return super().submit(function, *arguments)
            if broken == "submit":
                raise RuntimeError("the cluster is gone")
            return super().submit(exec, "raise RuntimeError('the cluster is gone')")

    loads, deployment = hard
    with Breaking(2) as executor:
        solution = eplb_opt.solve(loads, deployment, method="search", time_limit=20, target_gap=0, executor=executor)
    assert eplb_opt.verify(solution.plan) == []
    assert {layer.stopped_by for layer in solution.layers} == {"stalled"}
    assert "a step failed: RuntimeError: the cluster is gone" in caplog.text


def test_steps_that_an_executor_loses_are_run_again(hard):
    class Forgetful(ThreadPoolExecutor):
        submitted = 0

        def submit(self, function, *arguments):
            self.submitted += 1
            if self.submitted % 3 == 1:
                return super().submit(exec, "raise RuntimeError('the worker is gone')")
            return super().submit(function, *arguments)

    loads, deployment = hard
    options = {"method": "search", "deterministic": True, "time_limit": 0.3, "target_gap": 0, "workers": 2}
    with Forgetful(2) as executor:
        solution = eplb_opt.solve(loads, deployment, executor=executor, **options)
    assert solution.plan == eplb_opt.solve(loads, deployment, **options).plan
    assert not any("failed" in point.source for layer in solution.layers for point in layer.trace)


class _Dead(Executor):
    def submit(self, function, *arguments):
        raise RuntimeError("the cluster is gone")


class _Silent(Executor):
    def submit(self, function, *arguments):
        return Future()


@pytest.mark.parametrize(("executor", "why"), [(_Dead, "stalled"), (_Silent, "time")])
@pytest.mark.parametrize("method", ["auto", "greedy", "lpt"])
def test_an_executor_that_does_nothing_costs_no_plan_and_no_bound(hard, executor, why, method):
    loads, deployment = hard
    solution = eplb_opt.solve(loads, deployment, method=method, time_limit=0.3, target_gap=0, executor=executor())
    assert solution.runtime < patience(3)
    assert eplb_opt.verify(solution.plan) == []
    assert {layer.stopped_by for layer in solution.layers} == {"stalled" if method != "auto" else why}
    least = eplb_opt.lower_bound(loads, deployment)["lower_bound"]
    assert all(layer.lower_bound >= bound * (1 - 1e-12) for layer, bound in zip(solution.layers, least, strict=True))


def test_a_warm_start_gets_its_bounds_from_an_executor_that_does_nothing(hard):
    loads, deployment = hard
    good = eplb_opt.solve(loads, deployment, method="search", time_limit=0.3)
    again = eplb_opt.solve(loads, deployment, warm_start=good.plan, time_limit=0.3, executor=_Silent())
    assert all(layer.lower_bound > 0 for layer in again.layers)


def test_a_short_limit_does_not_wait_for_workers_that_are_still_started(monkeypatch, workers_begin_with):
    # A worker that is ready may have last words, and gets a while for them; one that never is has none.
    monkeypatch.setattr("eplb_opt.run.schedule.GRACE_SECONDS", 300.0)
    # Before processes sleep, as one may compile.
    load_kernels()
    workers_begin_with("import time; time.sleep(1000)")
    POOL.close()
    begin = time.monotonic()
    loads = np.random.default_rng(1).integers(1, 1000, (1, 10))
    solution = eplb_opt.solve(loads, Deployment(5, 15), time_limit=0.2, target_gap=0)
    assert time.monotonic() - begin < 60
    # Tiny layers are for a program, in a worker.
    assert "cpsat" in solution.layers[0].work


def test_many_large_layers_get_their_first_plans_within_the_time_limit():
    # With swap descent and all heuristics of the registry they would take a quarter of a minute.
    loads = generate_loads(num_experts=896, num_layers=150, skew=0.8)
    solution = eplb_opt.solve(loads, Deployment(512, 1536), time_limit=0.2)
    assert all(layer.lower_bound > 0 for layer in solution.layers)
    sources = [{point.source for point in layer.trace} for layer in solution.layers]
    assert sum(of_layer == {"greedy"} for of_layer in sources) > 75


def test_a_program_that_is_refused_is_stalled_and_says_why():
    loads = np.arange(1, 513)
    solution = eplb_opt.solve(loads, Deployment(256, 1024), method="cpsat", time_limit=30)
    (layer,) = solution.layers
    assert layer.stopped_by == "stalled"
    assert "variables, more than 1000000" in layer.trace[-1].source


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "magic"}, "method='magic' is not one of auto, greedy, search, cpsat, pulp:HiGHS, pulp:COIN_CMD"),
        ({"objective": "median"}, "objective='median' is not one of auto, total"),
        ({"scenarios": 3}, "scenarios=3 extrapolate how windows differ"),
        ({"scenarios": -1}, "scenarios=-1 is not an integer of at least 0"),
        ({"window_weights": [1]}, "the objective is total"),
        ({"time_limit": 0}, "time_limit=0 is not a positive number of seconds"),
        ({"time_limit": float("nan")}, "time_limit=nan is not a positive number of seconds"),
        ({"time_limit": float("inf")}, "time_limit=inf is not a positive number of seconds"),
        ({"target_gap": 1}, r"target_gap=1 is not in \[0, 1\)"),
        ({"target_gap": float("nan")}, r"target_gap=nan is not in \[0, 1\)"),
        ({"workers": 0}, "workers=0 is not a positive integer"),
        ({"seed": -1}, "seed=-1 is not an integer of at least 0"),
        ({"seed": 1.5}, "seed=1.5 is not"),
        ({"time_limit": "60"}, "time_limit='60' is not a number"),
        ({"executor": 3}, "executor=3 is not an Executor"),
        ({"progress": 3}, "progress=3 cannot be called"),
        ({"warm_start": "plan.json"}, "warm_start='plan.json' is not a Plan; read_plan reads one from a file"),
        ({"method": "pulp:HiGHS", "deterministic": True}, "has no deterministic limit"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        eplb_opt.solve([[3, 2, 1]], Deployment(3, 3), **options)


def test_impossible_deployments_are_refused_with_the_nearest_number():
    with pytest.raises(InvalidDeploymentError, match="num_slots=4 cannot hold 5 experts; nearest: 6"):
        eplb_opt.solve([[1, 2, 3, 4, 5]], Deployment(2, 4))


@pytest.mark.parametrize(
    ("file", "deployment", "gap"),
    [
        ("decode_in2000out100.json", Deployment(72, 288), 5e-3),
        ("decode_in2000out100.json", Deployment(32, 288), 1e-3),
        ("prefill_in4096.json", Deployment(32, 288, 4, 8), 1e-2),
    ],
)
def test_recorded_deepseek_v3_layers_are_closed(shared_data, file, deployment, gap):
    loads = eplb_opt.read_loads(shared_data / "deepseek-v3" / file)
    solution = eplb_opt.solve(loads, deployment, time_limit=LONG, target_gap=gap)
    assert len(solution.layers) == 58 and eplb_opt.verify(solution.plan) == []
    assert solution.worst_gap <= gap
    for index, layer in enumerate(solution.layers):
        instance = Instance.from_loads(loads.values[0, index], deployment)
        assert layer.objective <= max_loads(greedy(instance).tolist(), instance)[0]


def test_a_solution_file_keeps_everything(hard, tmp_path):
    loads, deployment = hard
    solution = eplb_opt.solve(loads, deployment, time_limit=0.3)
    solution.save(tmp_path / "solution.json")
    from eplb_opt.io import read_solution

    assert read_solution(tmp_path / "solution.json") == solution
    assert json.loads((tmp_path / "solution.json").read_text())["version"] == 1
