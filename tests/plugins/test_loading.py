"""Compiled code arrives in the background; whoever needs it waits, and nobody else does."""

import threading

import numpy as np
import pytest

from eplb_opt.plugins import loading, planner
from eplb_opt.plugins.loading import Loading, warm_up
from eplb_opt.plugins.plain import published_rows
from tests.clocks import LONG

DEPLOYMENT = planner.deployment_of(8, 12, 1, 1, 4)
LOADS = np.array([[9, 8, 7, 6, 5, 4, 3, 2]])


@pytest.fixture
def slow(monkeypatch):
    """Kernels whose loading ends when a test says so."""
    ready, begun = threading.Event(), threading.Event()

    def load():
        begun.set()
        assert ready.wait(LONG)
        return 1.5

    monkeypatch.setattr(loading, "load", load)
    yield ready, Loading(), begun
    ready.set()


def waits(function, ready):
    """Whether `function` ends only once the kernels are ready; and what it returned."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    thread.join(0.2)
    before = list(answers)
    ready.set()
    thread.join(LONG)
    return before == [] and len(answers) == 1, answers


def test_to_begin_returns_at_once_and_waiting_waits(slow):
    ready, kernels, _ = slow
    kernels.begin()
    assert waits(kernels.wait, ready) == (True, [1.5])


def test_a_fork_waits_for_what_is_being_loaded(slow):
    ready, kernels, _ = slow
    kernels.settle()
    kernels.begin()
    waited, _ = waits(kernels.settle, ready)
    assert waited


def test_kernels_are_loaded_once(monkeypatch):
    calls = []
    monkeypatch.setattr(loading, "load", lambda: calls.append("load") or 0.0)
    kernels = Loading()
    for _ in range(3):
        kernels.begin()
        kernels.wait()
    assert calls == ["load"]


def test_a_failure_is_told_to_everybody_who_waits(monkeypatch):
    def load():
        raise OSError("no compiler")

    monkeypatch.setattr(loading, "load", load)
    kernels = Loading()
    for _ in range(2):
        with pytest.raises(OSError, match="no compiler"):
            kernels.wait()


def test_calls_without_load_do_not_wait_and_begin_to_load(slow, monkeypatch):
    ready, kernels, begun = slow
    monkeypatch.setattr(planner, "KERNELS", kernels)
    planner.plan_layers(np.zeros((2, 8)), DEPLOYMENT)
    assert begun.wait(LONG) and not ready.is_set()


def test_calls_with_loads_wait_and_get_the_plan_of_every_other_rank(slow, monkeypatch):
    expected = planner.plan_layers(LOADS, DEPLOYMENT)
    ready, kernels, _ = slow
    monkeypatch.setattr(planner, "KERNELS", kernels)
    waited, (rows,) = waits(lambda: planner.plan_layers(LOADS, DEPLOYMENT), ready)
    assert waited
    assert rows.tolist() == expected.tolist()


def test_without_compiled_code_the_published_plan_is_made(monkeypatch, caplog):
    def load():
        raise OSError("no compiler")

    monkeypatch.setattr(loading, "load", load)
    monkeypatch.setattr(planner, "KERNELS", Loading())
    rows = planner.plan_layers(LOADS, DEPLOYMENT)
    assert rows.tolist() == published_rows(LOADS, DEPLOYMENT).tolist()
    assert "no compiler" in caplog.text


def test_warming_up_tells_how_long_it_took():
    assert warm_up() > 0
