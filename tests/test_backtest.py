"""backtest: plans know nothing of the window they are scored on, and scores are what evaluate says."""

import importlib
import signal
import threading

import numpy as np
import pytest

import eplb_opt
from eplb_opt.backtest import CLAIRVOYANT, STRATEGIES, summarise_backtest
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan

DEPLOYMENT = Deployment(8, 32)
FAST = [name for name in STRATEGIES if not name.endswith("search")]


def recorded(windows=4, layers=2, experts=24, seed=0, shift=0.5):
    """Windows that agree on which experts are hot, more or less."""
    random = np.random.default_rng(seed)
    common = random.lognormal(0, 1, (1, layers, experts))
    return np.round(1000 * common * random.lognormal(0, shift, (windows, layers, experts))).astype(np.int64)


def scored(frame, strategy, window):
    rows = frame[(frame["strategy"] == strategy) & (frame["window"] == window)]
    return rows.sort_values("layer_id")["balancedness"].to_numpy()


@pytest.mark.parametrize(("split", "windows"), [("rolling", [1, 2, 3]), ("leave-one-out", [0, 1, 2, 3])])
def test_every_strategy_is_scored_on_every_window_and_layer(split, windows):
    frame = eplb_opt.backtest(recorded(), DEPLOYMENT, split=split, time_limit=0.005)
    assert sorted(frame["window"].unique()) == windows
    assert len(frame) == (len(STRATEGIES) + 1) * len(windows) * 2
    assert set(frame["strategy"]) == {*STRATEGIES, CLAIRVOYANT}
    assert (frame["imbalance"] >= 1 - 1e-12).all()
    assert frame["balancedness"].to_numpy() == pytest.approx(1 / frame["imbalance"])


def test_scores_are_those_of_the_greedy_plan_of_the_window_before():
    loads = recorded()
    frame = eplb_opt.backtest(loads, DEPLOYMENT, ["last/greedy"], time_limit=0.02)
    for window in (1, 2, 3):
        rows = [greedy(Instance.from_loads(values, DEPLOYMENT)) for values in loads[window - 1]]
        metrics = eplb_opt.evaluate(Plan(np.stack(rows), DEPLOYMENT, 24), loads[window])
        assert scored(frame, "last/greedy", window) == pytest.approx(metrics["balancedness"].to_numpy())


@pytest.mark.parametrize("split", ["rolling", "leave-one-out"])
def test_plans_do_not_depend_on_the_window_they_are_scored_on(split, monkeypatch):
    """Every call that plans gets other windows than the scored one; only the clairvoyant plan gets that alone."""
    # The package has a function of that name.
    module = importlib.import_module("eplb_opt.backtest")
    loads = recorded()
    seen = []
    true_known = module._known

    def watched(all_loads, part, strategy):
        known = true_known(all_loads, part, strategy)
        seen.append((strategy, part.scored, known.values))
        return known

    monkeypatch.setattr(module, "_known", watched)
    eplb_opt.backtest(loads, DEPLOYMENT, FAST, split=split, time_limit=0.02)
    for strategy, window, values in seen:
        before = [k for k in range(4) if (k < window if split == "rolling" else k != window)]
        expected = {
            "last": loads[before[-1:]],
            "total": loads[before].sum(axis=0, keepdims=True),
            CLAIRVOYANT: loads[[window]],
        }.get(strategy.partition("/")[0], loads[before])
        assert np.array_equal(values, expected)


def test_what_comes_later_changes_no_score_of_a_rolling_split():
    loads = recorded()
    other = np.concatenate([loads[:3], loads[3:][..., ::-1]])
    one, two = (eplb_opt.backtest(values, DEPLOYMENT, FAST, time_limit=0.02) for values in (loads, other))
    for strategy in FAST:
        for window in (1, 2):
            assert np.array_equal(scored(one, strategy, window), scored(two, strategy, window))


def test_equal_windows_lose_nothing_to_the_forecast():
    loads = np.repeat(recorded(windows=1), 3, axis=0)
    frame = eplb_opt.backtest(loads, DEPLOYMENT, ["last/search", "last/greedy", "mean/greedy"], time_limit=0.3)
    table = summarise_backtest(frame).set_index("strategy")
    assert table.loc["last/search", "lost"] == pytest.approx(0, abs=2e-3)
    assert table.loc["last/greedy", "balancedness"] == pytest.approx(table.loc["mean/greedy", "balancedness"])
    assert table.loc["last/greedy", "by_heuristic"] > 0.01


