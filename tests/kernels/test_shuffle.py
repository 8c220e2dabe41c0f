"""Shuffle: every permutation, equally often, and the same from the same seed."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.shuffle import shuffle
from tests.kernels.evenness import equally_often


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 2**32))
def test_what_was_there_is_there_and_the_seed_decides_where(values, seed):
    row, again = np.array(values, dtype=np.int64), np.array(values, dtype=np.int64)
    shuffle(row, np.random.default_rng(seed))
    shuffle(again, np.random.default_rng(seed))
    assert sorted(row.tolist()) == sorted(values)
    assert again.tolist() == row.tolist()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_all_permutations_are_equally_likely(size):
    seen, random = dict.fromkeys(permutations(range(size)), 0), np.random.default_rng(size)
    for _ in range(200 * len(seen)):
        row = np.arange(size)
        shuffle(row, random)
        seen[tuple(row.tolist())] += 1
    assert equally_often(list(seen.values()))
