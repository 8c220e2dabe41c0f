"""Prices of rules and slots: what is called proven holds, whatever the searches found."""

import re

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.report import make_report
from eplb_opt.report.changes import changes_of
from eplb_opt.report.figures import figures_of
from eplb_opt.report.rules import rules_section
from eplb_opt.solve import solve
from tests.examples import examples
from tests.oracle import brute_force
from tests.report.conftest import recorded
from tests.strategies import SMALL, TOKENS, instances


@examples(20)
@given(instances(max_gpus=3, max_slots=6, max_windows=1, kinds=(SMALL, TOKENS)))
def test_the_best_plans_differ_by_what_is_proven(instance):
    loads = np.array(instance.weights)[:, np.newaxis]
    if not loads.any():
        return
    # A plan that is far from the best, and hardly any time for the others.
    solution = solve(loads, instance.deployment, method="trivial")
    report = make_report(loads, instance.deployment, solution=solution, time_limit=0.1)
    mean = loads.sum() / instance.deployment.num_gpus
    optimum = brute_force(Instance.from_loads(loads[:, 0], instance.deployment))
    for change in changes_of(instance.deployment, instance.num_experts):
        changed = brute_force(Instance.from_loads(loads[:, 0], change.deployment))
        gain = float(optimum - changed) / mean
        # The time limit may be over before the last one.
        row = report.changes.get(change.key)
        if row is None:
            assert change.words in report.unpriced
            continue
        assert row["least_gain"] <= gain + 1e-9
        assert row["most_gain"] >= gain - 1e-9
        assert change.allows * gain >= -1e-9


def test_more_slots_may_be_worse():
    """1 + 4 and 2 + 3 are even; with three slots per GPU two experts are on both, and the rest is 1.5 or more."""
    loads, two, three = [1, 2, 3, 4], Deployment(2, 4), Deployment(2, 6)
    assert brute_force(Instance.from_loads([loads], two)) == 5
    assert brute_force(Instance.from_loads([loads], three)) == 5.5
    report = make_report(loads, two, time_limit=0.4)
    # Of the optimum on both sides: it is not taken for a gain of nothing.
    assert report.changes["slot more"]["least_gain"] == -0.1
    assert re.search(r"\| one slot more per GPU \(6 slots\) \| [^|]*10.0 % hotter", report.to_markdown())


def test_changes_are_those_that_leave_room():
    keys = {
        # All experts on one GPU: nothing to choose.
        (Deployment(1, 8), 8): [],
        (Deployment(4, 20), 16): ["distinct", "slot more", "slot less"],
        # One slot for each expert.
        (Deployment(4, 16), 16): ["distinct", "slot more"],
        # Every GPU holds every expert.
        (Deployment(4, 64), 16): ["distinct", "slot less"],
        (Deployment(4, 20, 2, 4), 16): ["policy", "distinct", "slot more", "slot less"],
        (Deployment(4, 20, 2, 4, "global"), 16): ["policy", "distinct", "slot more", "slot less"],
        # Groups that do not divide by the nodes cannot be bound to them.
        (Deployment(4, 20, 2, 3), 16): ["distinct", "slot more", "slot less"],
    }
    for (deployment, experts), expected in keys.items():
        assert [change.key for change in changes_of(deployment, experts)] == expected


def test_rows_say_what_was_planned(hierarchical):
    (table,) = [block for block in rules_section(hierarchical).blocks if block.kind == "table"]
    assert [row[0] for row in table.rows] == [
        "as it is",
        "groups on any node (policy `global`)",
        "replicas may share a GPU (`--no-distinct`)",
        "one slot more per GPU (24 slots)",
        "one slot less per GPU (16 slots)",
    ]
    row = hierarchical.changes["as it is"]
    assert row["excess"] == pytest.approx(hierarchical.figures["solve"]["excess"])
    assert row["seconds"] == hierarchical.solution.runtime


def test_the_first_screen_counts_what_changes():
    loads, deployment = recorded(), Deployment(4, 20)
    old = solve(loads, deployment, method="snake").plan
    report = make_report(loads, deployment, {"old.json": old}, time_limit=0.5)
    assert (report.best, report.start) == ("solve", "old.json")
    figures = figures_of(report)
    assert [figure.label for figure in figures] == ["Load of the hottest GPU"] * 2 + ["To copy"]
    for figure, name in zip(figures, ("lpt", "old.json"), strict=False):
        tops = report.layers.groupby("plan")["objective"].sum()
        assert float(figure.value) == pytest.approx(100 * (tops["solve"] / tops[name] - 1), abs=0.06)
    held = [
        {(gpu, expert) for gpu, row in enumerate(rows.reshape(4, 5)) for expert in row}
        for plan in (old, report.plans["solve"])
        for rows in plan.physical_to_logical
    ]
    moves = sum(len(after - before) for before, after in zip(held[:3], held[3:], strict=True))
    assert figures[-1].value == f"{moves:,}" and moves == report.moves > 0


def test_a_plan_that_is_the_best_itself_is_counted_from_a_start_in_order():
    loads = Loads([[3, 1, 2, 2]])
    report = make_report(loads, Deployment(2, 4), {"mine": solve(loads, Deployment(2, 4)).plan}, time_limit=0.2)
    assert (report.best, report.start) == ("mine", "trivial")
