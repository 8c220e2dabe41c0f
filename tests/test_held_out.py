"""Held out: plans are scored on windows that they do not know, in the time that there is."""

import importlib
from dataclasses import replace
from math import isnan

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import evaluate
from eplb_opt.held_out import held_out
from eplb_opt.loads import Loads

DEPLOYMENT = Deployment(8, 24)
VALUES = np.random.default_rng(3).lognormal(6, 1, (3, 2, 16)).astype(int)
MODULE = importlib.import_module("eplb_opt.held_out")


def test_scores_are_those_of_backtest():
    """The plan for a sum by the published policy is that of `backtest`, which is another piece of code."""
    found = held_out(Loads(VALUES), DEPLOYMENT, seconds=60, objective="total", method="greedy")
    scores = eplb_opt.backtest(VALUES, DEPLOYMENT, ["total/greedy"], split="leave-one-out", time_limit=0.01)
    scores = scores[scores["strategy"] == "total/greedy"]
    assert found.windows == 3
    for name in ("planned", "greedy"):
        rows = found.metrics[found.metrics["plan"] == name]
        assert rows[["window", "layer_id"]].to_numpy().tolist() == [[w, layer] for w in range(3) for layer in (0, 1)]
        by_window = scores.sort_values(["window", "layer_id"])["imbalance"]
        assert rows["imbalance"].to_numpy() == pytest.approx(by_window.to_numpy(), rel=1e-12)
    for score in (found.planned, found.greedy):
        assert score.balancedness == pytest.approx(scores["balancedness"].mean(), rel=1e-12)
        assert score.imbalance == pytest.approx(scores["imbalance"].mean(), rel=1e-12)


def test_the_scored_window_is_not_known_to_its_plan(monkeypatch):
    asked = []

    def watched(loads, *arguments, **settings):
        asked.append((loads.values, settings["window_weights"], settings["scenarios"]))
        return eplb_opt.solve(loads, *arguments, **settings)

    monkeypatch.setattr(MODULE, "solve", watched)
    loads = Loads(VALUES, (2, 7))
    held_out(loads, DEPLOYMENT, seconds=0.3, objective="mean", window_weights=[1, 2, 3], scenarios=4)
    for window, (values, weights, scenarios) in enumerate(asked):
        assert np.array_equal(values, np.delete(VALUES, window, axis=0))
        assert weights == [weight for weight in (1, 2, 3) if weight != window + 1]
        assert scenarios == 4
    assert asked
    # One window that is known says nothing of how they differ.
    del asked[:]
    held_out(Loads(VALUES[:2]), DEPLOYMENT, seconds=0.3, objective="mean", scenarios=4)
    assert asked[0][2] == 0


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for `solve`, which takes what `clock.takes` says for a time limit."""

    class Clock:
        now = 0.0
        takes = None

    def solve(*arguments, time_limit, **settings):
        Clock.now += Clock.takes(time_limit)
        return eplb_opt.solve(*arguments, time_limit=60, **settings)

    monkeypatch.setattr(MODULE, "monotonic", lambda: Clock.now)
    monkeypatch.setattr(MODULE, "solve", solve)
    return Clock


def test_all_windows_are_scored_where_each_takes_the_time_that_it_is_given_and_a_little_more(clock):
    clock.takes = lambda limit: limit + 0.5
    found = held_out(Loads(VALUES), DEPLOYMENT, seconds=10, objective="total", method="greedy")
    assert found.windows == 3 and found.seconds == pytest.approx(10)


def test_windows_for_which_there_is_no_time_are_left_out(clock):
    clock.takes = lambda limit: max(limit, 4)
    found = held_out(Loads(VALUES), DEPLOYMENT, seconds=10, objective="total", method="greedy")
    assert (found.windows, found.seconds) == (2, 8)
    found = held_out(Loads(VALUES), DEPLOYMENT, seconds=1, objective="total", method="greedy")
    assert (found.windows, found.seconds) == (1, 4)
    plan = eplb_opt.solve(VALUES[1:].sum(axis=0), DEPLOYMENT, method="greedy").plan
    assert found.planned.imbalance == pytest.approx(evaluate(plan, VALUES[0])["imbalance"].mean())


def test_an_interrupt_leaves_what_is_scored_and_nothing_is_no_figure(monkeypatch):
    calls = []

    def interrupted(*arguments, **settings):
        calls.append(1)
        return replace(eplb_opt.solve(*arguments, **settings), interrupted=len(calls) == most + 1)

    monkeypatch.setattr(MODULE, "solve", interrupted)
    settings = {"seconds": 60, "objective": "total", "method": "greedy"}
    most = 2
    found = held_out(Loads(VALUES), DEPLOYMENT, **settings)
    assert (found.windows, found.interrupted) == (2, True)
    del calls[:]
    most = 0
    found = held_out(Loads(VALUES), DEPLOYMENT, **settings)
    assert (found.windows, found.interrupted) == (0, True)
    assert isnan(found.planned.balancedness)


def test_without_load_there_is_nothing_to_score():
    loads = Loads(np.zeros((2, 1, 16)))
    found = held_out(loads, DEPLOYMENT, seconds=60, objective="mean", method="greedy")
    assert (found.windows, found.interrupted) == (2, False)
    assert isnan(found.planned.imbalance) and isnan(found.greedy.balancedness)


def test_one_window_cannot_be_left_out():
    with pytest.raises(InvalidArgumentError, match="at least two windows"):
        held_out(Loads(VALUES[:1]), DEPLOYMENT, seconds=1, objective="total")
