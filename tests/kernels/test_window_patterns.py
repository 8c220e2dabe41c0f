"""Patterns of several windows between limits: those of brute force, in every number of slots."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.window_patterns import window_patterns
from tests.examples import examples


@examples(200)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([3, 1000]), st.booleans())
def test_all_choices_within_limits_are_listed_once(size, num_windows, seed, largest, alike):
    random = np.random.default_rng(seed)
    experts = np.sort(random.integers(0, 9, random.integers(size, 12)))
    # Whole numbers, which sum without rounding. Windows may be the same.
    loads = random.integers(0, largest + 1, (9, num_windows)).astype(float)[experts]
    if alike:
        loads[:] = loads[:, :1]
    least = random.integers(0, largest * size + 1, num_windows).astype(float) / 2
    most = least + random.integers(0, largest * size, num_windows)
    expected = {
        items
        for items in combinations(range(experts.size), size)
        if np.unique(experts[list(items)]).size == size
        and (loads[list(items)].sum(axis=0) >= least).all()
        and (loads[list(items)].sum(axis=0) <= most).all()
    }
    found = window_patterns(loads, experts, size, least, most, 1_000)
    assert found is not None
    assert len(found) == len(expected)
    assert {tuple(row) for row in found.tolist()} == expected


@pytest.mark.parametrize("limit", [5, 6])
def test_more_patterns_than_asked_for_are_none(limit):
    found = window_patterns(np.ones((4, 2)), np.arange(4), 2, np.zeros(2), np.full(2, 2.0), limit)
    assert found is None if limit < 6 else len(found) == 6
