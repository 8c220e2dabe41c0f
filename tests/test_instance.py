"""One layer in exact integers: nothing is rounded but what says so, and that only downwards."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidDeploymentError, InvalidLoadsError
from eplb_opt.instance import Instance
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import enumerate_rows, row_max_load
from tests.strategies import SMALL, instances, rows_of_slots

FINITE = st.floats(0, 1e308, allow_subnormal=True)


def tokens(instance: Instance) -> list[list[Fraction]]:
    return [[weight * instance.unit for weight in window] for window in instance.weights]


@pytest.mark.parametrize(
    "values", [[0.1, 0.2, 0.3], [1e-300, 1e300, 0.0], [5e-324, 1.7e308, 1.0], [2.0**-1074, 3.0, 2.0**1000]]
)
def test_floats_are_exact_dyadic_rationals(values):
    # Fraction(0.1) is 3602879701896397 / 2**55: what the float is, not what it was meant to be.
    instance = Instance.from_loads(values, Deployment(3, 3))
    assert tokens(instance) == [[Fraction(value) for value in values]]


@given(st.lists(FINITE | st.integers(0, 2**62), min_size=2, max_size=5))
def test_every_number_is_kept_exactly(values):
    array = np.array(values)
    instance = Instance.from_loads(array, Deployment(len(values), len(values)))
    assert tokens(instance) == [[Fraction(value) for value in array.tolist()]]


def test_weights_have_no_common_divisor():
    # 6, 9, 0 share the divisor 3.
    instance = Instance.from_loads([6, 9, 0], Deployment(3, 3))
    assert (instance.weights, instance.unit) == (((2, 3, 0),), 3)


def test_a_layer_without_load_is_an_instance():
    instance = Instance.from_loads([0, 0, 0], Deployment(3, 3))
    assert tokens(instance) == [[0, 0, 0]]
    assert instance.mean_loads == (0,)


def test_several_windows_share_one_unit():
    instance = Instance.from_loads([[0.5, 3], [2, 0.25]], Deployment(2, 2))
    assert (instance.num_windows, instance.num_experts) == (2, 2)
    assert tokens(instance) == [[Fraction(1, 2), 3], [2, Fraction(1, 4)]]


def test_mean_load_is_the_exact_total_over_the_gpus():
    instance = Instance.from_loads([[1, 2, 4], [0, 0, 1]], Deployment(3, 3))
    assert instance.mean_loads == (Fraction(7, 3), Fraction(1, 3))


@given(instances(min_windows=1, max_windows=4))
def test_total_sums_the_windows_exactly(instance):
    (total,) = tokens(instance.total())
    assert total == [sum(column) for column in zip(*tokens(instance), strict=True)]
    assert instance.total().mean_loads == (sum(instance.mean_loads),)
    assert instance.total().deployment == instance.deployment


def test_total_of_floats_is_not_the_float_sum():
    # 1e16 + 1 + 1 is 1e16 + 2 exactly; float addition from the left gives 1e16.
    instance = Instance.from_loads([[1e16, 1.0], [1.0, 1.0], [1.0, 1.0]], Deployment(2, 2)).total()
    assert tokens(instance) == [[10**16 + 2, 3]]


def test_an_instance_needs_a_deployment_with_room():
    with pytest.raises(InvalidDeploymentError, match="nearest: 4"):
        Instance.from_loads([1, 2, 3], Deployment(2, 2))


@pytest.mark.parametrize(
    ("weights", "unit"), [((), 1), (((),), 1), (((1, 2), (1,)), 1), (((1, -2),), 1), (((1, 2),), 0), (((1, 2),), -1)]
)
def test_windows_are_equally_long_and_not_negative(weights, unit):
    with pytest.raises(InvalidLoadsError):
        Instance(weights, Fraction(unit), Deployment(2, 2))


@examples(30)
@given(instances(max_experts=4, max_gpus=3, max_slots=6, kinds=(SMALL,)))
def test_max_replicas_is_the_most_that_an_expert_has_in_any_valid_row(instance):
    most = max(row.count(expert) for row in enumerate_rows(instance) for expert in range(instance.num_experts))
    assert instance.max_replicas == most


@given(instances())
def test_kernel_loads_are_the_weights_without_low_bits(instance):
    shift = max(0, max(instance.weights[0]).bit_length() - 53)
    assert instance.kernel_loads.tolist() == [weight // 2**shift for weight in instance.weights[0]]
    assert max(instance.weights[0], default=0) >= 2**53 or shift == 0


@given(instances(), st.integers(0, 10**12))
def test_kernel_value_is_in_the_unit_of_kernel_loads(instance, weight):
    shift = max(0, max(instance.weights[0]).bit_length() - 53)
    assert instance.kernel_value(weight * instance.unit) == pytest.approx(weight / 2**shift)


@given(instances(), st.integers(1, 30), st.sampled_from([2**40, 1000, 1]))
def test_scaled_loads_never_round_up_and_stay_small(instance, max_replicas, largest):
    scaled = instance.scaled(max_replicas, largest)
    assert scaled.values.dtype == np.int64
    assert scaled.values.max() <= largest
    for value, load in zip(scaled.values.tolist(), tokens(instance)[0], strict=True):
        assert 0 <= load * scaled.factor - value < 1


@given(instances(), st.integers(1, 30), st.sampled_from([2**40, 10**6, 60]))
def test_exact_scaled_loads_make_every_replica_load_an_integer(instance, max_replicas, largest):
    scaled = instance.scaled(max_replicas, largest)
    if scaled.exact:
        for value, load in zip(scaled.values.tolist(), tokens(instance)[0], strict=True):
            assert value == load * scaled.factor
            assert all(value % r == 0 for r in range(1, max_replicas + 1))


def test_scaled_loads_are_exact_where_they_fit():
    # Up to 4 replicas: lcm(1, 2, 3, 4) = 12, and 12 * 5 = 60 is the largest scaled load.
    instance = Instance.from_loads([5, 1], Deployment(2, 2))
    assert instance.scaled(4, largest=60).exact
    assert instance.scaled(4, largest=60).values.tolist() == [60, 12]
    assert not instance.scaled(4, largest=59).exact


@examples(30)
@given(instances(max_experts=4, max_gpus=3, max_slots=6), st.data())
def test_no_max_load_lies_between_a_number_and_the_next_max_load(instance, data):
    values = sorted({row_max_load(row, instance) for row in enumerate_rows(instance)})
    start = data.draw(st.sampled_from(values)) * data.draw(st.sampled_from([0, Fraction(9, 10), 1, Fraction(11, 10)]))
    following = instance.next_max_load(start)
    assert following > start
    assert all(value <= start or value >= following for value in values)


def test_the_next_max_load_is_on_the_grid_of_all_counts():
    # 6 slots for 3 experts: at most 4 replicas, but 3 GPUs: 3. Loads of 2 tokens each over lcm(1, 2, 3) = 6: thirds.
    instance = Instance.from_loads([2, 4, 10], Deployment(3, 6))
    assert (instance.unit, instance.max_replicas) == (2, 3)
    third = Fraction(1, 3)
    assert instance.next_max_load(Fraction(5)) == 5 + third
    assert instance.next_max_load(Fraction(5) + third / 2) == 5 + third
    assert instance.next_max_load(Fraction(5) - third / 1000) == 5


@pytest.mark.parametrize(("gpus", "finer"), [(16, True), (17, False)])
def test_grids_that_are_too_fine_are_left_alone(gpus, finer):
    # lcm(1, ..., 16) = 720,720; 17 is prime, and 17 * 720,720 is more than a million.
    instance = Instance.from_loads([1] * 4, Deployment(gpus, 2 * gpus))
    assert instance.max_replicas == gpus
    assert instance.next_max_load(Fraction(1, 2)) == Fraction(1, 2) + (Fraction(1, 720_720) if finer else 0)


def test_an_instance_can_be_a_key():
    instance = Instance.from_loads([5, 1], Deployment(2, 2))
    assert {instance: 1}[replace(instance)] == 1


@given(instances(min_windows=1, max_windows=3))
def test_windows_by_themselves_have_the_loads_they_had_together(instance):
    for window, weights in zip(instance.windows(), instance.weights, strict=True):
        assert window.num_windows == 1
        assert window.deployment == instance.deployment
        assert [weight * window.unit for weight in window.weights[0]] == [weight * instance.unit for weight in weights]


@given(instances(min_windows=1, max_windows=3), st.data())
def test_max_loads_in_mean_loads_are_imbalances(instance, data):
    instance = instance.loaded()
    if not any(instance.weights[0]):
        return
    row = data.draw(rows_of_slots(instance))
    imbalances = [top / mean for top, mean in zip(max_loads(row, instance), instance.mean_loads, strict=True)]
    assert list(max_loads(row, instance.in_mean_loads())) == imbalances
    assert set(instance.in_mean_loads().mean_loads) == {1}


@given(instances(min_windows=1, max_windows=3))
def test_tokens_are_loads_rounded_once(instance):
    expected = [[float(weight * instance.unit) for weight in window] for window in instance.weights]
    assert instance.tokens.tolist() == expected


def test_weights_of_windows_without_load_are_left_out():
    instance = Instance.from_loads([[0, 5], [0, 0], [3, 0]], Deployment(2, 2))
    assert instance.loaded_windows == (True, False, True)
    assert instance.loaded().weights == ((0, 5), (3, 0))
    assert instance.weights_of_loaded((Fraction(1), Fraction(2), Fraction(4))) == (1, 4)
    assert instance.weights_of_loaded(None) == (1, 1)
