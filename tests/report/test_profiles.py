"""Performance profiles: shares of all cases, by the gap at the end and by the seconds to one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from eplb_opt.report import plot_gap_profile, plot_time_profile

# The whole model has no run on the fourth case.
ROWS = pd.DataFrame(
    {
        "case": ["a", "b", "c", "a", "b", "c", "d"],
        "method": ["cpsat"] * 3 + ["auto"] * 4,
        "gap": [0.1, 0.01, 0.0, 0.01, 0.0, 0.0, 0.001],
        "seconds": [10.0] * 7,
        "seconds_to_0.001": [np.inf, np.inf, 4.0, np.inf, 2.0, 0.5, 10.0],
    }
)


def share_at(ax, label, place):
    """Height of the line of a method at a place of its axis."""
    (line,) = (line for line in ax.get_lines() if line.get_label() == label)
    return line.get_ydata()[np.searchsorted(line.get_xdata(), place, side="right") - 1]


def test_shares_are_of_all_cases_by_the_gap_at_the_end():
    ax = plot_gap_profile(ROWS, Figure().subplots())
    assert [share_at(ax, "eplb_opt", gap) for gap in (1e-6, 1e-3, 9e-3, 1e-2)] == [50, 75, 75, 100]
    assert [share_at(ax, "whole model (CP-SAT)", gap) for gap in (1e-6, 1e-3, 1e-2, 0.13)] == [25, 25, 50, 75]
    assert ax.get_ylabel() == "share of 4 cases (%)" and ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()][1] == "0.001 %"


def test_shares_grow_with_the_seconds_and_end_with_the_longest_run():
    ax = plot_time_profile(ROWS, ax=Figure().subplots())
    assert [share_at(ax, "eplb_opt", seconds) for seconds in (0.4, 0.5, 2, 10)] == [0, 25, 50, 75]
    assert [share_at(ax, "whole model (CP-SAT)", seconds) for seconds in (0.4, 4, 10)] == [0, 25, 25]
    assert ax.get_xlim()[1] == 10 and "within 0.1 %" in ax.get_xlabel()


def test_they_draw_where_they_are_told_and_else_where_pyplot_does(monkeypatch):
    from matplotlib import pyplot

    for plot in (plot_gap_profile, plot_time_profile):
        axes, current = Figure().subplots(), Figure().subplots()
        assert plot(ROWS, ax=axes) is axes
        monkeypatch.setattr(pyplot, "gca", lambda current=current: current)
        assert plot(ROWS) is current


@pytest.mark.parametrize("seconds", [np.inf, 0.001])
def test_nothing_reached_and_everything_at_once_are_drawn_too(seconds):
    rows = ROWS.assign(gap=0.0, **{"seconds_to_0.001": seconds})
    for plot in (plot_gap_profile, plot_time_profile):
        figure = Figure()
        plot(rows, ax=figure.subplots())
        figure.canvas.draw()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_line_only_rises_and_ends_with_all_cases(gaps):
    rows = pd.DataFrame({"case": range(len(gaps)), "method": "auto", "gap": gaps})
    (line,) = plot_gap_profile(rows, Figure().subplots()).get_lines()
    assert (np.diff(line.get_ydata()) >= 0).all() and line.get_ydata()[-1] == pytest.approx(100)
