"""Objective: weights are repetition, values are exact, and scenarios have the moments that they promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.windows import window_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective, Windows
from eplb_opt.verify import objective_value
from tests.examples import examples
from tests.oracle import enumerate_rows
from tests.strategies import SMALL, TOKENS, instances, rows_of_slots


def repeated(instance, times):
    """Each window as many times as `times` says."""
    windows = [window for window, number in zip(instance.weights, times, strict=True) for _ in range(number)]
    return Instance(tuple(windows), instance.unit, instance.deployment)


@examples(30)
@given(st.data())
def test_a_weight_is_worth_as_much_as_repetition(data):
    instance = data.draw(instances(min_windows=2, max_windows=4, kinds=(SMALL, TOKENS)))
    row = data.draw(rows_of_slots(instance))
    times = data.draw(st.lists(st.integers(1, 4), min_size=instance.num_windows, max_size=instance.num_windows))
    weights = tuple(Fraction(number, 3) for number in times)
    searched, objective = Objective("mean", weights).on(instance)
    other, plain = Objective("mean").on(repeated(instance, times))
    if searched.num_windows > 1:
        assert (
            objective.value(row, searched) == plain.value(row, other) == objective_value(row, instance, "mean", weights)
        )
        assert window_bounds(searched, "mean", objective.window_weights) == window_bounds(other, "mean")


@examples(30)
@given(st.data())
def test_weighted_bounds_are_never_above_the_optimum(data):
    instance = data.draw(instances(min_windows=2, max_windows=3, kinds=(SMALL, TOKENS), max_experts=4, max_slots=6))
    weights = tuple(data.draw(st.fractions(Fraction(1, 9), 9)) for _ in range(instance.num_windows))
    objective = Objective("mean", weights)
    optimum = min(objective.value(row, instance) for row in enumerate_rows(instance))
    assert all(proof.bound <= optimum for proof in window_bounds(instance, "mean", weights))


@examples(25)
@given(st.data(), st.sampled_from(["mean", "worst"]))
def test_the_value_of_an_outlook_is_the_exact_objective(data, objective):
    instance = data.draw(instances(min_windows=2, max_windows=4, kinds=(SMALL, TOKENS)))
    row = data.draw(rows_of_slots(instance))
    weights = None
    if objective == "mean":
        weights = tuple(data.draw(st.fractions(Fraction(1, 9), 9)) for _ in range(instance.num_windows))
    searched, valued_by = Objective(objective, weights).on(instance)
    if any(map(any, searched.weights)) and valued_by.kind == objective:
        value = valued_by.windows(searched).value(np.array(row), searched)
        assert value == pytest.approx(float(valued_by.value(row, searched)), rel=1e-9)


def outlook_of(windows, weights=None):
    instance = Instance.from_loads(windows, Deployment(4, 8))
    return Objective("mean", weights).windows(instance)


def test_scenarios_are_the_mean_window_and_the_variation_of_the_windows():
    windows = 1000 + np.random.default_rng(0).integers(-100, 100, (4, 6))
    windows[:, 5] = 6000 - windows[:, :5].sum(axis=1)
    seen = outlook_of(windows)
    more = seen.extrapolated(100_000, np.random.default_rng(1))
    assert np.array_equal(more.loads[:4], seen.loads)
    scenarios = more.loads[4:]
    assert scenarios.mean(axis=0) == pytest.approx(seen.mean, rel=2e-3)
    # Four windows, and the error of their mean.
    covariance = np.cov(seen.loads, rowvar=False) * (1 + 1 / 4)
    assert np.cov(scenarios, rowvar=False) == pytest.approx(covariance, abs=0.02 * covariance.max())
    assert scenarios.sum(axis=1) == pytest.approx(4.0)
    assert more.shares.sum() == pytest.approx(1.0)
    # Of four windows, scenarios count for three fifths.
    assert more.shares[:4] == pytest.approx(0.1)
    assert more.shares[4:] == pytest.approx(0.6 / 100_000)
    # Few of them count for no more than a window each.
    assert seen.extrapolated(2, np.random.default_rng(1)).shares == pytest.approx(1 / 6)


def test_scenarios_come_in_opposite_pairs_that_have_the_variation_exactly():
    # Two windows vary along one direction, by sqrt(1 + 1/2) times the deviation that two values estimate.
    windows = Windows(np.array([[0.9, 1.1, 1.0], [1.1, 0.9, 1.0]]), np.array([0.5, 0.5]))
    scenarios = windows.extrapolated(30, np.random.default_rng(0)).loads[2:]
    np.testing.assert_allclose(scenarios[:15] + scenarios[15:], 2.0)
    np.testing.assert_allclose(scenarios.std(axis=0), [0.1 * np.sqrt(3), 0.1 * np.sqrt(3), 0.0], atol=1e-12)
    # Fewer than windows cannot be uncorrelated, and an odd number has one without its opposite.
    assert len(windows.extrapolated(1, np.random.default_rng(0)).loads) == 3


def test_weights_shift_scenarios_and_what_they_count_for():
    windows = np.array([[9, 1, 1, 1], [1, 9, 1, 1], [1, 1, 9, 1]]) * 100
    even, late = outlook_of(windows), outlook_of(windows, (Fraction(1), Fraction(1), Fraction(8)))
    scenarios = [
        windows.extrapolated(2000, np.random.default_rng(2)).loads[3:].mean(axis=0) for windows in (even, late)
    ]
    assert scenarios[1][2] > 1.2 * scenarios[0][2]
    # The weights are worth 1 / (0.01 + 0.01 + 0.64) windows.
    assert late.extrapolated(10, np.random.default_rng(2)).shares[3:].sum() == pytest.approx(0.34 / 1.66)
    assert late.extrapolated(10, np.random.default_rng(2)).shares[:3] / late.shares == pytest.approx(1 - 0.34 / 1.66)


def test_scenarios_have_no_negative_loads_and_what_never_varied_does_not_vary():
    windows = np.array([[1000, 0, 500, 500], [0, 1000, 500, 500]])
    scenarios = outlook_of(windows).extrapolated(1000, np.random.default_rng(3)).loads[2:]
    assert scenarios.min() > 0
    assert scenarios[:, 2] == pytest.approx(scenarios[:, 3])


def test_one_window_shows_no_variation():
    seen = Windows(np.ones((1, 4)), np.ones(1))
    assert seen.extrapolated(5, np.random.default_rng(0)) is seen
