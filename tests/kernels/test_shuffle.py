"""Shuffle: numpy's permutations, draw for draw."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.shuffle import shuffle


@given(st.integers(0, 300), st.integers(0, 2**32))
def test_rows_and_generators_end_as_with_numpy(size, seed):
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    row, expected = np.arange(size), np.arange(size)
    for _ in range(2):
        shuffle(row, ours)
        theirs.shuffle(expected)
        assert row.tolist() == expected.tolist()
    assert ours.random() == theirs.random()
