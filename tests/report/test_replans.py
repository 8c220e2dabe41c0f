"""Plans of more and more moves: which is worth its moves, by hand, and a figure of steps."""

from math import nan

import pandas as pd
import pytest

from eplb_opt.report.replans import plot_replans, worth_words, worthwhile

BEFORE = 1.5


def points(rows, before=BEFORE):
    names = ("moves", "imbalance", "bound", "moves_bound")
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return frame.assign(imbalance_before=before)


# Gains 0.2, 0.3 and 0.4: a quarter of the moves has half of the gain, half of them have three quarters.
CURVE = points([(10, 1.3, 1.25, 4), (20, 1.2, 1.183, 9), (40, 1.1, 1.0, 25)])


def test_the_plan_farthest_ahead_of_its_part_of_the_moves_is_worth_it():
    # Ahead by 0.25 and 0.25: of equal ones the one with more moves.
    assert worthwhile(CURVE)["moves"] == 20
    # The plans with 20 moves are above 1.183, and 0.317 of 0.4 are 79.25 %.
    assert worth_words(CURVE) == (
        "20 moves bring 75.0 % of what 40 bring; no plan with so many brings more than 79.3 %, which is proven."
    )


def test_what_is_not_proven_is_not_said():
    open_bound = CURVE.assign(bound=1.0)
    assert worth_words(open_bound).endswith("; it is not proven that so many cannot bring as much.")


def test_a_straight_curve_and_a_flat_one_have_no_such_plan():
    straight = points([(10, 1.4, 1.0, 1), (20, 1.3, 1.0, 1)])
    assert worthwhile(straight)["moves"] == 20 and "20 are not too many" in worth_words(straight)
    flat = points([(0, 1.5, 1.5, 0), (5, 1.5, 1.0, 0)])
    assert worthwhile(flat)["moves"] == 0
    assert worth_words(flat) == "No number of moves in this list brings anything."


def test_after_a_loss_it_is_counted_from_the_plan_with_the_moves_bound():
    lost = points([(3, 1.9, 1.4, 3), (8, 1.2, 1.15, 5), (30, 1.1, 1.0, 6)], nan)
    assert worth_words(lost) == (
        "8 moves bring 87.5 % of what 30 bring, counted from the plan with 3; no plan with so many brings more than "
        "93.8 %, which is proven."
    )


def test_plans_hold_for_more_moves_and_bounds_for_fewer():
    from matplotlib.figure import Figure

    ax = plot_replans(CURVE, Figure().subplots())
    plans, bounds, fewest = ax.get_lines()
    assert plans.get_drawstyle() == "steps-post" and bounds.get_drawstyle() == "steps-pre"
    assert list(plans.get_xdata()) == [0, 10, 20, 40] and list(plans.get_ydata()) == [1.5, 1.3, 1.2, 1.1]
    assert list(bounds.get_ydata()) == pytest.approx([1.5, 1.25, 1.183, 1.0])
    assert list(fewest.get_xdata()) == [0, 4, 9, 25]
    assert len(plot_replans(CURVE.assign(imbalance_before=nan), Figure().subplots()).get_lines()[0].get_xdata()) == 3
