"""One plan and one recording through everything that has a figure of it: the same figures, to the last digit.

Layers and windows without load are everywhere: nothing may count them.
"""

import importlib
import re
from fractions import Fraction
from math import isnan, nan
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.backtest import _heuristic_row
from eplb_opt.bench.machine import Machine
from eplb_opt.bench.run import Run
from eplb_opt.bench.suite import Case
from eplb_opt.certify import certify
from eplb_opt.compare import SOLVE, compare, summarise_comparison
from eplb_opt.evaluate import objective_values, summarise
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.report import make_report
from eplb_opt.report.words import in_percent
from tests.examples import examples
from tests.known import OBJECTIVES, Known, near, plans_on, recorded

HERE = Machine("a processor", 2, 8.0, "a system", {})


@examples(40)
@given(st.data())
def test_evaluate_verify_and_objectives_are_the_definition(data):
    deployment, loads = data.draw(recorded())
    plan = data.draw(plans_on(deployment, loads))
    known = Known.of(plan, loads)
    assert eplb_opt.verify(plan) == []
    frame = eplb_opt.evaluate(plan, loads)
    for row in frame.to_dict("records"):
        gpus = known.gpu_loads.get((row["window"], row["layer_id"] - 3))
        if gpus is None:
            assert row["max_load"] == row["mean_load"] == 0
            assert all(
                isnan(row[name]) for name in ("imbalance", "balancedness", "relative_excess", "slot_balancedness")
            )
        else:
            top, middle = max(gpus), sum(gpus) / len(gpus)
            assert (row["max_load"], row["mean_load"]) == (float(top), float(middle))
            assert (row["imbalance"], row["balancedness"]) == (float(top / middle), float(middle / top))
            assert row["relative_excess"] == float(top / middle - 1)
    summary, imbalances = summarise(frame), known.imbalances()
    assert summary["mean_imbalance"] == near(float(mean(imbalances)) if imbalances else nan)
    assert summary["worst_imbalance"] == near(float(max(imbalances)) if imbalances else nan)
    assert summary["mean_balancedness"] == near(float(mean(1 / ratio for ratio in imbalances)) if imbalances else nan)
    tops = sum((max(gpus) for gpus in known.gpu_loads.values()), Fraction(0))
    means = sum((sum(gpus) / len(gpus) for gpus in known.gpu_loads.values()), Fraction(0))
    assert summary["total_balancedness"] == near(float(means / tops) if tops else nan)
    for objective in OBJECTIVES:
        expected = tuple(known.objective(layer, objective) for layer in range(loads.num_layers))
        assert objective_values(plan, loads, objective) == expected


@examples(20)
@given(st.data())
def test_a_solution_is_worth_the_same_in_every_command(data):
    """solve, certify, report, compare and bench speak of one solution; evaluate of its plan."""
    deployment, loads = data.draw(recorded())
    objective = data.draw(st.sampled_from(OBJECTIVES))
    solution = eplb_opt.solve(loads, deployment, objective=objective, method="lpt")
    known = Known.of(solution.plan, loads)
    values = [known.objective(layer, objective) for layer in range(loads.num_layers)]
    bounds = [layer.lower_bound for layer in solution.layers]
    assert [layer.objective for layer in solution.layers] == values
    assert [certified.error for certified in certify(solution, loads)] == [None] * loads.num_layers
    report = make_report(loads, deployment, solution=solution, time_limit=0.05)
    with pytest.MonkeyPatch.context() as patch:
        # The package has a function of that name.
        patch.setattr(importlib.import_module("eplb_opt.compare"), "solve", lambda *_, **__: solution)
        frame = compare(loads, deployment, ["lpt"], objective=objective)
    case = Case("a case", loads, deployment, objective=objective)
    run = Run(case, "lpt", solution, 1.0, 0.5, 1, HERE)

    gaps = [float((value - bound) / value) if value else 0.0 for value, bound in zip(values, bounds, strict=True)]
    ours = report.layers[report.layers["plan"] == SOLVE]
    for name in (SOLVE, "lpt"):
        rows = frame[frame["method"] == name]
        for table in (rows, ours, solution.to_frame()):
            assert table["objective"].tolist() == [float(value) for value in values]
            assert table["lower_bound"].tolist() == [float(bound) for bound in bounds]
            assert table["gap"].tolist() == gaps
        summary = summarise(eplb_opt.evaluate(solution.plan, loads))
        compared = summarise_comparison(frame).set_index("method").loc[name]
        for figure in ("mean_imbalance", "mean_balancedness", "mean_relative_excess", "mean_slot_balancedness"):
            assert compared[figure.removeprefix("mean_")] == near(summary[figure])
            assert report.figures[SOLVE][figure] == near(summary[figure])
        assert compared["gap"] == near(float(solution.gap))
        assert compared["worst_gap"] == float(solution.worst_gap)
        loaded = [gaps[layer] for layer in known.loaded()]
        assert compared["mean_gap"] == near(mean(loaded) if loaded else 0.0)
    assert report.figures[SOLVE]["gap"] == float(solution.gap) == float(run.gap_to(run.lower_bound))
    assert report.figures[SOLVE]["excess"] == near(known.excess(values, objective))
    assert report.figures[SOLVE]["least_excess"] == near(known.excess(bounds, objective))
    assert max(run.gaps) == solution.worst_gap
    printed = re.search(r"imbalance (\d\S+\d).*, bound (\S+), gap", str(solution))
    assert printed.groups() == (f"{float(run.imbalance):.6f}", f"{float(run.bound):.6f}")
    if known.loaded():
        assert printed.groups() == tuple(
            f"{1 + report.figures[SOLVE][name]:.6f}" for name in ("excess", "least_excess")
        )


