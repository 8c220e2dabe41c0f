"""Standings and Markdown of runs made by hand: counts over cases, and who ends ahead of whom."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

from eplb_opt.bench.markdown import markdown
from eplb_opt.bench.run import LeftOut
from eplb_opt.bench.standings import ahead, better_than_the_library, failed_on, finished, standings
from eplb_opt.bench.suite import Case
from eplb_opt.bench.table import to_frame
from eplb_opt.deployment import Deployment
from eplb_opt.layer_solution import TracePoint
from tests.bench.test_table import CASE, LOADS, NODES, RUNS, run

LEFT_OUT = LeftOut(NODES, "cpsat", "it has no such objective", failed=False)


def with_remark(made, words):
    """The run with an event in its first layer that changed nothing."""
    first, *others = made.solution.layers
    remark = replace(first.trace[-1], seconds=1.5, source=words)
    layers = (replace(first, trace=(*first.trace, remark)), *others)
    return replace(made, solution=replace(made.solution, layers=layers))


def test_methods_are_counted_over_all_cases_and_one_without_a_run_came_near_to_nothing():
    far, near = run(CASE, "cpsat", (8, 4), (6, 5)), run(CASE, "auto", (5, 5), (5, 4))
    optimal = run(NODES, "auto", (4, 4), (4, 4))
    table = standings([far, near, optimal]).set_index("method")
    # Bounds 5 + 5 and 4 + 4: cpsat has 14, auto 10 and 8.
    assert table["cases"].to_dict() == {"cpsat": 1, "auto": 2}
    assert table["median_gap"].to_dict() == {"cpsat": pytest.approx(4 / 14), "auto": 0}
    for level in ("0.01", "0.001", "0.0001"):
        assert table[f"within_{level}"].to_dict() == {"cpsat": 0, "auto": 2}
    assert table["optimal"].to_dict() == {"cpsat": 0, "auto": 1}
    assert table["failed"].to_dict() == {"cpsat": 0, "auto": 0}
    assert table.loc["cpsat", "idle"] == 1 and pd.isna(table.loc["auto", "idle"])


def test_errors_instead_of_runs_are_counted_and_a_method_of_nothing_else_has_a_row():
    made = run(CASE, "auto", (5, 5), (5, 4))
    failed = [LeftOut(CASE, "rule", "no plan", failed=True), LeftOut(NODES, "rule", "no plan", failed=True)]
    outcomes = [made, *failed, LeftOut(CASE, "cpsat", "it has no such objective", failed=False)]
    # Of cases that are not finished nothing counts.
    counted = failed_on(outcomes, [made])
    assert counted == failed[:1]
    table = standings([made], counted).set_index("method")
    assert table["failed"].to_dict() == {"auto": 0, "rule": 1} and table["cases"].to_dict() == {"auto": 1, "rule": 0}
    assert pd.isna(table.loc["rule", "median_gap"]) and table.loc["rule", "within_0.01"] == 0
    (row,) = (
        line for line in markdown(outcomes, ["auto", "rule", "cpsat"], "it").splitlines() if "| rule |" in line[:9]
    )
    assert row == "| rule | 0 | - | 0 of 1 | 0 of 1 | 0 of 1 | - | - | 0 | 1 | - |"
    assert ahead([made], "rule") == ["rule has no run."]
    alone = markdown(failed, ["rule"], "it")
    assert alone == f"`it`: no case with a run is finished.\n\n- No run: rule on {CASE.name}, {NODES.name} (no plan).\n"
    rows = to_frame([made], failed)
    assert rows["method"].to_list() == ["auto", "rule", "rule"] and rows["case"].to_list()[2] == NODES.name
    assert rows["failures"].to_list() == ["", "no plan", "no plan"] and rows["gap"].isna().to_list() == [
        False,
        True,
        True,
    ]


def test_a_remark_is_a_failure_and_a_plan_of_the_solver_is_progress():
    failed = with_remark(run(CASE, "cpsat", (8, 4), (6, 5)), "cpsat: the program has 9 variables, more than 8")
    assert failed.failures == ["cpsat: the program has 9 variables, more than 8"] and failed.solver_idle
    one, two = failed.solution.layers
    found = replace(
        two, trace=(TracePoint(0.5, Fraction(7), Fraction(5), "greedy"), replace(two.trace[0], source="cpsat"))
    )
    busy = replace(failed, solution=replace(failed.solution, layers=(one, found)))
    assert not busy.solver_idle and not replace(failed, method="auto").solver_idle
    assert (standings([busy])["failed"].item(), standings([busy])["idle"].item()) == (1, 0)


def test_rivals_with_a_better_plan_or_bound_are_named_with_their_lead():
    cpsat = run(CASE, "cpsat", (5, 5), (5, 5))
    known = replace(CASE, known=cpsat.solution)
    runs = [replace(made, case=known) for made in (*RUNS, cpsat)]
    # auto: 6 + 5 and 5 + 4; greedy: bounds 4 + 5.
    assert ahead([*runs[:1], *runs[2:], runs[1]], "auto") == [
        "cpsat: a better plan than auto on rank-1-2x2x2 (9.1 %).",
        "cpsat: a better bound than auto on rank-1-2x2x2 (10 %).",
        "The library, from longer runs: a better plan than auto on 1 of 1 cases, a better bound on 1.",
    ]
    assert ahead(RUNS, "auto") == [
        "No other method ends with a better plan than auto on any case.",
        "No other method ends with a better bound than auto on any case.",
    ]


def test_a_lead_is_over_the_cases_that_a_method_has_runs_on():
    others = [run(CASE, "greedy", (8, 4), (6, 4)), run(NODES, "greedy", (4, 4), (4, 4))]
    assert ahead([run(CASE, "auto", (5, 5), (5, 4)), *others], "auto") == [
        f"No other method ends with a better {word} than auto on any of the 1 of 2 cases that it has a run on."
        for word in ("plan", "bound")
    ]


def test_what_is_better_than_the_library_is_told():
    known = replace(CASE, known=run(CASE, "", (6, 4), (5, 4)).solution)
    plan, bound = run(known, "auto", (6, 4), (4, 4)), run(known, "auto", (6, 4), (5, 5))
    assert [better_than_the_library([one]) for one in (plan, bound)] == [["rank-1-2x2x2"]] * 2
    assert better_than_the_library([run(known, "auto", (6, 4), (6, 4))]) == []
    assert better_than_the_library(RUNS) == []


def test_only_cases_that_every_method_is_done_with_are_compared():
    other = run(NODES, "auto", (4, 4), (4, 4))
    both = [run(CASE, "cpsat", (8, 4), (6, 5)), RUNS[1]]
    assert finished([*both, other], ["cpsat", "auto"]) == both
    assert finished([*both, LEFT_OUT, other], ["cpsat", "auto"]) == [*both, other]
    assert finished(both, ["cpsat", "auto", "greedy"]) == []


def test_markdown_has_methods_then_who_is_ahead_then_cases_with_methods_side_by_side():
    runs = [*RUNS, run(NODES, "greedy", (8, 4), (6, 4)), run(NODES, "auto", (4, 4), (4, 4))]
    lines = markdown(runs, ["greedy", "auto"], "eplb-opt bench --suite layers").splitlines()
    assert lines[0] == "`eplb-opt bench --suite layers`: eplb_opt 1, Python 3; a processor, 2 cores, 8 GiB, a system."
    methods, cases = (lines[start : start + 5] for start in (i for i, line in enumerate(lines) if "| ---" in line))
    assert methods[1].startswith("| published greedy | 2 | ")
    assert methods[2].startswith("| eplb_opt | 2 | ") and methods[2].endswith(" 1 | 0 | - |")
    # Plans of 6 + 5 and 4 + 4, bounds of 5 + 5 and 4 + 4.
    assert methods[3] == "| *best known* | 2 | 4.5 % | 1 of 2 | 1 of 2 | 1 of 2 | - | - | 1 | - | - |"
    assert "- No other method ends with a better plan than eplb_opt on any case." in lines
    assert lines[-4].startswith("| 2 layers, 2 experts | published greedy | eplb_opt | proven bound |")
    assert cases[1:3] == [
        "| rank 1, 2 slots, 2 GPUs | 1.750000 | 1.375000 | 1.250000 | 0 of 2 | 20 % | 3.0 |",
        "| a\\|b, 4 slots, 4 GPUs on 2 nodes, 2 groups | 1.750000 | 1.000000 | 1.000000 | 2 of 2 | 0 % | 2.0 |",
    ]


def test_a_method_without_a_run_has_a_dash_and_a_sentence():
    case = Case("windows", LOADS, Deployment(2, 2), "library", "worst", "windows of mine")
    outcomes = [run(case, "greedy", (8, 4), (6, 4)), LeftOut(case, "auto", "it may not", failed=True)]
    text = markdown(outcomes, ["greedy", "auto"], "x")
    assert "| windows | 1.750000 | - | 1.000000 | - | - | - |" in text
    assert "- No run: eplb_opt on windows of mine (it may not)." in text


def test_a_case_without_its_last_method_is_left_out_of_markdown():
    methods = ["greedy", "auto"]
    assert "a\\|b" not in markdown([*RUNS, run(NODES, "greedy", (8, 4), (6, 4))], methods, "x")
    assert markdown(RUNS[:1], methods, "x") == "`x`: no case with a run is finished.\n"
