"""compare: rows against the bound, and the published score."""

import importlib
import signal

import numpy as np
import pytest
from hypothesis import given
from matplotlib.figure import Figure

import eplb_opt
from eplb_opt.compare import SOLVE, compare, summarise_comparison
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.evaluate import summarise
from eplb_opt.heuristics import names
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.published_scores import published_scores, summarise_scores
from eplb_opt.report.compare import plot_comparison
from tests.examples import examples
from tests.strategies import SMALL, TOKENS, instances

LOADS = np.random.default_rng(0).lognormal(6, 1, (3, 4, 32)).astype(int)
DEPLOYMENT = Deployment(8, 40)


def test_every_method_has_a_row_for_each_layer_and_none_beats_the_bound():
    frame = compare(LOADS[:1], DEPLOYMENT, time_limit=1)
    assert frame.groupby("method")["layer_id"].apply(list).to_dict() == {
        name: [0, 1, 2, 3] for name in (SOLVE, *names())
    }
    assert (frame["gap"] >= 0).all()
    assert (frame["objective"] >= frame["lower_bound"]).all()
    table = summarise_comparison(frame)
    assert table["method"][0] == SOLVE
    assert table["gap"].is_monotonic_increasing


def test_the_figures_are_those_of_evaluate_and_solve():
    frame = compare(LOADS[:1], DEPLOYMENT, ["lpt"], time_limit=0.5)
    solution = eplb_opt.solve(LOADS[:1], DEPLOYMENT, method="lpt")
    metrics = eplb_opt.evaluate(solution.plan, LOADS[:1])
    rows = frame[frame["method"] == "lpt"]
    assert rows["objective"].tolist() == metrics["max_load"].tolist()
    assert rows["slot_balancedness"].tolist() == pytest.approx(metrics["slot_balancedness"].tolist())
    assert (rows["milliseconds"] > 0).all()


@pytest.mark.parametrize("objective", ["total", "mean", "worst"])
def test_several_windows_have_each_objective(objective):
    frame = compare(LOADS, DEPLOYMENT, ["snake", "joint"], objective=objective, time_limit=1)
    assert (frame["gap"] >= 0).all()
    unit = frame["objective"] / frame["imbalance"]
    # The mean over windows of the imbalance is what the objective "mean" is.
    assert np.allclose(unit, 1) == (objective == "mean")


@examples(15)
@given(instances(kinds=(SMALL, TOKENS)))
def test_no_row_beats_the_bound_whatever_the_rules(instance):
    frame = compare(np.array(instance.weights)[:, np.newaxis], instance.deployment, time_limit=0.2)
    assert (frame["gap"] >= 0).all()


def test_layers_without_load_have_no_gap():
    frame = compare(np.zeros((1, 2, 32)), DEPLOYMENT, ["lpt"], time_limit=0.2)
    assert (frame["gap"] == 0).all()
    assert frame["imbalance"].isna().all() and (frame["windows"] == 0).all()
    table = summarise_comparison(frame)
    assert (table[["objective", "gap", "mean_gap", "worst_gap"]] == 0).all(axis=None)
    assert table["imbalance"].isna().all()
    assert plot_comparison(frame, Figure().subplots()).get_yticklabels() == []


def test_sums_of_windows_may_be_the_largest_that_there_are():
    huge = np.full((4, 1, 32), 2**46) - np.arange(32)
    frame = compare(huge, DEPLOYMENT, ["lpt"], objective="total", time_limit=0.2)
    assert (frame["gap"] >= 0).all()
    assert (frame["imbalance"] < 2).all()


def test_the_published_score_is_of_the_next_window():
    frame = published_scores(LOADS, DEPLOYMENT, ["lpt", SOLVE], time_limit=0.5)
    assert frame.groupby("method")["window"].apply(list).to_dict() == {"lpt": [1, 2], SOLVE: [1, 2]}
    plan = eplb_opt.solve(LOADS[0], DEPLOYMENT, method="lpt").plan
    slots = np.take_along_axis(LOADS[1] / plan.replica_counts, plan.physical_to_logical, axis=1)
    gpus = slots.reshape(4, 8, -1).sum(axis=2)
    row = frame.iloc[0]
    assert row["slot_balancedness"] == pytest.approx(slots.mean(axis=1).sum() / slots.max(axis=1).sum())
    assert row["gpu_balancedness"] == pytest.approx(gpus.mean(axis=1).sum() / gpus.max(axis=1).sum())
    assert row["speed_2ms"] == min(1.0, 2.0 / row["milliseconds"])
    assert row["score_20ms"] == pytest.approx((row["slot_balancedness"] + row["speed_20ms"]) / 2)
    assert summarise_scores(frame)["method"].tolist()


def test_planners_see_one_window_and_cannot_change_it(monkeypatch):
    """A planner that writes into its loads, or reads on, changes nothing of what it is scored on."""
    import eplb_opt.heuristics.batch as batch

    seen, plans, place = [], [], batch.place_layers

    def scribble(heuristic, loads, deployment):
        placement = place(heuristic, loads, deployment)
        if len(loads) == LOADS.shape[1]:
            seen.append(loads.copy())
            plans.append(placement.slots)
        loads[:] = 1.0
        return placement

    before = LOADS.copy()
    monkeypatch.setattr(batch, "place_layers", scribble)
    frame = published_scores(Loads(LOADS), DEPLOYMENT, ["lpt"])
    assert (before == LOADS).all()
    # Of the runs for a window the first has the window itself, but for the layer that kernels are loaded with, and
    # its plan is the one that is scored.
    of_a_window = len(seen) // 2
    for window, score in enumerate(frame["slot_balancedness"], start=1):
        first = (window - 1) * of_a_window
        assert proportional(seen[first][1:], LOADS[window - 1][1:])
        plan = Plan(plans[first], DEPLOYMENT, LOADS.shape[2])
        slots = np.take_along_axis(before[window] / plan.replica_counts, plan.physical_to_logical, axis=1)
        assert score == pytest.approx(slots.mean(axis=1).sum() / slots.max(axis=1).sum())


