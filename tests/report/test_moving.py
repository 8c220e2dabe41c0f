"""What a change from the plan that runs costs: the curve of a report, its bounds, and what is refused."""

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.evaluate import evaluate
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report import make_report
from eplb_opt.report.data import rows_of
from eplb_opt.solve import solve
from tests.moves_oracle import frontier
from tests.report.conftest import recorded
from tests.report.test_page import Page

DEPLOYMENT = Deployment(4, 20)


@pytest.fixture(scope="module")
def old():
    return solve(recorded(seed=1), DEPLOYMENT, method="snake").plan


@pytest.fixture(scope="module")
def report(old):
    return make_report(recorded(), DEPLOYMENT, old_plan=old, max_moves=[9, 0, 3, 60], time_limit=2)


def test_the_curve_goes_from_the_plan_that_runs_to_the_best_one(report, old):
    rows = rows_of(report.curve.points)
    assert [row["max_moves"] for row in rows] == [0, 3, 9, 60]
    assert all(row["moves"] <= row["max_moves"] and row["moves_bound"] <= row["moves"] for row in rows)
    # What runs is valued by evaluate, whatever replan says.
    metrics = evaluate(old, report.loads)
    assert rows[0]["imbalance"] == pytest.approx(metrics["max_load"].sum() / metrics["mean_load"].sum())
    values = [row["imbalance"] for row in rows]
    assert values == sorted(values, reverse=True) and values[-1] < values[0]
    # No bound on few moves is below that on all plans.
    least = 1 + report.figures["solve"]["least_excess"]
    assert all(row["bound"] >= least - 1e-12 for row in rows)
    assert all(row["gap"] == pytest.approx(1 - row["bound"] / row["imbalance"]) for row in rows)


def test_the_plan_that_runs_is_judged_and_is_where_a_change_starts(report, old):
    assert list(report.plans) == ["lpt", "old plan", "solve", "trivial"]
    assert (report.subject, report.start, report.best) == ("old plan", "old plan", "solve")
    text = report.to_markdown()
    assert "With the old plan it carries" in text and "against the old plan" in text
    assert f"| To copy | {report.moves:,} replicas | of 60, from the old plan to the best plan |" in text


def test_the_section_has_table_figure_and_a_command_for_each_plan(report):
    text, page = report.to_markdown(), report.to_html()
    section = text[text.index("## What a change costs") : text.index("## What to deploy")]
    moved = [row for row in rows_of(report.curve.points) if row["moves"]]
    assert [moves for moves, _ in report.curve.commands] == sorted({row["moves"] for row in moved})
    for row in moved:
        assert f"| {row['max_moves']} | {row['moves']} | {row['imbalance']:.5f} | {row['bound']:.5f} |" in section
    command = "eplb-opt replan old.json loads.json --max-moves 3 -o new-3.json"
    assert f"```sh\n{command}\n```" in section
    assert "no plan as cool has fewer moves" in section and '<section id="moving"' in page
    assert "no plan as cool has fewer moves" in page[page.index("<svg") :]
    # Every element of it is closed, and no two have the same id.
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert parsed.open == [] and len(ids) == len(set(ids)) and "moving" in ids


def test_bounds_and_plans_enclose_what_brute_force_finds():
    deployment = Deployment(2, 6)
    loads = Loads(np.array([[9, 4, 3, 1]]))
    old = Plan(np.array([[0, 1, 2, 0, 1, 3]]), deployment, 4)
    curve = frontier(Instance.from_loads(loads.values[:, 0], deployment), old.physical_to_logical[0].tolist(), "total")
    found = make_report(loads, deployment, old_plan=old, max_moves=range(4), time_limit=1).curve
    mean = 17 / 2
    for row in rows_of(found.points):
        best = float(curve[min(row["max_moves"], max(curve))]) / mean
        assert row["bound"] <= best + 1e-12 <= row["imbalance"] + 2e-12


def test_without_limits_they_are_parts_of_the_slots_and_the_objective_is_that_of_the_solution(old):
    loads = recorded(windows=2)
    solution = solve(loads, DEPLOYMENT, objective="worst", time_limit=0.2)
    found = make_report(loads, DEPLOYMENT, solution=solution, old_plan=old, time_limit=1, seed=7)
    assert found.curve.points["max_moves"].tolist() == [0, 60 // 32, 60 // 16, 60 // 8, 60 // 4]
    worst = evaluate(old, loads).groupby("layer_id")["imbalance"].max()
    assert found.curve.points["imbalance"][0] == pytest.approx(worst.mean())
    assert all("--objective worst --seed 7 --max-moves" in command for _, command in found.curve.commands)


def test_a_bound_of_the_solution_lifts_those_of_few_moves():
    # Groups of 8 and 2 tokens on two nodes: a node of two GPUs carries 8, twice what all of them carry on average.
    deployment = Deployment(4, 4, 2, 2)
    loads = Loads(np.array([[4, 4, 1, 1]]))
    old = Plan(np.array([[0, 1, 2, 3]]), deployment, 4)
    found = make_report(loads, deployment, old_plan=old, max_moves=[0, 4], time_limit=0.5).curve
    assert found.points["bound"].tolist() == pytest.approx([1.6, 1.6])
    assert found.points["gap"].tolist() == pytest.approx([0, 0])


def test_where_nothing_was_recorded_nothing_is_to_be_gained(old):
    loads = Loads(np.zeros((3, 16), dtype=int), range(3, 6))
    found = make_report(loads, DEPLOYMENT, old_plan=old, time_limit=0.2)
    assert found.curve is None and "What a change costs" not in found.to_markdown()


def test_without_a_plan_that_runs_there_is_no_curve(hierarchical):
    assert hierarchical.curve is None and 'id="moving"' not in hierarchical.to_html()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"max_moves": [3]}, InvalidArgumentError, "max_moves is about a change from the plan that runs"),
        ({"bandwidth": 50}, InvalidArgumentError, "bandwidth is about a change from the plan that runs"),
        ({"old": True, "max_moves": []}, InvalidArgumentError, "max_moves is empty"),
        ({"old": True, "max_moves": [3, -1]}, InvalidArgumentError, "max_moves=-1"),
        ({"old": True, "bandwidth": 50}, InvalidArgumentError, "needs a model"),
        ({"old_plan": "old.json"}, InvalidArgumentError, "old_plan='old.json' is not a Plan"),
        ({"old": True, "slots": 24}, InvalidPlanError, "old plan has 20 slots"),
    ],
)
def test_what_is_wrong_is_told_before_the_search(old, monkeypatch, options, error, sentence):
    monkeypatch.setattr("eplb_opt.report.making.solve", None)
    given = {"old_plan": old} if options.pop("old", False) else {}
    with pytest.raises(error, match=sentence):
        make_report(recorded(), Deployment(4, options.pop("slots", 20)), **given, **options)
