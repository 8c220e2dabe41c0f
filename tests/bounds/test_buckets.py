"""Buckets: every plan within the max load fits them, and what they exclude has no plan."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.patterns import Patterns
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.examples import examples
from tests.oracle import brute_force, count_vectors, enumerate_rows, row_max_load
from tests.strategies import SMALL, instances, rows_of_slots

# Decompositions know no nodes.
GLOBAL = {"hierarchical": False, "max_experts": 5, "max_gpus": 4, "max_slots": 8}


def fits(row, buckets: Buckets) -> bool:
    """Whether all counts are within the ranges and all GPUs within the capacity."""
    least, most = buckets.ranges
    counts = np.bincount(row)
    if not least.size or (counts < least).any() or (counts > most).any():
        return False
    loads = [buckets.bucket((expert, int(counts[expert]))) for expert in row]
    sums = np.array(loads).reshape(buckets.instance.deployment.num_gpus, -1).sum(axis=1)
    return bool((sums <= buckets.capacity).all())


@examples(60)
@given(instances(**GLOBAL), st.sampled_from([Fraction(1, 10**12), Fraction(1, 10**4), Fraction(1)]), st.data())
def test_a_plan_fits_the_buckets_of_its_max_load_and_of_any_larger_one(instance, more, data):
    row = data.draw(rows_of_slots(instance))
    value = row_max_load(row, instance)
    assume(value > 0)
    assert fits(row, Buckets(instance, value, below=False))
    assert fits(row, Buckets(instance, value * (1 + more), below=False))
    assert fits(row, Buckets(instance, value * (1 + more), below=True))


@examples(30)
@given(instances(kinds=(SMALL,), hierarchical=False, max_experts=4, max_gpus=3, max_slots=6))
def test_all_plans_within_the_max_load_fit_and_no_ranges_are_left_only_without_a_plan(instance):
    rows = {row: row_max_load(row, instance) for row in enumerate_rows(instance)}
    for max_load in sorted(set(rows.values()) | {min(rows.values()) * Fraction(9, 10)}):
        for below in (False, True) if max_load else ():
            buckets = Buckets(instance, max_load, below)
            within = [row for row, value in rows.items() if value < max_load or (value == max_load and not below)]
            assert all(fits(row, buckets) for row in within)
            assert buckets.ranges[0].size or not within


@given(instances(**GLOBAL), st.sampled_from([Fraction(1), Fraction(7, 5)]), st.booleans())
def test_buckets_are_slot_loads_in_parts_of_the_max_load_rounded_down(instance, factor, below):
    optimum = brute_force(instance)
    assume(optimum > 0)
    buckets = Buckets(instance, optimum * factor, below)
    for expert, replicas in buckets.items:
        load = instance.weights[0][expert] * instance.unit / replicas
        assert buckets.bucket((expert, replicas)) == load * CAPACITY // (optimum * factor)
        assert buckets.bucket((expert, replicas)) <= buckets.capacity


def test_below_asks_for_more_replicas_and_less_capacity():
    # 60 in two replicas is exactly 30: within 30, and not below it, where it takes three.
    instance = Instance.from_loads([60, 0], Deployment(4, 8, distinct=False))
    within, below = (Buckets(instance, Fraction(30), below) for below in (False, True))
    assert (within.ranges[0].tolist(), within.capacity) == ([2, 1], CAPACITY)
    assert (below.ranges[0].tolist(), below.capacity) == ([3, 1], CAPACITY - 1)
    # 20 is 2 / 3 of 30.
    assert within.bucket((0, 3)) == below.bucket((0, 3)) == 66_666


def test_loads_beyond_the_slots_leave_no_ranges():
    # At max load 10 expert 0 needs 6 replicas, and strictly below it 7; there are 8 slots for three experts.
    instance = Instance.from_loads([60, 1, 1], Deployment(8, 8, distinct=False))
    assert Buckets(instance, Fraction(10), below=True).ranges[0].size == 0
    assert Buckets(instance, Fraction(10), below=False).ranges[0].tolist() == [6, 1, 1]
    assert Buckets(instance, Fraction(9), below=False).ranges[0].size == 0
    assert Buckets(instance, Fraction(9), below=False).items == []


def test_a_part_of_the_ranges_is_excluded_by_itself():
    # Below 40 a slot of 32 has a GPU for itself, so it weighs 2 and the others 1: 7, and three GPUs carry 6. Two
    # replicas of it weigh 1 each like all others.
    instance = Instance.from_loads([32, 16, 16, 16], Deployment(3, 6))
    buckets = Buckets(instance, Fraction(40), below=True)
    dual = Patterns.of_weights(2, buckets.capacity, np.array([20_000, 80_000]), np.array([1, 2])).dual
    one, two = np.array([1, 2, 2, 1]), np.array([2, 2, 1, 1])
    assert buckets.excludes(dual, (one, one))
    assert not buckets.excludes(dual, (two, two))
    assert not buckets.excludes(dual)
    # Counts that do not fill the slots are none.
    assert buckets.excludes(dual, (np.ones(4, dtype=int), np.ones(4, dtype=int)))


@st.composite
def random_weightings(draw: st.DrawFn, buckets: Buckets):
    """A dual function from duals that no program made: steps, identity, all equal or any numbers."""
    loads = np.unique([buckets.bucket(item) for item in buckets.items])
    kind = draw(st.integers(0, 3))
    if kind == 0:
        duals = loads / buckets.capacity
    elif kind == 1:
        duals = np.where(2 * loads > buckets.capacity, 1.0, np.where(3 * loads > buckets.capacity, 0.5, 0.0))
    elif kind == 2:
        duals = np.full(loads.size, 1 / buckets.instance.deployment.slots_per_gpu)
    else:
        duals = np.array(draw(st.lists(st.floats(0, 1), min_size=loads.size, max_size=loads.size)))
    return Patterns.of(buckets.instance.deployment.slots_per_gpu, buckets.capacity, loads, duals).dual


@examples(80)
@given(instances(**GLOBAL), st.booleans(), st.data())
def test_no_weighting_excludes_a_max_load_that_a_plan_has(instance, below, data):
    optimum = brute_force(instance)
    assume(optimum > 0)
    factor = data.draw(st.sampled_from([1, 1 + Fraction(1, 10**9), Fraction(11, 10)]))
    assume(not below or factor > 1)
    buckets = Buckets(instance, optimum * factor, below)
    assert not buckets.excludes(data.draw(random_weightings(buckets)))


@examples(40)
@given(instances(**GLOBAL), st.sampled_from([Fraction(1), Fraction(11, 10)]), st.booleans(), st.data())
def test_a_weighting_excludes_if_all_counts_weigh_more_than_the_gpus_carry(instance, factor, below, data):
    optimum = brute_force(instance)
    assume(optimum > 0)
    buckets = Buckets(instance, optimum * factor, below)
    assume(buckets.ranges[0].size)
    dual = data.draw(random_weightings(buckets))
    # A limit that is too low excludes plans: the comparison alone is tested here.
    dual = replace(dual, limit=data.draw(st.integers(0, dual.limit)))
    carried = dual.limit * instance.deployment.num_gpus
    least, most = buckets.ranges
    weights = [
        sum(r * int(dual.of(np.array([buckets.bucket((e, r))]))[0]) for e, r in enumerate(counts))
        for counts in count_vectors(instance.num_experts, instance.deployment.num_slots, instance.deployment.num_slots)
        if (least <= counts).all() and (counts <= most).all()
    ]
    assert buckets.excludes(dual) == all(weight > carried for weight in weights)


@pytest.mark.parametrize(("max_load", "below", "excluded"), [(19, False, True), (20, True, True), (20, False, False)])
def test_weights_exclude_a_max_load_below_the_best_pairs(max_load, below, excluded):
    # Six slots for six experts, so all counts are 1; two of the three GPUs have to pair 12 with 8, so 20 is optimal.
    # Below 20 a 12 leaves no room for an 8: with weights 2 and 1 a GPU weighs at most 2, and 3 * 2 + 2 * 1 = 8 > 3 * 2.
    # At 20 such a pair weighs 3, and 8 is less than 3 * 3.
    instance = Instance.from_loads([12, 12, 12, 8, 8, 1], Deployment(3, 6))
    assert brute_force(instance) == 20
    buckets = Buckets(instance, Fraction(max_load), below)
    loads = np.unique([buckets.bucket(item) for item in buckets.items])
    assert buckets.excludes(Patterns.of(2, buckets.capacity, loads, np.array([0.0, 0.5, 1.0])).dual) is excluded


def test_loads_that_no_float_holds_are_compared_exactly():
    # 2^62 + 1: strictly below it, one replica is too many, and half of it is half of the capacity to the digit.
    instance = Instance(((2**62 + 1, 2, 2, 1),), Fraction(1), Deployment(3, 6))
    at, above = (Buckets(instance, Fraction(2**62 + more), below=True) for more in (1, 2))
    assert (at.ranges[0][0], above.ranges[0][0]) == (2, 1)
    assert (at.bucket((0, 2)), above.bucket((0, 2))) == (CAPACITY // 2, CAPACITY // 2 - 1)
