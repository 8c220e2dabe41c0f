"""No free workers: executors that are busy, broken, shut down or gone, and a machine that has no core to spare."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

import eplb_opt
from eplb_opt.limits import usable_cores
from eplb_opt.run.loading import load_kernels
from eplb_opt.run.steps import run_in_worker
from tests.clocks import LONG, patience
from tests.faults.commands import LOADS, SHAPE, begin, record, require_proven, require_proven_file

DEPLOYMENT = eplb_opt.Deployment(32, 96)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    """Loaded beforehand: that is not counted in the time limit."""
    load_kernels()


class NeverRuns(Executor):
    """Takes every step and comes to none."""

    def submit(self, function, /, *arguments, **options):
        return Future()


class NeverReturns(Executor):
    """Says that it runs a step, and is never heard of again."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        future.set_running_or_notify_cancel()
        return future


class Refuses(Executor):
    """A cluster that is gone."""

    def submit(self, function, /, *arguments, **options):
        raise RuntimeError("the cluster is gone")


class Cancels(Executor):
    """A cluster whose administrator cancels whatever is submitted."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


class Loses(ThreadPoolExecutor):
    """Runs every other step, and forgets the others."""

    number = 0

    def submit(self, function, /, *arguments, **options):
        self.number += 1
        return super().submit(function, *arguments) if self.number % 2 else Future()


def shut_down():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    return executor


@pytest.mark.parametrize("make", [NeverRuns, NeverReturns, Refuses, Cancels, Loses, shut_down])
@pytest.mark.parametrize("method", [pytest.param("auto", marks=pytest.mark.slow), "greedy"])
def test_an_executor_that_runs_nothing_costs_no_plan_and_no_bound(make, method):
    begin = time.monotonic()
    solution = eplb_opt.solve(LOADS, DEPLOYMENT, method=method, time_limit=0.5, target_gap=0, executor=make())
    assert time.monotonic() - begin < patience(6)
    require_proven(solution)
    greedy = eplb_opt.solve(LOADS, DEPLOYMENT, method="greedy")
    for layer, other in zip(solution.layers, greedy.layers, strict=True):
        assert layer.objective <= other.objective and layer.lower_bound >= other.lower_bound


class RunsOne(Executor):
    """Runs the first step, and is to do the others later."""

    def __init__(self):
        self.futures = []

    def submit(self, function, /, *arguments, **options):
        future = Future()
        if not self.futures:
            future.set_result(function(*arguments))
        self.futures.append(future)
        return future


def test_a_call_that_fails_leaves_no_steps_with_its_executor():
    def fail(_now):
        raise ZeroDivisionError("whoever watches has failed")

    executor = RunsOne()
    with pytest.raises(ZeroDivisionError):
        eplb_opt.solve(LOADS, DEPLOYMENT, time_limit=5, executor=executor, progress=fail)
    assert [future.cancelled() for future in executor.futures] == [False, True, True, True]


class LosesASearchBesideAProgram(ThreadPoolExecutor):
    """Loses one search while a program of the layer runs, refuses to run it again, and is well from then on."""

    program = lost = None
    searches_after = 0

    def submit(self, function, /, *arguments, **options):
        if function is run_in_worker:
            self.program = super().submit(function, *arguments)
            return self.program
        if self.lost == "refused":
            self.searches_after += 1
        elif self.lost:
            self.lost = "refused"
            raise RuntimeError("the worker is gone")
        elif self.program and not self.program.done():
            self.lost = Future()
            self.lost.set_exception(RuntimeError("the worker is gone"))
            return self.lost
        return super().submit(function, *arguments)


def test_a_layer_that_lost_one_of_two_steps_is_searched_again_after_the_other():
    pressed = []
    with LosesASearchBesideAProgram(2) as executor:

        def enough(_now):
            if executor.searches_after and not pressed:
                pressed.append(True)
                signal.raise_signal(signal.SIGINT)

        options = {"time_limit": LONG, "target_gap": 0, "executor": executor, "workers": 2, "progress": enough}
        solution = eplb_opt.solve(LOADS.values[:, :1], DEPLOYMENT, **options)
    require_proven(solution)
    assert executor.lost == "refused"
    assert executor.searches_after > 0


def test_an_executor_that_is_busy_with_something_else_is_not_waited_for():
    over = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(over.wait)
        begin = time.monotonic()
        solution = eplb_opt.solve(LOADS, DEPLOYMENT, time_limit=0.5, target_gap=0, executor=executor)
        seconds = time.monotonic() - begin
        over.set()
    assert seconds < patience(5)
    require_proven(solution)
    assert {layer.stopped_by for layer in solution.layers} == {"time"}


def test_ctrl_c_ends_the_wait_for_an_executor():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    solution = eplb_opt.solve(LOADS, DEPLOYMENT, time_limit=60, target_gap=0, executor=NeverRuns())
    assert solution.runtime < patience(2)
    require_proven(solution)
    assert {layer.stopped_by for layer in solution.layers} == {"interrupt"}


def test_what_an_executor_is_not_to_blame_for_is_raised(monkeypatch):
    def fail(_instance):
        raise ZeroDivisionError("a step that cannot be run anywhere")

    monkeypatch.setattr("eplb_opt.heuristics.planner.greedy", fail)
    monkeypatch.setattr("eplb_opt.run.loading.load_kernels", lambda _parts: 0.0)
    with pytest.raises(ZeroDivisionError, match="cannot be run anywhere"):
        eplb_opt.solve(LOADS, DEPLOYMENT, method="greedy", time_limit=5)


@pytest.mark.slow
def test_a_machine_without_a_core_to_spare_ends_in_time(tmp_path):
    record(tmp_path)
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(3 * usable_cores())]
    try:
        start = time.monotonic()
        process = begin(tmp_path, "solve", "loads.npz", *SHAPE, "--time-limit", 4, "--save", "solution.json")
        _, err = process.communicate(timeout=300)
        seconds = time.monotonic() - start
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert process.returncode == 0 and "Traceback" not in err, err
    # Loading takes several times as long as on an idle machine.
    assert seconds < 60
    require_proven_file(tmp_path / "solution.json")
