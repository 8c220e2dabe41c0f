"""Methods of one's own: what a function is given, what may come back, and what is said of anything else."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import eplb_opt
from eplb_opt.backtest import summarise_backtest
from eplb_opt.compare import SOLVE, summarise_comparison
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidDeploymentError, MethodError
from eplb_opt.published_scores import published_scores, summarise_scores
from eplb_opt.report.backtest import plot_backtest
from eplb_opt.report.compare import plot_comparison
from eplb_opt.report.making import make_report
from tests.reference_policy import pack_evenly

LOADS = np.random.default_rng(0).lognormal(6, 1, (3, 4, 32)).astype(int)
DEPLOYMENT = Deployment(8, 40)


def published(weight, num_replicas, num_groups, num_nodes, num_gpus):
    """DeepSeek's policy for global placement, from its description: one replica after the other, heaviest first."""
    assert (num_groups, num_nodes) == (1, 1)
    return torch.tensor([_row(row.tolist(), num_replicas, num_gpus) for row in weight])


def _row(loads, slots, gpus):
    counts = [1] * len(loads)
    for _ in range(slots - len(loads)):
        counts[max(range(len(loads)), key=lambda e: loads[e] / counts[e])] += 1
    owner = [expert for expert, count in enumerate(counts) for _ in range(count)]
    return [owner[item] for pack in pack_evenly([loads[e] / counts[e] for e in owner], gpus) for item in pack]


def in_order(weight, num_replicas, *_):
    """Experts in order, then again from the first."""
    return torch.arange(num_replicas).remainder(weight.shape[1]).repeat(len(weight), 1)


def as_triple(weight, *sizes):
    plan = eplb_opt.Plan(in_order(weight, *sizes).numpy(), DEPLOYMENT, weight.shape[1])
    phy2log, log2phy, logcnt = plan.to_torch()
    # Wider than it has to be, and in another order: engines pad as they like.
    padding = torch.full((*logcnt.shape, 3), -1)
    return phy2log, torch.cat([padding, log2phy.flip(2)], dim=2), logcnt


def test_the_published_policy_as_a_function_is_worth_what_the_registry_says():
    deployment = Deployment(8, 40, distinct=False)
    frame = eplb_opt.compare(LOADS[:1], deployment, ["lpt", published], time_limit=0.3)
    of = {name: rows.reset_index() for name, rows in frame.groupby("method")}
    for figure in ("objective", "lower_bound", "gap", "imbalance", "doubled"):
        assert of["published"][figure].to_numpy() == pytest.approx(of["lpt"][figure].to_numpy(), rel=1e-12), figure
    assert (frame["error"] == "").all()
    assert summarise_comparison(frame)["method"].iloc[0] == SOLVE


def test_a_function_is_given_what_the_published_one_is():
    seen = []

    def watch(weight, *sizes):
        seen.append((weight.clone(), sizes))
        weight.zero_()
        return in_order(weight, *sizes)

    def planned(deployment):
        seen.clear()
        # Experts in order obey no groups.
        with pytest.raises(MethodError) if deployment.hierarchical else nullcontext():
            eplb_opt.solve(LOADS, deployment, method=watch)
        return seen[0][1]

    assert planned(DEPLOYMENT) == (40, 1, 1, 8)
    weight = seen[0][0]
    assert (weight.dtype, weight.device.type, weight.is_contiguous()) == (torch.float32, "cpu", True)
    assert np.array_equal(weight.numpy(), LOADS.sum(axis=0))
    assert planned(Deployment(8, 40, 2, 4)) == (40, 4, 2, 8)
    # One group on two nodes is what the published function takes for global.
    assert planned(Deployment(8, 40, 2, 4, policy="global")) == (40, 1, 2, 8)
    assert planned(Deployment(8, 40, 3, policy="global")) == (40, 1, 1, 8)