def test_the_summary_splits_what_is_lost():
    frame = eplb_opt.backtest(recorded(), DEPLOYMENT, split="leave-one-out", time_limit=0.01)
    table = summarise_backtest(frame)
    assert table["balancedness"].is_monotonic_decreasing
    assert table["strategy"].iloc[0] == CLAIRVOYANT
    assert table["lost"].to_numpy() == pytest.approx((table["by_forecast"] + table["by_heuristic"]).to_numpy())
    searched = table[table["planner"] == "search"]
    assert (searched["by_heuristic"] == 0).all()
    for name, rows in frame.groupby("strategy"):
        row = table[table["strategy"] == name].iloc[0]
        assert row["balancedness"] == pytest.approx(rows["balancedness"].mean())
        assert row["worst"] == rows["balancedness"].min()
    alone = summarise_backtest(eplb_opt.backtest(recorded(), DEPLOYMENT, ["mean/greedy"], time_limit=0.02))
    assert alone.set_index("strategy")["by_forecast"].isna()["mean/greedy"]


def test_plans_for_all_windows_hold_better_than_plans_for_the_last():
    frame = eplb_opt.backtest(
        recorded(windows=6, layers=4, experts=64, seed=2, shift=0.2),
        Deployment(16, 80),
        ["last/search", "mean/search"],
        time_limit=0.1,
    )
    table = summarise_backtest(frame).set_index("strategy")["balancedness"]
    assert table["mean/search"] > table["last/search"] + 0.005


def test_layers_and_windows_without_load_are_no_trouble():
    loads = recorded()
    loads[1, 0] = 0
    loads[:, 1] = 0
    frame = eplb_opt.backtest(loads, DEPLOYMENT, time_limit=0.02)
    assert set(zip(frame["window"], frame["layer_id"], strict=True)) == {(2, 0), (3, 0)}


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((recorded(windows=1), DEPLOYMENT), {}, "at least two"),
        ((recorded(), DEPLOYMENT, ["best/search"]), {}, "best/search"),
        ((recorded(), DEPLOYMENT), {"split": "random"}, "rolling"),
        ((recorded(), DEPLOYMENT), {"time_limit": -1}, "time_limit=-1 is not a positive number of seconds"),
        ((recorded(), DEPLOYMENT), {"time_limit": "1"}, "time_limit='1' is not a number"),
        ((recorded(), DEPLOYMENT), {"workers": 0}, "workers=0 is not a positive integer"),
        ((recorded(), DEPLOYMENT), {"scenarios": -1}, "scenarios"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        eplb_opt.backtest(*arguments, **options)


def test_a_deployment_without_room_is_refused():
    with pytest.raises(InvalidDeploymentError):
        eplb_opt.backtest(recorded(), Deployment(8, 16))


def test_ctrl_c_keeps_the_windows_that_are_done():
    loads = recorded(windows=40, layers=2, experts=64)
    eplb_opt.backtest(loads[:2], Deployment(16, 80), ["mean/search"], time_limit=0.02)
    seen = []

    def press(step):
        seen.append(step)
        # In the second window, while its plan is searched for.
        if len(seen) == 3:
            threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()

    frame = eplb_opt.backtest(loads, Deployment(16, 80), ["mean/search"], time_limit=0.5, progress=press)
    assert 0 < frame["window"].nunique() < 39
    assert (frame.groupby("window")["strategy"].nunique() == 2).all()


def test_ctrl_c_ends_it_where_the_plan_of_the_moment_is_done(monkeypatch):
    calls = []

    def interrupted(*arguments, **options):
        calls.append(options)

        def press(now):
            # The third plan is that of the second window which knows what comes.
            if len(calls) == 3 and now.layers_done == now.layers:
                signal.raise_signal(signal.SIGINT)

        return eplb_opt.solve(*arguments, **options, progress=press)

    monkeypatch.setattr(importlib.import_module("eplb_opt.backtest"), "solve", interrupted)
    loads = np.ones((4, 1, 4), dtype=np.int64)
    frame = eplb_opt.backtest(loads, Deployment(4, 4), ["mean/search"], time_limit=1)
    assert len(calls) == 3
    assert list(frame["window"].unique()) == [1]
