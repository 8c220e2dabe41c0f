"""Numbers for people: few digits, and bounds never rounded up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.report.words import (
    change,
    gain_words,
    percent,
    percent_at_least,
    percent_at_most,
    plural,
    shortened,
    value_and_bound,
)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (0, "0 %"),
        (1e-9, "under 0.0001 %"),
        (0.000079, "0.0079 %"),
        (0.0061, "0.61 %"),
        (0.0123456, "1.23 %"),
        (0.254344, "25.4 %"),
        (1.481445, "148 %"),
        (35.41, "3,541 %"),
        # Rounding makes one digit more of it, which is none that is known.
        (0.0000999, "0.010 %"),
    ],
)
def test_two_digits_below_one_per_cent_and_else_three(part, words):
    assert percent(part) == words


def test_bounds_are_rounded_down():
    assert percent_at_least(0.2469) == "24.6 %"
    assert percent_at_least(1e-9) == "0 %"


def test_what_is_too_small_to_tell_is_less_than_that():
    assert percent_at_most(0.01) == "at most 1.00 %"
    assert percent_at_most(1e-9) == "less than 0.0001 %"


def test_a_most_is_rounded_up_and_whole_numbers_stay():
    assert percent_at_most(0.12341) == "at most 12.4 %"
    # As floats, 100 times these is a little more and a little less.
    assert percent_at_most(0.07) == "at most 7.00 %"
    assert percent_at_least(0.29) == "29.0 %"


def test_gains_are_rounded_outwards():
    assert gain_words(0.26411, 0.26849) == "26.4 % to 26.9 % cooler"
    assert gain_words(-0.26849, -0.26411) == "26.4 % to 26.9 % hotter"
    assert gain_words(-0.0123, 0.0033) == "1.23 % hotter to 0.33 % cooler"
    assert gain_words(-0.1, -0.1) == "10.0 % hotter"
    assert gain_words(0.0, 0.0033) == "at most 0.33 % cooler"
    assert gain_words(-0.0033, 0.0) == "at most 0.33 % hotter"
    assert gain_words(-0.00001, 0.00002) == "the same, to within 0.010 %"


def test_changes_have_a_sign_and_are_of_the_max_load():
    assert change(1.0, 0.5) == ("-25.0", "%")
    assert change(0.5, 1.0) == ("+33.3", "%")
    assert change(0.25, 0.25) == change(0.25, 0.25 - 1e-9) == ("0", "%")


def test_value_and_bound_have_the_digits_that_show_their_difference():
    assert value_and_bound(0.246803, 0.246705) == ("24.68 %", "24.67 %")
    assert value_and_bound(0.25, 0.1) == ("25.0 %", "10.0 %")
    assert value_and_bound(0.25, 0.25) == ("25.0 %", "25.0 %")
    # 590/3 of 181.25 tokens: rounded up and down, one number would look like two.
    assert value_and_bound(0.085057, 0.085057) == ("8.50 %", "8.50 %")


@given(st.floats(0, 50), st.floats(0, 1))
def test_no_bound_is_shown_above_what_is_proven(value, part):
    _, bound = value_and_bound(value, part * value)
    shown = float(bound.removesuffix(" %").replace(",", ""))
    assert 0 <= shown <= 100 * part * value * (1 + 1e-12)


def test_long_names_lose_their_middle():
    assert shortened("plan.json") == "plan.json"
    assert shortened("a" * 30 + "b" * 30) == "a" * 12 + "..." + "b" * 13


def test_nouns_have_their_plural():
    assert [plural(1, "layer"), plural(0, "layer"), plural(1200, "slot")] == ["1 layer", "0 layers", "1,200 slots"]
