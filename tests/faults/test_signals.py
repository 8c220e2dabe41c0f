"""Ctrl-C and a supervisor's SIGTERM at any moment: soon over, one line, files whole or none."""

import importlib
import os
import random
import re
import signal
import sys
import time
from pathlib import Path

import pytest

import eplb_opt
from eplb_opt.cli.main import main
from eplb_opt.io import read_loads, read_solution
from tests.clocks import LONG
from tests.faults.commands import (
    COMMAND,
    GREEDY,
    ROOT,
    SHAPE,
    begin,
    names_in,
    record,
    require_proven,
)

# What an interrupted command may say: nothing before the plan is there, or that it was interrupted.
ONE_LINE = "eplb-opt: interrupted\n"
MOMENTS = 8
# Seconds after a signal, on a busy machine.
SOON = 20.0

# Says by a byte that the command line is being imported: what comes before is the start of any Python program.
WITH_A_STARTING_GUN = """
import os, runpy, sys
said = int(sys.argv[1])
del sys.argv[1]
class Gun:
    def find_spec(self, name, path=None, target=None):
        if name == "eplb_opt.cli.main":
            sys.meta_path.remove(self)
            os.write(said, b".")
sys.meta_path.insert(0, Gun())
runpy.run_module("eplb_opt", run_name="__main__")
"""


def start(folder, *words):
    """A command that has begun to import the package."""
    heard, said = os.pipe()
    command = [sys.executable, "-c", WITH_A_STARTING_GUN, str(said)]
    try:
        process = begin(folder, *words, command=command, pass_fds=[said])
    finally:
        os.close(said)
    with os.fdopen(heard, "rb") as pipe:
        assert pipe.read(1) == b"."
    return process


@pytest.fixture
def folder(tmp_path):
    record(tmp_path)
    return tmp_path


def moments(seed, whole, number=MOMENTS):
    """Random seconds, as many in each part of the time that a command takes."""
    chance = random.Random(seed)
    return [whole * (index + chance.random()) / number for index in range(number)]


def require_clean_end(folder, process, inputs=("loads.npz",), signals=1):
    """The command ends soon, with one line and whole files; its exit code."""
    begin = time.monotonic()
    out, err = process.communicate(timeout=LONG)
    assert time.monotonic() - begin < SOON
    # Once everything is said and written a signal ends the interpreter where it is.
    assert process.returncode in (0, 130, -signal.SIGINT, -signal.SIGTERM), (process.returncode, out, err)
    assert err == (ONE_LINE if process.returncode == 130 else "") or (signals > 1 and err == ONE_LINE), err
    written = set(names_in(folder)) - set(inputs)
    assert written <= {"plan.json", "solution.json", "made.npz"}
    if process.returncode == 0:
        assert written
    if "plan.json" in written:
        assert eplb_opt.verify(eplb_opt.read_plan(folder / "plan.json")) == []
    if "solution.json" in written:
        require_proven(read_solution(folder / "solution.json"))
    if "made.npz" in written:
        read_loads(folder / "made.npz")
    return process.returncode


def seconds_of(folder, words):
    """How long a command takes from the import of the package to its end; its files are removed again."""
    process = start(folder, *words)
    begin = time.monotonic()
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 0, err
    for name in names_in(folder):
        if name != "loads.npz":
            (folder / name).unlink()
    return time.monotonic() - begin


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "words",
    [
        ["solve", "loads.npz", *GREEDY, "-o", "plan.json", "--save", "solution.json"],
        ["generate", "--layers", "2", "--experts", "8", "-o", "made.npz"],
    ],
    ids=lambda words: words[0],
)
def test_a_signal_at_a_random_moment_leaves_whole_files_or_none(folder, words, number):
    whole = seconds_of(folder, words)
    codes = set()
    for moment in moments(int(number), 1.1 * whole):
        process = start(folder, *words)
        time.sleep(moment)
        process.send_signal(number)
        codes.add(require_clean_end(folder, process))
        for name in names_in(folder):
            if name != "loads.npz":
                (folder / name).unlink()
    # Those that came early were in time.
    assert 130 in codes


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_a_random_moment_of_planning_leaves_the_best_plan(folder, number):
    words = ["solve", "loads.npz", *SHAPE, "--time-limit", 60, "-o", "plan.json", "--save", "solution.json"]
    for moment in moments(10 + int(number), 4.0, number=3):
        process = start(folder, *words, "--log", "run.log")
        # Planning has begun when the first plan of a layer is logged.
        log, deadline = folder / "run.log", time.monotonic() + 60
        while time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
            time.sleep(0.02)
        time.sleep(moment)
        process.send_signal(number)
        assert require_clean_end(folder, process, ["loads.npz", "run.log"]) == 0
        assert {layer.stopped_by for layer in read_solution(folder / "solution.json").layers} <= {None, "interrupt"}
        for name in ("plan.json", "solution.json", "run.log"):
            (folder / name).unlink()


