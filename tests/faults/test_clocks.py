"""Clocks that jump and machines that sleep: nothing but the end is later."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import eplb_opt
from eplb_opt.io import read_solution
from tests.clocks import LONG, patience
from tests.faults.commands import (
    LOADS,
    ROOT,
    SHAPE,
    begin,
    environment,
    record,
    require_proven,
    require_proven_file,
    run,
)
from tests.processes import children_of

# 5 % and a second are promised beyond a time limit, the rest is for a busy machine.
GRACE = 3.0
DEPLOYMENT = eplb_opt.Deployment(32, 96)

# Stands before the C library's clock; each reading of the wall clock is an hour or more from the one before.
JUMPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long jump(void) {
    static unsigned seed = 1;
    return (long)(rand_r(&seed) % 200000) - 100000;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += jump();
    return code;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    int code = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return code;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"""


@pytest.mark.parametrize("direction", [-1, 1], ids=["backwards", "forwards"])
def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch, direction):
    real, chance = time.time, random.Random(1)
    monkeypatch.setattr(time, "time", lambda: real() + direction * chance.uniform(0, 1e8))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))
    start = time.monotonic()
    solution = eplb_opt.solve(LOADS, DEPLOYMENT, time_limit=0.5, target_gap=0)
    seconds = time.monotonic() - start
    require_proven(solution)
    assert {layer.stopped_by for layer in solution.layers} == {"time"}
    assert 0.5 <= solution.runtime < patience(0.5 + GRACE) and seconds < 60
    for layer in solution.layers:
        assert [point.seconds for point in layer.trace] == sorted(point.seconds for point in layer.trace)


def test_no_duration_is_measured_by_the_wall_clock():
    for path in sorted((ROOT / "eplb_opt").rglob("*.py")):
        text = path.read_text()
        for words in ("time.time(", "import time\n    time()", "time_ns", "utcnow", "from time import time\n"):
            assert words not in text, f"{path}: {words}"
        # Dates are for people to read: on the page of a report and in a log.
        if "datetime" in text:
            assert path.relative_to(ROOT / "eplb_opt").as_posix() in ("cli/progress.py", "report/making.py")


def test_durations_that_are_compared_are_of_one_clock():
    # Where a machine sleeps, perf_counter and monotonic need not agree.
    assert "perf_counter" not in (ROOT / "eplb_opt" / "solve.py").read_text()
    for path in (ROOT / "eplb_opt" / "run").glob("*.py"):
        assert "perf_counter" not in path.read_text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("method", ["auto", "cpsat", "pulp:HiGHS", "pulp:COIN_CMD"])
def test_solvers_whose_wall_clock_jumps_are_ended_in_time(tmp_path, method):
    (tmp_path / "jumping.c").write_text(JUMPING)
    library = tmp_path / "jumping.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "jumping.c", "-ldl"], check=True)
    record(tmp_path)
    words = ["solve", "loads.npz", *SHAPE, "--method", method, "--time-limit", 3, "--log", "run.log"]
    code, _, err = run(tmp_path, *words, "--save", "solution.json", env=environment(LD_PRELOAD=str(library)))
    assert code == 0 and "Traceback" not in err, err
    # The clock did jump, and the run took as long as it may.
    times = [line.split()[0] for line in (tmp_path / "run.log").read_text().splitlines()]
    assert times != sorted(times)
    assert read_solution(tmp_path / "solution.json").runtime < patience(3 + GRACE)
    require_proven_file(tmp_path / "solution.json")


@pytest.mark.slow
@pytest.mark.parametrize(("after", "with_workers"), [(0.5, False), (5.0, True)])
def test_a_process_that_was_stopped_ends_soon_after_it_goes_on(tmp_path, after, with_workers):
    record(tmp_path)
    process = begin(tmp_path, "solve", "loads.npz", *SHAPE, "--time-limit", 5, "--save", "solution.json")
    time.sleep(after)
    stopped = [process.pid, *(children_of(process.pid) if with_workers else [])]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(7)
    for pid in reversed(stopped):
        os.kill(pid, signal.SIGCONT)
    start = time.monotonic()
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 0 and "Traceback" not in err, err
    # Loading is not counted; the five seconds of planning may still be to come.
    assert time.monotonic() - start < 40
    require_proven_file(tmp_path / "solution.json")
