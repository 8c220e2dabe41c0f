"""Solver processes that are killed, hang or talk nonsense: a valid plan and a true bound, in time."""

import os
import random
import signal
import threading
import time
from contextlib import suppress

import pytest

import eplb_opt
from eplb_opt.io import read_solution
from eplb_opt.run import process
from eplb_opt.run.loading import load_kernels
from eplb_opt.run.pool import POOL
from tests.clocks import patience
from tests.faults.commands import LOADS, ROOT, begin, record, require_proven, require_proven_file
from tests.formulations.test_assignment import KNOWN
from tests.processes import children_of, eventually, workers_of

DEPLOYMENT = eplb_opt.Deployment(32, 96)
TWO_SLOTS = eplb_opt.Deployment(48, 96)
# Of a time limit: 5 % and a second are promised, the rest is for a busy machine.
GRACE = 3.0

# What a worker process runs instead of the solvers, and in the last case in their place from the start.
STAND_INS = {
    "sleeps": "time.sleep(600)",
    "spins": "\nwhile True: pass",
    "never greets": None,
    "talks nonsense": "os.write(1, b'nonsense' * 100); time.sleep(600)",
    "closes its pipes": "os.close(0); os.close(1); time.sleep(600)",
    "sends half of its news": "os.write(1, pickle.dumps(list(range(100)))[:50]); time.sleep(600)",
    "says nothing of use": "pickle.dump(None, sys.stdout.buffer); sys.stdout.flush(); time.sleep(600)",
    "ends with an error": "os.write(2, b'no licence'); os._exit(1)",
}


@pytest.fixture(scope="module", autouse=True)
def kernels():
    """Loaded beforehand: that is not counted in the time limit."""
    load_kernels()


@pytest.fixture(autouse=True)
def no_idle_workers():
    """Each test starts workers of its own, and leaves none of a strange kind behind."""
    POOL.close()
    yield
    POOL.close()


def killer(seed, every, over):
    """Kill the workers of this process at random moments, all of them or one, until `over` is set; how many."""
    chance, killed = random.Random(seed), []
    while not over.wait(chance.uniform(0, 2 * every)):
        pids = workers_of()
        for pid in pids if chance.random() < 0.5 else pids[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("method", "deployment"), [("auto", TWO_SLOTS), ("cpsat", DEPLOYMENT), ("pulp:COIN_CMD", DEPLOYMENT)]
)
def test_workers_killed_at_random_moments_cost_neither_plan_nor_bound(method, deployment, seed):
    over, killed = threading.Event(), []
    thread = threading.Thread(target=lambda: killed.extend(killer(seed, 0.4, over)))
    thread.start()
    begin = time.monotonic()
    try:
        solution = eplb_opt.solve(LOADS, deployment, method=method, time_limit=4, target_gap=0, seed=seed)
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - begin < patience(4 + GRACE)
    assert killed
    require_proven(solution)
    assert {layer.stopped_by for layer in solution.layers} <= {None, "time", "stalled"}
    assert any("the worker process ended with -9" in point.source for layer in solution.layers for point in layer.trace)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_bounds_stay_below_known_optima_whoever_is_killed(name):
    loads, deployment, optimum = KNOWN[name]
    over = threading.Event()
    thread = threading.Thread(target=killer, args=(7, 0.05, over))
    thread.start()
    try:
        solution = eplb_opt.solve([loads], deployment, method="cpsat", target_gap=0, time_limit=3)
    finally:
        over.set()
        thread.join()
    require_proven(solution)
    assert solution.layers[0].lower_bound <= optimum <= solution.layers[0].objective


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_command_writes_its_files_whatever_becomes_of_its_workers(tmp_path, seed):
    record(tmp_path)
    chance, killed = random.Random(seed), 0
    # With two slots on a GPU proofs begin at once.
    words = ["solve", "loads.npz", "--gpus", 48, "--slots", 96, "--target-gap", 0, "-o", "plan.json"]
    process = begin(tmp_path, *words, "--time-limit", 5, "--save", "s.json")
    # The command loads for some seconds before it starts workers, and solves for five.
    while process.poll() is None:
        time.sleep(chance.uniform(0.1, 1.0))
        for pid in children_of(process.pid):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    out, err = process.communicate()
    assert process.returncode == 0 and "Traceback" not in err, err
    assert killed and "4 layers: imbalance" in out
    require_proven_file(tmp_path / "s.json")
    assert eplb_opt.read_plan(tmp_path / "plan.json") == read_solution(tmp_path / "s.json").plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "stubborn"), [*((kind, False) for kind in STAND_INS), ("sleeps", True), ("spins", True)]
)
def test_a_solver_that_ignores_its_time_limit_holds_nobody_up(workers_begin_with, tmp_path, kind, stubborn):
    act = STAND_INS[kind]
    begun = f"os.write(1, pickle.dumps({process.BEGUN!r}))"
    greeting = (
        f"os.write(1, {process.GREETING!r}); pickle.load(sys.stdin.buffer); {begun}; {act}"
        if act
        else "time.sleep(600)"
    )
    ignore = "[signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]; "
    note = f"sys.path.append({str(ROOT)!r}); open({str(tmp_path / 'started')!r}, 'w').close(); "
    workers_begin_with(f"import os, pickle, signal, sys, time; {note}{ignore if stubborn else ''}{greeting}")
    begin = time.monotonic()
    solution = eplb_opt.solve(LOADS, TWO_SLOTS, time_limit=2, target_gap=0)
    assert time.monotonic() - begin < patience(2 + GRACE)
    require_proven(solution)
    # None of them outlives the call that asked.
    assert (tmp_path / "started").exists() and eventually(lambda: workers_of() == [])


def test_where_no_file_for_a_workers_last_words_can_be_made_search_goes_on(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(process.tempfile, "TemporaryFile", full)
    solution = eplb_opt.solve(LOADS, TWO_SLOTS, time_limit=2, target_gap=0)
    require_proven(solution)
    for layer in solution.layers:
        words = [point.source for point in layer.trace]
        assert layer.status == "optimal" or (layer.stopped_by == "time" and layer.work["search"] > 0), words
    words = [point.source for layer in solution.layers for point in layer.trace]
    assert "pairing: cannot start a solver process: [Errno 28] No space left on device" in words
