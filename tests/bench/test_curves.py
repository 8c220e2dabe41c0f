"""Curves of runs made by hand: sums over layers, integrals and times to a gap."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bench.curves import Curve, measures
from eplb_opt.layer_solution import TracePoint
from tests.bench.test_table import CASE, run


def traced(method, *traces, seconds):
    """A run whose layers came to know (seconds, plan, bound) one after the other."""
    made = run(CASE, method, *((trace[-1][1], trace[-1][2]) for trace in traces), seconds=seconds)
    layers = tuple(
        replace(layer, trace=tuple(TracePoint(at, Fraction(plan), Fraction(bound), "x") for at, plan, bound in trace))
        for layer, trace in zip(made.solution.layers, traces, strict=True)
    )
    return replace(made, solution=replace(made.solution, layers=layers))


FAST = traced("fast", [(1, 8, 4), (3, 6, 4)], [(2, 6, 4), (5, 5, 5)], seconds=6.0)
SLOW = traced("slow", [(4, 5, 5)], [(4, 6, 4), (8, 5, 5)], seconds=10.0)


def test_a_curve_has_the_sums_over_the_layers_once_each_has_a_plan():
    curve = Curve.of(FAST, 10.0)
    assert curve.seconds.tolist() == [2, 3, 5]
    assert curve.plan.tolist() == [14, 12, 11]
    assert curve.bound.tolist() == [8, 8, 9]


def test_integrals_and_times_against_the_best_of_all_runs():
    # Best plans 5 + 5, best bounds 5 + 5. Fast: nothing for 2 s, then 14 for one, 12 for two and 11 for five.
    fast, slow = (measures(one, [FAST, SLOW]) for one in (FAST, SLOW))
    assert fast["primal_integral"] == pytest.approx(2 + 4 / 14 + 2 * 2 / 12 + 5 * 1 / 11)
    assert fast["dual_integral"] == pytest.approx(2 + 1 * 0.2 + 2 * 0.2 + 5 * 0.1)
    assert fast["seconds_to_0.01"] == float("inf")
    assert slow["primal_integral"] == pytest.approx(4 + 4 * 1 / 11)
    assert slow["dual_integral"] == pytest.approx(4 + 4 * 0.1)
    assert slow["seconds_to_0.0001"] == 8


def test_without_load_there_is_nothing_to_integrate_but_the_start():
    idle = traced("idle", [(1, 0, 0)], [(1, 0, 0)], seconds=2.0)
    assert measures(idle, [idle]) == {
        "primal_integral": 1.0,
        "dual_integral": 0.0,
        **{f"seconds_to_{level}": 1.0 for level in ("0.01", "0.001", "0.0001")},
    }


def test_plan_and_bound_of_the_library_count_as_known():
    known = run(CASE, "", (5, 5), (5, 5)).solution
    alone = replace(FAST, case=replace(CASE, known=known))
    # The best plan and bound are 10 and not the 11 and 9 of the run, which ends after 6 s.
    found = measures(alone, [alone])
    assert found["primal_integral"] == pytest.approx(2 + 4 / 14 + 2 * 2 / 12 + 1 / 11)
    assert found["dual_integral"] == pytest.approx(2 + 0.2 + 2 * 0.2 + 0.1)
    assert measures(FAST, [FAST])["primal_integral"] == pytest.approx(2 + 3 / 14 + 2 * 1 / 12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(5, 9), st.integers(1, 5)), min_size=1, max_size=6))
def test_integrals_are_at_most_the_time_and_a_gap_that_is_narrower_is_reached_no_sooner(points):
    trace, plan, bound = [], 9, 1
    for at, better, proven in sorted(points):
        plan, bound = min(plan, better), max(bound, proven)
        trace.append((at, plan, bound))
    one = traced("one", trace, trace, seconds=10.0)
    found = measures(one, [one])
    assert trace[0][0] <= found["primal_integral"] <= 10 and trace[0][0] <= found["dual_integral"] <= 10
    assert found["seconds_to_0.01"] <= found["seconds_to_0.001"] <= found["seconds_to_0.0001"]