def proportional(left, right):
    return np.allclose(left * right.sum(axis=1, keepdims=True), right * left.sum(axis=1, keepdims=True))


def test_wrong_use_is_one_sentence():
    with pytest.raises(InvalidArgumentError, match="method='nonsense' is not one of"):
        compare(LOADS, DEPLOYMENT, ["nonsense"])
    with pytest.raises(InvalidArgumentError, match="give two or more"):
        published_scores(LOADS[:1], DEPLOYMENT)
    with pytest.raises(InvalidArgumentError, match="method='nonsense' is not one of"):
        published_scores(LOADS, DEPLOYMENT, ["nonsense"])


def test_ctrl_c_ends_the_published_score(monkeypatch):
    def interrupted(*arguments, **options):
        return eplb_opt.solve(*arguments, **options, progress=lambda now: signal.raise_signal(signal.SIGINT))

    monkeypatch.setattr(importlib.import_module("eplb_opt.published_scores"), "solve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        published_scores(np.ones((3, 1, 4), dtype=np.int64), eplb_opt.Deployment(4, 4), [SOLVE])


def test_a_comparison_that_was_interrupted_says_so(caplog):
    def press(_now):
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    pressed = []
    frame = compare(LOADS[0], DEPLOYMENT, ["lpt"], target_gap=0, progress=press)
    assert set(frame["method"]) == {SOLVE, "lpt"}
    assert "interrupted" in caplog.text


@pytest.mark.parametrize("objective", ["auto", "mean", "worst"])
def test_one_loaded_window_is_an_imbalance_like_all_others(objective):
    """Of two windows one is empty: the other is searched by its max load, and valued as every other layer is."""
    loads = [[[80, 10, 5, 5, 4, 3, 2, 1]], [[0] * 8]]
    frame = compare(loads, Deployment(4, 12), ["lpt"], objective=objective, time_limit=60)
    # Four replicas of 20, one on each GPU, and beside them 5, 5, 5, 5, 4, 3, 2, 1, of which a 5 and the 4 share a GPU:
    # 29, where the mean load is 110 / 4. With three replicas one GPU has 26.7 and at least 3 of the others.
    assert (frame[["objective", "lower_bound", "imbalance"]] == 29 / 27.5).all(axis=None)
    assert (frame["gap"] == 0).all() and (frame["windows"] == 1).all()


def test_layers_of_different_windows_are_in_one_unit():
    """A layer with one loaded window beside one with three, and one without any."""
    loads = LOADS.copy()
    loads[1:, 1], loads[:, 2] = 0, 0
    frame = compare(loads, DEPLOYMENT, ["lpt"], time_limit=0.5)
    lpt = frame[frame["method"] == "lpt"].set_index("layer_id")
    assert lpt["windows"].tolist() == [3, 1, 0, 3]
    assert (frame["objective"] < 8).all() and (frame["gap"] >= 0).all()
    loaded = lpt[lpt["windows"] > 0]
    assert loaded["objective"].to_numpy() == pytest.approx(loaded["imbalance"].to_numpy())
    row = summarise_comparison(frame).set_index("method").loc["lpt"]
    assert row["objective"] == pytest.approx(loaded["objective"].sum())
    assert row["mean_gap"] == pytest.approx(loaded["gap"].mean())
    assert row["gap"] == pytest.approx(1 - loaded["lower_bound"].sum() / loaded["objective"].sum())
    # Over layers and windows, as in `evaluate`.
    plan = eplb_opt.solve(loads, DEPLOYMENT, method="lpt").plan
    for name, value in summarise(eplb_opt.evaluate(plan, loads)).items():
        if (metric := name.removeprefix("mean_")) in row:
            assert row[metric] == pytest.approx(value), name
    drawn = plot_comparison(frame, Figure().subplots())
    assert sorted(len(line.get_xdata()) for line in drawn.get_lines()) == [1, 1, 2, 3, 3]


def test_the_published_score_leaves_out_what_has_no_load():
    loads = LOADS.copy()
    loads[1], loads[2, 3] = 0, 0
    frame = published_scores(loads, DEPLOYMENT, ["lpt"])
    assert frame["window"].tolist() == [2]
    # Planned on a window without load, and scored on the layers of the next that have some.
    plan = eplb_opt.solve(loads[1], DEPLOYMENT, method="lpt").plan
    slots = np.take_along_axis(loads[2] / plan.replica_counts, plan.physical_to_logical, axis=1)[:3]
    assert frame["slot_balancedness"][0] == pytest.approx(slots.mean(axis=1).sum() / slots.max(axis=1).sum())
    loads[2] = 0
    with pytest.raises(InvalidLoadsError, match="no window but the first has any load"):
        published_scores(loads, DEPLOYMENT, ["lpt"])
