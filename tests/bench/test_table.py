"""Tables of runs, on solutions made by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from eplb_opt.bench.machine import Machine
from eplb_opt.bench.run import Run
from eplb_opt.bench.suite import Case
from eplb_opt.bench.table import contradictions, open_cases, profile, summary, to_frame
from eplb_opt.deployment import Deployment
from eplb_opt.layer_solution import LayerSolution, TracePoint
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.solution import Solution

HERE = Machine("a processor", 2, 8.0, "a system", {"eplb_opt": "1", "Python": "3"})
# Two layers of mean load 4 on 2 GPUs, and on 4.
LOADS = Loads([[4, 4], [4, 4]])
CASE = Case("rank 1", LOADS, Deployment(2, 2))
NODES = Case("a|b", Loads([[8, 8], [8, 8]]), Deployment(4, 4, 2, 2), origin="real")


def run(case, method, *values, seconds=2.0):
    """A run of which layers have the given (objective, lower bound), a second of work and a quarter of a second."""
    layers = tuple(
        LayerSolution(
            layer_id=i,
            objective=Fraction(objective),
            max_load=Fraction(objective),
            mean_load=Fraction(4),
            proof=Proof("mean" if bound == 4 else "slack", Fraction(bound), checked=True),
            stopped_by=None if objective == bound else "time",
            trace=(
                TracePoint(0.5, Fraction(objective), Fraction(4), "greedy"),
                TracePoint(1.0, Fraction(objective), Fraction(bound), "mean"),
            ),
            work={"search": 1.0, "start": 0.25},
        )
        for i, (objective, bound) in enumerate(values)
    )
    rows = [[e for e in range(2) for _ in range(case.deployment.num_slots // 2)]] * 2
    solution = Solution(Plan(rows, case.deployment, 2), layers, "total", seconds)
    return Run(case, method, solution, seconds, thread_seconds=0.5, workers=2, machine=HERE)


# Imbalance (8 + 6) / 8 and bound (4 + 5) / 8; then (6 + 5) / 8 and (5 + 4) / 8. Best bounds by layer: 5 + 5.
RUNS = [run(CASE, "greedy", (8, 4), (6, 5)), run(CASE, "auto", (6, 5), (5, 4), seconds=3.0)]


def test_a_row_holds_the_best_bound_of_any_method_and_gaps_to_the_own_bound():
    frame = to_frame(RUNS)
    assert frame["case"].tolist() == ["rank-1-2x2x2"] * 2 and frame["method"].tolist() == ["greedy", "auto"]
    assert frame["imbalance"].tolist() == [14 / 8, 11 / 8]
    assert frame["own_bound"].tolist() == [9 / 8, 9 / 8]
    assert frame["bound"].tolist() == [10 / 8, 10 / 8]
    # Gaps 1/2 and 1/6; 1/6 and 1/5.
    assert frame["worst_gap"].tolist() == [1 / 2, 1 / 5]
    assert frame["mean_gap"].tolist() == frame["median_gap"].tolist() == pytest.approx([1 / 3, 11 / 60])
    assert frame["proofs"].tolist() == ["mean (checked)=1; slack (checked)=1", "slack (checked)=1; mean (checked)=1"]
    assert frame["work"].tolist() == ["search=2.0; start=0.5"] * 2
    shape = frame.iloc[0][["experts", "slots", "gpus", "nodes", "groups", "layers", "workers", "layers_optimal"]]
    assert shape.tolist() == [2, 2, 2, 1, 1, 2, 2, 0]
    assert frame["best"].tolist() == [11 / 8, 11 / 8]
    # Sums of 14 and of 11 tokens, where no plan is below 10.
    assert frame["gap"].tolist() == [4 / 14, 1 / 11]
    assert frame["failures"].tolist() == ["", ""] and frame["objective"].tolist() == ["total"] * 2
    machine = frame.iloc[0][["eplb_opt", "Python", "processor", "cores", "memory_gib", "system"]]
    assert machine.tolist() == ["1", "3", "a processor", 2, 8.0, "a system"]


def test_the_summary_counts_layers_of_all_cases():
    optimal = run(NODES, "auto", (4, 4), (Fraction(40004, 10000), 4))
    frame = summary([*RUNS, optimal])
    assert frame["method"].tolist() == ["greedy", "auto"]
    # auto: gaps 1/6, 1/5, 0 and 0.0004 / 4.0004 < 1e-4, of which the median is the mean of 1/10001 and 1/6.
    auto = frame.iloc[1]
    assert auto["median_gap"] == pytest.approx((1 / 10001 + 1 / 6) / 2)
    assert (auto["gap <= 0.001"], auto["gap <= 0.0002"], auto["worst_gap"]) == (0.5, 0.5, 0.2)
    assert (auto["cases"], auto["layers"], auto["layers_optimal"], auto["seconds"]) == (2, 4, 1, 5.0)


def test_open_cases_are_the_widest_first_and_only_those_above_a_thousandth():
    closed = run(NODES, "auto", (4, 4), (4, 4))
    wide = run(Case("wide", LOADS, Deployment(2, 2)), "auto", (8, 4), (4, 4))
    frame = open_cases([*RUNS, closed, wide], "auto")
    assert frame["case"].tolist() == ["wide-2x2x2", "rank-1-2x2x2"]
    assert frame["layers"].tolist() == [1, 2]
    # The gap of a row is between its plan and its own bound; another's may be better.
    better = run(CASE, "cpsat", (6, 6), (6, 6))
    (row,) = open_cases([RUNS[1], better], "auto").to_dict("records")
    assert row["own_bound"] < row["bound"]


def test_a_bound_above_another_method_s_plan_is_a_contradiction():
    assert contradictions(RUNS) == []
    (sentence,) = contradictions([run(CASE, "cpsat", (8, 7), (6, 4)), RUNS[1]])
    assert sentence == (
        "rank-1-2x2x2, layer 0: cpsat claims that no plan is below 7.0 (slack (checked)), auto has one of 6.0"
    )


def test_the_library_contradicts_like_a_method():
    wrong = replace(CASE, known=run(CASE, "", (8, 7), (6, 4)).solution)
    (sentence,) = contradictions([run(wrong, "auto", (6, 5), (5, 4))])
    assert sentence.startswith("rank-1-2x2x2, layer 0: the library claims that no plan is below 7.0")


def test_objectives_that_are_imbalances_are_not_divided_by_loads_again():
    made = run(replace(CASE, objective="worst"), "auto", (Fraction(3, 2), 1), (Fraction(5, 4), 1))
    made = replace(made, solution=replace(made.solution, objective="worst"))
    row = to_frame([made]).iloc[0]
    # The mean over layers.
    assert (row["imbalance"], row["bound"], row["own_bound"], row["objective"]) == (11 / 8, 1, 1, "worst")
    assert row["gap"] == pytest.approx(3 / 11)


def test_a_profile_splits_wall_clock_times_workers():
    # 2 s x 2 workers: two layers of 1 s search and 0.25 s start, 0.5 s of the calling thread, 1 s left.
    frame = profile(RUNS[0])
    assert frame["step"].tolist() == ["search", "start", "calling thread", "unused"]
    assert frame["seconds"].tolist() == [2.0, 0.5, 0.5, 1.0]
    assert frame["share"].tolist() == [0.5, 0.125, 0.125, 0.25]


@pytest.mark.parametrize("objective", ["total", "mean"])
def test_layers_without_load_are_in_no_figure_of_a_run(objective):
    whole = run(CASE, "auto", (6, 5), (5, 4))
    # By definition 0 tokens, or an imbalance of 1; the layer is optimal with every plan.
    value, nothing = Fraction(objective != "total"), Fraction(0)
    trace = (TracePoint(3.0, value, value, "greedy"),)
    empty = LayerSolution(2, value, nothing, nothing, Proof("mean", value, checked=True), None, trace)
    frames = []
    for layers in (whole.solution.layers, (*whole.solution.layers, empty)):
        plan = Plan([[0, 1]] * len(layers), CASE.deployment, 2)
        frames.append(
            to_frame([replace(whole, solution=replace(whole.solution, plan=plan, layers=layers, objective=objective))])
        )
    ours = ["imbalance", "best", "bound", "own_bound", "gap", "mean_gap", "median_gap", "worst_gap", "layers_optimal"]
    ours += ["primal_integral", "dual_integral", "seconds_to_0.01"]
    assert frames[0][ours].equals(frames[1][ours])