@examples(20)
@given(st.data())
def test_window_weights_weigh_the_windows_with_load_in_every_command(data):
    deployment, loads = data.draw(recorded(min_windows=2))
    weights = data.draw(st.lists(st.integers(1, 5), min_size=loads.num_windows, max_size=loads.num_windows))
    solution = eplb_opt.solve(loads, deployment, objective="mean", window_weights=weights, method="lpt")
    known = Known.of(solution.plan, loads)
    values = [known.objective(layer, "mean", weights) for layer in range(loads.num_layers)]
    assert [layer.objective for layer in solution.layers] == values
    assert [certified.error for certified in certify(solution, loads)] == [None] * loads.num_layers
    report = make_report(loads, deployment, solution=solution, time_limit=0.05)
    assert report.by_layer[SOLVE][0]["objective"] == float(values[0])
    assert report.figures[SOLVE]["excess"] == near(known.excess(values, "mean"))
    assert report.figures[SOLVE]["gap"] == float(solution.gap)


@examples(20)
@given(st.data())
def test_a_given_plan_is_worth_the_same_in_report_and_evaluate(data):
    deployment, loads = data.draw(recorded())
    objective = data.draw(st.sampled_from(OBJECTIVES))
    plan = data.draw(plans_on(deployment, loads))
    known = Known.of(plan, loads)
    values = [known.objective(layer, objective) for layer in range(loads.num_layers)]
    report = make_report(loads, deployment, {"mine": plan}, objective=objective, time_limit=0.05)
    mine = report.layers[report.layers["plan"] == "mine"]
    assert mine["objective"].tolist() == [float(value) for value in values]
    assert (
        report.metrics[report.metrics["plan"] == "mine"]
        .drop(columns="plan")
        .reset_index(drop=True)
        .equals(eplb_opt.evaluate(plan, loads))
    )
    figures = report.figures["mine"]
    assert {name: figures[name] for name in summarise(report.metrics)} == near(
        summarise(eplb_opt.evaluate(plan, loads))
    )
    assert figures["excess"] == near(known.excess(values, objective))
    worst = [
        values[row] / (sum(known.total(row)) / deployment.num_gpus if objective == "total" else 1) - 1
        for row in known.loaded()
    ]
    assert figures["worst_excess"] == near(float(max(worst)) if worst else nan)
    assert mine["share"].sum() == near(1.0 if known.loaded() else 0.0)
    assert np.isnan(mine["excess"]).tolist() == [row not in known.loaded() for row in range(loads.num_layers)]
    text = report.to_markdown()
    assert "nan" not in text
    if known.loaded():
        assert f"| mine | {in_percent(figures['excess'])} | {in_percent(figures['worst_excess'])} |" in text


@examples(15)
@given(st.data())
def test_a_backtest_scores_as_evaluate_does(data):
    deployment, loads = data.draw(recorded(min_windows=2))
    scores = eplb_opt.backtest(loads, deployment, ["last/greedy"], time_limit=0.01)
    for window in range(1, loads.num_windows):
        layers = loads.values[window - 1]
        rows = [
            _heuristic_row("greedy", *Objective("mean").on(Instance.from_loads(values, deployment)))
            for values in layers
        ]
        plan = Plan(np.stack(rows), deployment, loads.num_experts, **loads.labels.fields)
        metrics = eplb_opt.evaluate(plan, Loads(loads.values[window], **loads.labels.fields)).dropna()
        scored = scores[(scores["strategy"] == "last/greedy") & (scores["window"] == window)]
        for column in ("layer_id", "imbalance", "balancedness"):
            assert scored[column].tolist() == metrics[column].tolist()
