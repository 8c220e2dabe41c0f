"""exact: numbers of any length as text, and back."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment
from eplb_opt.certificates.exact import exact_text, exact_value
from eplb_opt.certify import certify
from eplb_opt.exact import apart
from eplb_opt.io.native import read_solution


@given(st.fractions(min_value=0))
def test_numbers_are_written_as_python_writes_them_and_read_again(value):
    assert exact_text(value) == str(value)
    assert exact_value(str(value)) == value


@pytest.mark.parametrize("exponent", [599, 600, 601, 5000])
def test_numbers_that_python_does_not_write_are_written_and_read_again(exponent):
    value = Fraction(10**exponent + 7, 10**exponent - 1)
    text = exact_text(value)
    assert exact_value(text) == value
    assert text.startswith("1") and text.count("/") == 1 and set(text) <= set("0123456789/")


@pytest.mark.parametrize("text", ["", "-1", "1/", "/2", "1/2/3", " 1", "1.5", "1e5", "٣", "9" * 300_000])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is no number of at most"):
        exact_value(text)


def test_numbers_that_differ_look_different_in_a_sentence():
    assert apart(Fraction(1, 2), Fraction(3)) == ("0.5", "3.0")
    assert apart(Fraction(203), 203 + Fraction(1, 10**20)) == ("203", "20300000000000000000001/100000000000000000000")


def test_a_solution_for_many_windows_is_saved_and_read(tmp_path):
    # The mean of 600 imbalances has a denominator of over 4,300 digits, the most that Python writes.
    loads = np.random.default_rng(0).integers(0, 10**9, (600, 1, 16))
    solution = eplb_opt.solve(loads, Deployment(4, 20), method="greedy")
    solution.save(tmp_path / "solution.json")
    (saved,), (layer,) = read_solution(tmp_path / "solution.json").layers, solution.layers
    assert layer.objective.denominator > 10**4300
    assert (saved.objective, saved.lower_bound) == (layer.objective, layer.lower_bound)


def test_a_bound_for_many_windows_is_checked_by_its_certificate(tmp_path):
    # One slot per GPU: the hottest expert of each window is the hottest GPU, in the plan and in the bound.
    loads = np.random.default_rng(0).integers(1, 10**9, (1000, 1, 16))
    eplb_opt.solve(loads, Deployment(16, 16), time_limit=5).save(tmp_path / "solution.json")
    solution = read_solution(tmp_path / "solution.json")
    assert solution.layers[0].lower_bound.denominator > 10**4300
    (certified,) = certify(solution, loads)
    assert (certified.checked, certified.error) == (True, None)