@pytest.mark.slow
def test_two_signals_shortly_after_each_other_end_it_too(folder):
    words = ["solve", "loads.npz", *SHAPE, "--time-limit", 60, "-o", "plan.json", "--save", "solution.json"]
    for moment in moments(3, 8.0, number=4):
        process = start(folder, *words)
        time.sleep(moment)
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        require_clean_end(folder, process, signals=2)
        for name in names_in(folder):
            if name != "loads.npz":
                (folder / name).unlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_package_is_imported_is_one_line(folder, number):
    process = start(folder, "--version")
    process.send_signal(number)
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out, err) == (130, "", ONE_LINE)


def test_signals_that_are_ignored_stay_ignored(folder):
    process = start(folder, "--version")
    ignored = begin(folder, "--version", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    for _ in range(20):
        if ignored.poll() is None:
            ignored.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert ignored.communicate(timeout=LONG) == (f"{eplb_opt.__version__}\n", "")
    assert ignored.returncode == 0
    process.kill()
    process.communicate()


def signal_at_line(count, module):
    """A trace function that sends a signal before line number `count` that runs in a module; counts down in a list."""
    left = [count]

    def lines(_frame, event, _argument):
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)
        return lines

    def calls(frame, _event, _argument):
        return lines if frame.f_code.co_filename.endswith(module) else None

    return calls, left


# Between the opening of a file and the block that closes it: the process ends, or the collector closes it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("old", [False, True], ids=["a new file", "an old file"])
def test_a_signal_before_any_line_that_writes_a_file_leaves_it_whole(tmp_path, monkeypatch, capsys, old):
    monkeypatch.chdir(tmp_path)
    handler, tracer = signal.getsignal(signal.SIGTERM), sys.gettrace()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    count, interrupted, whole = 0, 0, set()
    while True:
        count += 1
        target = Path("made.csv")
        target.unlink(missing_ok=True)
        if old:
            target.write_text("what was there before")
        calls, left = signal_at_line(count, "files.py")
        sys.settrace(calls)
        try:
            main(["generate", "--layers", "1", "--experts", "4", "-o", "made.csv"])
        except SystemExit as end:
            code = end.code
        finally:
            sys.settrace(tracer)
        err = capsys.readouterr().err
        assert names_in(tmp_path) in (["made.csv"], [] if not old else ["made.csv"])
        content = target.read_text() if target.exists() else None
        if left[0] > 0:
            break
        assert (code, err) == (130, ONE_LINE)
        interrupted += 1
        whole.add(content)
    # Never half a file: what was there before, or what the undisturbed run has written.
    assert whole <= {content, "what was there before" if old else None}
    assert interrupted > 10
    assert signal.getsignal(signal.SIGTERM) is handler


def test_one_signal_does_not_lose_the_plan_that_is_being_written(tmp_path, monkeypatch, capsys):
    record(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("SIGTERM", "SIGHUP"):
        monkeypatch.setattr(signal, name, signal.SIGINT)
    real = os.fsync

    def fsync(descriptor):
        signal.raise_signal(signal.SIGINT)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(SystemExit) as end:
        main(["solve", "loads.npz", *GREEDY, "-o", "plan.json", "--save", "solution.json"])
    # A signal while the first file is written lets it be finished, a second one does not.
    assert end.value.code == 130
    assert capsys.readouterr().err == ONE_LINE
    assert names_in(tmp_path) == ["loads.npz", "plan.json"]
    assert eplb_opt.verify(eplb_opt.read_plan("plan.json")) == []


def test_the_installed_command_begins_with_the_same_first_lines():
    scripts = re.search(r'\[project.scripts\]\neplb-opt = "([\w.]+):main"', (ROOT / "pyproject.toml").read_text())
    assert (
        COMMAND[-2:] == ["-m", "eplb_opt"]
        and scripts
        and scripts[1] == importlib.import_module("eplb_opt.__main__").main.__module__
    )
