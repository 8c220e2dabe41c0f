"""Worker processes: reused, ended in time with everything they started, and harmless when they die."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, SolverError
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.incumbent import NO_BOUND
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.plugins.plain import even_row
from eplb_opt.proof import strongest
from eplb_opt.run.pool import POOL, WorkerPool
from eplb_opt.run.process import WorkerProcess
from eplb_opt.run.task import ProofTask
from tests.clocks import LONG, patience
from tests.processes import alive, children_of, eventually, workers_of

ROOT = Path(__file__).resolve().parents[2]


def task(instance, method="cpsat", seconds=30.0, call="test"):
    bound = strongest(*quick_bounds(instance))
    return ProofTask(instance, tuple(greedy_plus_swap(instance).tolist()), bound, method, Limits(seconds), call=call)


def run(pool, task):
    """What a task finds, and last whether it came to its end."""
    found = []
    complete = pool.run(task, found.append)
    return [*found, complete]


@pytest.fixture
def small():
    return Instance.from_loads([20, 21, 69, 61], Deployment(3, 6))


# Takes every solver far longer than a test may wait.
LARGE = Instance.from_loads(generate_loads(num_experts=64, num_layers=1).values[0, 0], Deployment(32, 96))


@pytest.fixture
def large():
    return LARGE


@pytest.fixture
def pool():
    """The only one of this process that has workers."""
    POOL.close()
    pool = WorkerPool()
    yield pool
    pool.close()


def test_a_worker_is_used_again(pool, small):
    pids = set()
    for method in ("cpsat", "pulp:HiGHS", "cpsat"):
        assert run(pool, task(small, method))[-1]
        pids |= set(workers_of())
    assert len(pids) == 1


@pytest.mark.parametrize("method", ["cpsat", "pulp:HiGHS", "pulp:COIN_CMD"])
def test_the_time_limit_holds(pool, small, large, method):
    run(pool, task(small, method))  # starts a worker
    begin = time.monotonic()
    run(pool, task(large, method, seconds=1.0))
    assert time.monotonic() - begin < patience(2.0)


def test_a_solver_that_ignores_its_time_limit_is_ended(pool, small, large):
    # A worker that is stopped by a signal ignores every limit, as a hanging solver does.
    run(pool, task(small))
    begin = time.monotonic()
    threading.Timer(0.3, lambda: [os.kill(pid, signal.SIGSTOP) for pid in workers_of()]).start()
    run(pool, task(large, seconds=2.0))
    assert time.monotonic() - begin < patience(3.5)
    assert workers_of() == []


def test_the_call_that_asks_can_end_its_workers_and_no_others(pool, large, small):
    ended = threading.Event()
    finished = []

    def ask(call):
        finished.append((call, run(pool, task(large, seconds=60.0, call=call))))
        ended.set()

    threads = [threading.Thread(target=ask, args=(call,)) for call in ("mine", "other")]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(workers_of()) == 2)
    time.sleep(0.5)
    pool.end("mine")
    assert ended.wait(LONG)
    assert [call for call, _ in finished] == ["mine"]
    pool.end("other")
    for thread in threads:
        thread.join(LONG)
    assert {call for call, _ in finished} == {"mine", "other"}


def test_workers_that_are_still_started_are_ended_and_others_go_on(pool, large, workers_begin_with):
    finished = {}

    def start(call):
        finished[call] = run(pool, task(large, "pulp:COIN_CMD", seconds=LONG, call=call))

    ready = threading.Thread(target=start, args=("ready",))
    ready.start()
    # A worker whose solver runs is ready; the next is never.
    assert eventually(lambda: any(map(children_of, workers_of())))
    workers_begin_with("import time; time.sleep(1000)")
    starting = threading.Thread(target=start, args=("starting",))
    starting.start()
    assert eventually(lambda: len(workers_of()) == 2)
    for call in ("ready", "starting"):
        pool.end_starts(call)
    starting.join(LONG)
    assert finished == {"starting": [False]} and ready.is_alive()
    pool.end("ready")
    ready.join(LONG)
    assert set(finished) == {"starting", "ready"}


def test_cbc_goes_with_its_worker(pool, large):
    thread = threading.Thread(target=lambda: run(pool, task(large, "pulp:COIN_CMD", seconds=60.0)))
    thread.start()
    assert eventually(lambda: any(map(children_of, workers_of())))
    grandchildren = [pid for worker in workers_of() for pid in children_of(worker)]
    pool.end("test")
    thread.join(LONG)
    assert grandchildren and eventually(lambda: not any(map(alive, grandchildren)))


def test_a_worker_that_dies_is_a_solver_error_and_the_next_task_gets_a_new_one(pool, large, small):
    threading.Timer(1.0, lambda: [os.kill(pid, signal.SIGKILL) for pid in workers_of()]).start()
    with pytest.raises(SolverError, match="the worker process ended with -9"):
        run(pool, task(large, seconds=30.0))
    assert run(pool, task(small))[-1]


def test_what_the_worker_raises_is_raised_here(pool, small):
    with pytest.raises(InvalidArgumentError, match="method='nonsense' is not one of"):
        run(pool, task(small, "nonsense"))
    assert run(pool, task(small))[-1]


def test_a_program_that_would_fill_the_memory_is_refused(pool):
    loads = np.arange(1, 513)
    instance = Instance.from_loads(loads, Deployment(256, 1024))
    with pytest.raises(SolverError, match="variables, more than 1000000; use method='auto'"):
        run(pool, task(instance))


def test_what_an_interpreter_prints_at_its_start_is_no_news(pool, small, workers_begin_with):
    workers_begin_with("print('hello from the administrator')")
    assert run(pool, task(small))[-1]


def test_the_start_of_a_worker_does_not_count(pool, small, workers_begin_with):
    workers_begin_with("import time; time.sleep(2)")
    assert run(pool, task(small, seconds=1.5))[-1]


def test_the_call_can_end_a_worker_that_starts(pool, small, workers_begin_with):
    workers_begin_with("import time; time.sleep(1000)")
    begin = time.monotonic()
    threading.Timer(0.5, pool.end, ["test"]).start()
    assert run(pool, task(small)) == [False]
    # A worker that says nothing is given up after a minute.
    assert time.monotonic() - begin < 50


def test_a_module_of_the_users_in_the_working_folder_is_not_taken_for_a_library(pool, small, tmp_path, monkeypatch):
    (tmp_path / "pulp.py").write_text("raise RuntimeError('not a solver')")
    monkeypatch.chdir(tmp_path)
    assert run(pool, task(small))[-1]


def test_the_last_words_of_a_worker_that_cannot_start_are_passed_on(pool, small, tmp_path, monkeypatch):
    (tmp_path / "ortools.py").write_text("raise SystemExit('the library is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SolverError, match="ended with 1: the library is broken"):
        run(pool, task(small))


def test_a_call_that_has_ended_gets_no_worker(pool, small):
    pool.end("test")
    with pytest.raises(SolverError, match="the call that asked has ended"):
        run(pool, task(small))
    assert workers_of() == []


def test_a_late_timer_leaves_the_worker_to_the_next_task(pool, small, monkeypatch):
    timers = []

    @contextmanager
    def late(_seconds, function, *arguments):
        timers.append(partial(function, *arguments))
        yield

    monkeypatch.setattr("eplb_opt.run.pool.alarm", late)
    run(pool, task(small))
    of_the_first = list(timers)
    assert of_the_first
    assert pool.run(task(small), lambda _: [ring() for ring in of_the_first])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_starts_with_an_unlocked_pool_of_its_own(pool, small, monkeypatch):
    children = []

    def fork():
        # Whoever starts a worker holds the lock, which the child has a copy of.
        monkeypatch.undo()
        children.append(os.fork())
        if children[0] == 0:
            pool.forget()
            os._exit(0 if run(pool, task(small))[-1] else 1)
        return WorkerProcess()

    monkeypatch.setattr("eplb_opt.run.pool.WorkerProcess", fork)
    assert run(pool, task(small))[-1]
    assert os.waitpid(children[0], 0)[1] == 0


def test_a_worker_does_not_outlive_a_parent_that_was_killed():
    script = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from tests.run.test_pool import LARGE, run, task\n"
        "from eplb_opt.run.pool import POOL\n"
        "run(POOL, task(LARGE, 'pulp:COIN_CMD', seconds=500.0))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(ROOT)]) as parent:
        assert eventually(lambda: any(map(children_of, workers_of(parent.pid))))
        (worker,) = workers_of(parent.pid)
        family = [worker, *children_of(worker)]
        parent.kill()
    assert eventually(lambda: not any(map(alive, family)))


def test_workers_end_with_an_unguarded_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import eplb_opt\n"
        "from tests.processes import workers_of\n"
        "s = eplb_opt.solve([20, 21, 69, 61], eplb_opt.Deployment(3, 6), method='cpsat', target_gap=0)\n"
        "print(s.status, *workers_of())\n"
    )
    out = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=LONG).stdout
    status, pid = out.split()
    assert status == "optimal"
    assert eventually(lambda: not alive(int(pid)))


def test_cbc_hands_over_what_it_found_by_the_time_limit(pool):
    # Half a minute is not enough for it to prove the optimum, and what it has found by then comes in one piece.
    loads = generate_loads(num_experts=8, num_layers=1, skew=1.0, tokens=9973, seed=1)
    instance = Instance.from_loads(loads.values[0, 0], Deployment(5, 15))
    poor = tuple(even_row(8, instance.deployment).tolist())
    known = ProofTask(instance, poor, NO_BOUND, "pulp:COIN_CMD", Limits(3.0), call="test")
    *found, complete = run(pool, known)
    assert not complete
    assert any(item.slots is not None for item in found) and any(item.proof is not None for item in found)


def test_prepared_workers_wait_for_tasks_and_are_not_started_twice(pool, small, workers_begin_with):
    pool.prepare(2)
    first = workers_of()
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    # A process with threads is a zombie before it can be waited for.
    assert eventually(lambda: os.waitid(os.P_PID, first[0], os.WEXITED | os.WNOHANG | os.WNOWAIT))
    pool.prepare(2)
    second = sorted(workers_of())
    assert len(second) == 2 and first[1] in second
    run(pool, task(small))
    assert sorted(workers_of()) == second
    workers_begin_with("import os; os._exit(3)")
    pool.prepare(3)
    assert sorted(workers_of()) == second