@pytest.mark.parametrize(
    "answer",
    [
        in_order,
        as_triple,
        lambda *given: in_order(*given).numpy().astype(np.int32),
        lambda *given: in_order(*given).tolist(),
        lambda *given: eplb_opt.Plan(in_order(*given).numpy(), DEPLOYMENT, 32),
    ],
    ids=["tensor", "triple", "array", "lists", "plan"],
)
def test_a_plan_may_come_back_in_any_form(answer):
    plan = eplb_opt.solve(LOADS[0], DEPLOYMENT, method=answer).plan
    assert plan.physical_to_logical.tolist() == [[*range(32), *range(8)]] * 4


class Panic(BaseException):
    """As of PyO3."""


def panic():
    raise Panic("index out of bounds")


async def later(*_):
    """Not awaited by anybody: pytest takes the warning for an error."""


WRONG = {
    "exception": (lambda *_: 1 / 0, "lambda raised ZeroDivisionError: division by zero (line "),
    "exit": (lambda *_: exit(3), "lambda raised SystemExit: 3"),
    # Code of Rust raises what is no `Exception`.
    "panic": (lambda *_: panic(), "lambda raised Panic: index out of bounds"),
    "signature": (lambda weight: weight, "lambda raised TypeError: "),
    "nothing": (lambda *_: None, "phy2log is a NoneType; return phy2log, or (phy2log, log2phy, logcnt), or a Plan"),
    "coroutine": (lambda *_: later(), "phy2log is a coroutine; return phy2log"),
    "pair": (lambda *given: (in_order(*given),) * 2, "a tuple of 2; return phy2log"),
    "floats": (lambda weight, *_: weight, "phy2log holds float32, not integers"),
    "no data": (lambda *given: in_order(*given).to("meta"), "phy2log cannot be read: Cannot copy out of meta tensor"),
    "sparse": (lambda *given: in_order(*given).to_sparse(), "phy2log cannot be read: "),
    "ragged": (lambda *_: [[1, 2], [3]], "phy2log is ragged"),
    "shape": (lambda *given: in_order(*given).T, "phy2log has shape (40, 4), not (layers, slots) = (4, 40)"),
    "id": (lambda *given: in_order(*given) + 1, "layer 0: slot 31 holds expert 32, ids end at 31 (and 7 more)"),
    "empty slot": (lambda *given: in_order(*given) - 1, "layer 0: slot 0 is empty (-1)"),
    "dropped expert": (lambda *given: in_order(*given).clip(max=30), "layer 0: expert 31 has no replica"),
    "other plan": (
        lambda *given: eplb_opt.Plan(in_order(*given).numpy(), DEPLOYMENT, 33),
        "a Plan for 33 experts, not 32",
    ),
    "counts": (
        lambda *given: (*as_triple(*given)[:2], as_triple(*given)[2] + 1),
        "logcnt has 3 replicas of expert 0 of layer 0, phy2log 2",
    ),
    "slots": (
        lambda *given: (as_triple(*given)[0], as_triple(*given)[1].roll(1, dims=1), as_triple(*given)[2]),
        "log2phy has other slots of expert 0 of layer 0 than phy2log",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_goes_wrong_is_a_row_with_a_sentence_and_not_an_end(name):
    function, words = WRONG[name]
    frame = eplb_opt.compare(LOADS[:1], DEPLOYMENT, [function, "trivial"], time_limit=0.1)
    table = summarise_comparison(frame)
    assert table["method"].tolist() == [SOLVE, "trivial", "lambda"]
    row = table.iloc[-1]
    assert words in row["error"] and "\n" not in row["error"]
    assert row.drop(["method", "error"]).isna().all()
    assert len(frame) == 12 and frame["lower_bound"].notna().all()
    drawn = plot_comparison(frame, Figure().subplots())
    assert [label.get_text() for label in drawn.get_yticklabels()] == ["trivial", SOLVE]


def test_ctrl_c_in_a_function_keeps_the_rows_before_it(caplog):
    def endless(weight, *_):
        raise KeyboardInterrupt

    frame = eplb_opt.compare(LOADS[:1], DEPLOYMENT, ["lpt", endless, "snake"], time_limit=0.1)
    assert list(frame["method"].unique()) == [SOLVE, "lpt"]
    assert "there is no row of endless, nor of any method behind it" in caplog.text


def test_replicas_that_share_a_gpu_are_exchanged_and_counted_as_for_published_heuristics():
    def doubled(weight, num_replicas, *_):
        return in_order(weight, num_replicas).sort(dim=1).values

    # Experts 0 to 7 twice, side by side in 16 slots; GPUs of 5 slots end between the copies of 2, 5 and none else.
    frame = eplb_opt.compare(LOADS[:1], DEPLOYMENT, [doubled], time_limit=0.1)
    rows = frame[frame["method"] == "doubled"]
    assert rows["doubled"].tolist() == [6] * 4
    solution = eplb_opt.solve(LOADS[0], DEPLOYMENT, method=doubled)
    assert eplb_opt.verify(solution.plan) == []
    assert (solution.plan.replica_counts == [2] * 8 + [1] * 24).all()
    # As it is, where the rules allow it.
    shared = eplb_opt.solve(LOADS[0], Deployment(8, 40, distinct=False), method=doubled)
    assert (np.diff(shared.plan.physical_to_logical) >= 0).all()


def test_replicas_beyond_one_for_each_gpu_are_given_on():
    def on_one(weight, num_replicas, *_):
        return in_order(weight, num_replicas).clip(max=31) * (torch.arange(num_replicas) < 32)

    # The published policy as it is does the same with a layer without load.
    plan = eplb_opt.solve(LOADS[0], DEPLOYMENT, method=on_one).plan
    assert eplb_opt.verify(plan) == []
    # Nine replicas of expert 0 are one too many: its slot goes to the hottest of the others.
    hottest = LOADS[0][:, 1:].argmax(axis=1) + 1
    for counts, expert in zip(plan.replica_counts, hottest, strict=True):
        assert np.array_equal(np.flatnonzero(counts > 1), [0, expert]) and (counts[0], counts[expert]) == (8, 2)
    empty = eplb_opt.solve(np.zeros((2, 32)), DEPLOYMENT, method=published)
    assert eplb_opt.verify(empty.plan) == [] and empty.status == "optimal"


def test_a_plan_of_a_function_has_its_value_and_a_bound():
    solution = eplb_opt.solve(LOADS[0], DEPLOYMENT, method=in_order)
    assert [layer.objective for layer in solution.layers] == [
        max(_loads_in_order(row).reshape(8, 5).sum(axis=1)) for row in LOADS[0]
    ]
    assert all(layer.lower_bound >= layer.mean_load for layer in solution.layers)
    assert {layer.trace[0].source for layer in solution.layers} == {"in_order"}
    assert solution.layers[0].stopped_by == "stalled"


def _loads_in_order(row):
    loads = row.astype(float)
    loads[:8] /= 2
    return np.concatenate([loads, loads[:8]])


def test_a_warm_start_that_is_better_stays():
    better = eplb_opt.solve(LOADS[0], DEPLOYMENT, method="greedy")
    solution = eplb_opt.solve(LOADS[0], DEPLOYMENT, method=in_order, warm_start=better.plan)
    assert [layer.objective for layer in solution.layers] == [layer.objective for layer in better.layers]


def test_the_published_protocol_gives_a_failure_nothing():
    calls = []

    def sometimes(weight, *sizes):
        calls.append(len(calls))
        if weight.sum() == LOADS[1].sum():
            raise ValueError("too hard")
        return in_order(weight, *sizes)

    frame = published_scores(LOADS, DEPLOYMENT, [sometimes, in_order], time_limit=0.1)
    # Three runs for the first window, of which the fastest counts, and one for the other.
    assert len(calls) == 4
    rows = frame[frame["method"] == "sometimes"]
    assert rows["slot_balancedness"].tolist()[1] == rows["score_2ms"].tolist()[1] == 0
    assert rows["slot_balancedness"].tolist()[0] == frame[frame["method"] == "in_order"]["slot_balancedness"].iloc[0]
    table = summarise_scores(frame).set_index("method")
    assert table.loc["sometimes", "slot_balancedness"] == rows["slot_balancedness"].iloc[0] / 2
    assert "too hard" in table.loc["sometimes", "error"] and table.loc["in_order", "error"] == ""


def test_a_backtest_plans_for_the_window_in_the_middle_of_each_forecast():
    seen = []

    def watch(weight, *sizes):
        seen.append(weight.numpy().copy())
        return published(weight, *sizes)

    deployment = Deployment(8, 40, distinct=False)
    frame = eplb_opt.backtest(
        LOADS, deployment, ["last/greedy", "worst/greedy"], methods=["lpt", watch], time_limit=0.02
    )
    # Rolling: on window 0, then on windows 0 and 1.
    assert np.allclose(seen[0], LOADS[0]) and np.allclose(seen[2], LOADS[1])
    means = LOADS[:2].mean(axis=2, keepdims=True)
    assert np.allclose(seen[3], (LOADS[:2] / means).max(axis=0) * means.mean(axis=0))
    table = summarise_backtest(frame).set_index("strategy")
    for forecast in ("last", "worst"):
        assert table.loc[f"{forecast}/watch", "balancedness"] == pytest.approx(
            table.loc[f"{forecast}/lpt", "balancedness"]
        )
    assert len(table) == 7


def test_a_backtest_goes_on_without_a_function_that_fails():
    def sometimes(weight, *sizes):
        if np.allclose(weight, LOADS[1]):
            raise ValueError("too hard")
        return in_order(weight, *sizes)

    frame = eplb_opt.backtest(LOADS, DEPLOYMENT, ["last/greedy"], methods=[sometimes], time_limit=0.02)
    rows = frame[frame["strategy"] == "last/sometimes"]
    assert rows.groupby("window")["balancedness"].count().to_dict() == {1: 4, 2: 0}
    table = summarise_backtest(frame)
    assert table["strategy"].iloc[-1] == "last/sometimes"
    # A mean over the windows that went well would flatter it.
    assert np.isnan(table["balancedness"].iloc[-1]) and "too hard" in table["error"].iloc[-1]
    assert [text.get_text() for text in plot_backtest(frame, Figure().subplots()).get_yticklabels()] == ["last/greedy"]


def test_gpus_with_other_numbers_of_slots_are_refused():
    uneven = Deployment(8, 40, gpu_slots=(6, 4, 5, 5, 5, 5, 5, 5))
    with pytest.raises(InvalidDeploymentError, match="methods of one's own are"):
        eplb_opt.solve(LOADS[0], uneven, method=in_order)


def test_a_function_called_as_a_row_of_the_table_gets_a_row_of_its_own():
    def called(name):
        def function(*given):
            return in_order(*given)

        function.__name__ = name
        return function

    loads = eplb_opt.Loads(LOADS)
    frame = eplb_opt.compare(loads, DEPLOYMENT, [called(SOLVE), called("lpt"), "lpt"], time_limit=0.1)
    assert set(frame["method"]) == {SOLVE, "solve 2", "lpt", "lpt 2"}
    assert set(frame.groupby("method").size()) == {4}
    own = [called("search"), called("greedy"), called("joint")]
    scores = eplb_opt.backtest(loads, DEPLOYMENT, ["last/greedy"], methods=own, time_limit=0.01)
    names = {"clairvoyant", "last/greedy", "last/search 2", "last/greedy 2", "last/joint 2"}
    assert set(scores["strategy"]) == names and scores.groupby("strategy").size().nunique() == 1
    report = make_report(LOADS[0], DEPLOYMENT, methods=[called(SOLVE)], time_limit=0.2)
    assert {SOLVE, "solve 2"} <= report.figures.keys()
    assert report.figures["solve 2"] != report.figures[SOLVE]
