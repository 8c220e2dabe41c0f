"""Weightings and patterns: limits are those of the heaviest of all multisets, least weights those of all counts."""

from itertools import combinations_with_replacement, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.patterns import UNIT, DualFunction, Patterns, least_weight
from tests.examples import examples


def weigh(starts, weights, bucket):
    """What the definition says: the weight of the last start that is not above the bucket, 0 below the first."""
    return max((weight for start, weight in zip(starts, weights, strict=True) if start <= bucket), default=0)


def fillings_of(size, capacity):
    """Every multiset of at most `size` buckets that sum to at most `capacity`."""
    for number in range(size + 1):
        for pattern in combinations_with_replacement(range(capacity + 1), number):
            if sum(pattern) <= capacity:
                yield pattern


def heaviest(dual: DualFunction) -> int:
    """Weight of the heaviest pattern, by trying all."""
    starts, weights = dual.starts.tolist(), dual.weights.tolist()
    table = [weigh(starts, weights, bucket) for bucket in range(dual.capacity + 1)]
    return max(sum(table[bucket] for bucket in f) for f in fillings_of(dual.size, dual.capacity))


SMALL_WEIGHTS = st.integers(0, 20)


@st.composite
def weighted_buckets(draw: st.DrawFn, above: int = 0, weights: st.SearchStrategy = SMALL_WEIGHTS):
    """Slots of a GPU, a capacity, and some increasing buckets with weights that need not increase."""
    size, capacity = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    buckets = sorted(draw(st.sets(st.integers(0, capacity + above), min_size=1)))
    values = draw(st.lists(weights, min_size=len(buckets), max_size=len(buckets)))
    return size, capacity, np.array(buckets), np.array(values)


@given(weighted_buckets())
def test_a_weight_is_the_largest_of_the_buckets_not_above(case):
    size, capacity, buckets, values = case
    dual = Patterns.of_weights(size, capacity, buckets, values).dual
    expected = [weigh(buckets, values, bucket) for bucket in range(capacity + 1)]
    assert dual.of(np.arange(capacity + 1)).tolist() == expected
    assert (np.diff(dual.starts) > 0).all() and (np.diff(dual.weights) > 0).all()


@examples(40)
@given(weighted_buckets(above=3))
def test_the_limit_is_the_weight_of_the_heaviest_pattern(case):
    dual = Patterns.of_weights(*case).dual
    assert dual.limit == heaviest(dual)


@examples(40)
@given(weighted_buckets(), st.integers(1, 15), st.integers(0, 50))
def test_the_limit_is_true_after_rounding_for_another_capacity(case, capacity, about):
    dual = Patterns.of_weights(*case).dual
    rounded = dual.rounded(capacity, about)
    assert (rounded.size, rounded.capacity) == (dual.size, capacity)
    assert rounded.limit == heaviest(rounded)
    for bucket in range(capacity + 1):
        (exact,), (whole,) = dual.of(np.array([bucket])), rounded.of(np.array([bucket]))
        assert whole == exact * about // max(1, dual.limit)
    if capacity <= dual.capacity:
        assert rounded.limit <= about


def test_buckets_that_fit_in_no_pattern_do_not_raise_its_limit():
    # Two buckets of 3 weigh 2 x 20 = 40 and fill a GPU of 9. The bucket of 10, of weight 100, fits on none.
    dual = Patterns.of_weights(2, 10, np.array([3, 10]), np.array([1, 5])).dual
    assert dual.limit == 5
    assert dual.rounded(9, 100).limit == 40


def test_products_of_rounding_exceed_64_bits():
    # floor(w * 2^30 / w) = 2^30, with w * 2^30 = 2^90.
    dual = Patterns.of_weights(1, 10, np.array([5]), np.array([2**60])).dual
    assert dual.rounded(10, 2**30).weights.tolist() == [2**30]


def test_no_weights_weigh_nothing():
    dual = Patterns.of_weights(3, 5, np.array([0, 2]), np.array([0, 0])).dual
    assert (dual.starts.size, dual.limit, dual.of(np.array([0, 5])).tolist()) == (
        0,
        0,
        [0, 0],
    )
    assert dual.rounded(4, 1000).limit == 0


@given(weighted_buckets(weights=st.sampled_from([-0.5, -0.0, 0.0, 1 / 3, 0.5, 2 / 3, 1.0])))
def test_duals_become_whole_weights_rounded_down(case):
    size, capacity, buckets, duals = case
    dual = Patterns.of(size, capacity, buckets, duals).dual
    wholes = [max(0, int(dual * UNIT)) for dual in duals.tolist()]
    assert dual.of(buckets).tolist() == [weigh(buckets, wholes, bucket) for bucket in buckets]
    assert dual.limit == heaviest(dual)


@examples(40)
@given(weighted_buckets())
def test_the_heaviest_pattern_through_a_bucket_holds_it_fits_and_weighs_what_is_said(case):
    size, capacity, buckets, values = case
    patterns = Patterns.of_weights(size, capacity, buckets, values)
    table = [weigh(buckets, values, bucket) for bucket in range(capacity + 1)]
    for bucket, through in zip(buckets.tolist(), patterns.through(buckets).tolist(), strict=True):
        assert through == max(
            sum(table[other] for other in pattern) for pattern in fillings_of(size, capacity) if bucket in pattern
        )
        found = buckets[patterns.heaviest_through(bucket, buckets)].tolist()
        assert bucket in found and len(found) <= size and sum(found) <= capacity
        assert sum(table[other] for other in found) == through


def test_of_buckets_that_weigh_the_same_the_largest_that_fits_is_taken():
    # 4 and 6 weigh as much as 3: next to a 3, capacity 10 has room for 6, and 8 does not fit.
    buckets = np.array([3, 4, 6, 8])
    patterns = Patterns.of_weights(2, 10, buckets, np.array([5, 5, 5, 9]))
    assert buckets[patterns.heaviest_through(3, buckets)].tolist() == [3, 6]


@examples(40)
@given(st.data())
def test_the_least_weight_is_that_of_all_counts(data):
    experts = data.draw(st.integers(1, 4))
    least = data.draw(st.lists(st.integers(1, 3), min_size=experts, max_size=experts))
    more = data.draw(st.lists(st.integers(0, 3), min_size=experts, max_size=experts))
    slots = data.draw(st.integers(max(0, sum(least) - 1), sum(least) + sum(more) + 1))
    columns = max(more) + 1
    table = np.array(data.draw(st.lists(st.integers(0, 9), min_size=experts * columns, max_size=experts * columns)))
    table = table.reshape(experts, columns)
    ranges = [range(low, low + extra + 1) for low, extra in zip(least, more, strict=True)]
    expected = min(
        (
            sum(int(table[e, count - least[e]]) for e, count in enumerate(counts))
            for counts in product(*ranges)
            if sum(counts) == slots
        ),
        default=-1,
    )
    assert least_weight(table, np.array(least), np.array(least) + np.array(more), slots) == expected


def test_least_weights_do_not_overflow_with_the_heaviest_slots_there_are():
    # 100,000 slots of weight 2^36 are less than 2^53; counts (1, 99,999) and (2, 99,998) weigh as much.
    least = np.array([1, 99_998])
    weights = (least[:, np.newaxis] + np.arange(2)) * UNIT
    assert least_weight(weights, least, least + 1, 100_000) == 100_000 * UNIT
