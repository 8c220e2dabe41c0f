"""Replication: Adams' counts against every vector of counts."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.replication import adams, largest_ratio
from tests.oracle import count_vectors

SMALL_LOADS = st.lists(st.integers(0, 50), min_size=1, max_size=5)


def adams_of(loads: list[int], slots: int, cap: int):
    return adams(loads, np.array(loads, dtype=float), slots, cap)


def largest_share(loads: list[int], counts) -> Fraction:
    return max(Fraction(load, int(count)) for load, count in zip(loads, counts, strict=True))


@given(SMALL_LOADS, st.integers(0, 5))
def test_adams_counts_minimise_the_largest_slot_load(loads, spare):
    slots = len(loads) + spare
    counts = adams_of(loads, slots, slots)
    assert counts.sum() == slots
    assert counts.min() >= 1
    every = count_vectors(len(loads), slots, slots)
    assert largest_share(loads, counts) == min(largest_share(loads, other) for other in every)


@given(SMALL_LOADS, st.integers(1, 4), st.data())
def test_capped_adams_counts_minimise_the_largest_slot_load_within_the_cap(loads, cap, data):
    slots = data.draw(st.integers(len(loads), min(cap * len(loads), len(loads) + 6)))
    counts = adams_of(loads, slots, cap)
    assert counts.sum() == slots
    assert counts.min() >= 1
    assert counts.max() <= cap
    every = count_vectors(len(loads), slots, cap)
    assert largest_share(loads, counts) == min(largest_share(loads, other) for other in every)


def test_ties_of_adams_go_to_the_lower_index():
    # 6 and 6: the first gets the spare replica, then the second.
    assert adams_of([6, 6], 3, 3).tolist() == [2, 1]
    assert adams_of([6, 6], 4, 4).tolist() == [2, 2]


@pytest.mark.parametrize("spare", [1, 2, 3])
def test_loads_that_floats_cannot_tell_apart_are_told_apart(spare):
    random = np.random.default_rng(spare)
    for _ in range(50):
        loads = [2**60 + int(extra) for extra in random.integers(0, 9, 3)]
        counts = adams_of(loads, 3 + spare, 3 + spare)
        every = count_vectors(3, 3 + spare, 3 + spare)
        assert counts.sum() == 3 + spare
        assert largest_share(loads, counts) == min(largest_share(loads, other) for other in every)


@given(SMALL_LOADS, st.data())
def test_the_largest_ratio_is_the_largest_fraction(loads, data):
    counts = data.draw(st.lists(st.integers(1, 9), min_size=len(loads), max_size=len(loads)))
    assert largest_ratio(loads, counts) == largest_share(loads, counts)
