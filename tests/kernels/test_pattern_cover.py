"""Pattern cover: there is one where brute force finds one, and where none is found that is a proof."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.pattern_cover import MOST_ITEMS, cover
from tests.examples import examples


def covered(patterns, spare, slack, number, looks=10_000_000):
    """Chosen patterns, or None; and whether that is a proof."""
    chosen, left = np.empty(number // patterns.shape[1], dtype=np.int64), np.array([looks])
    found = cover(patterns, spare, number, slack, chosen, left)
    return (chosen.tolist() if found else None), left[0] > 0


@examples(300)
@given(st.integers(2, 3), st.integers(2, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_a_cover_is_found_where_there_is_one(size, number, num_windows, seed):
    random = np.random.default_rng(seed)
    every = np.array(list(combinations(range(size * number), size)))
    patterns = every[random.permutation(len(every))[: random.integers(number, 16)]]
    spare = random.integers(0, 5, (len(patterns), num_windows)).astype(float)
    slack = random.integers(0, 4 * number, num_windows).astype(float)
    exist = any(
        np.unique(patterns[list(some)]).size == size * number and (spare[list(some)].sum(axis=0) <= slack).all()
        for some in combinations(range(len(patterns)), number)
    )
    chosen, proven = covered(patterns, spare, slack, size * number)
    assert proven
    assert (chosen is not None) == exist
    if chosen is not None:
        assert sorted(patterns[chosen].ravel().tolist()) == list(range(size * number))
        assert (spare[chosen].sum(axis=0) <= slack).all()


@pytest.mark.parametrize("number", [60, 64, 68, MOST_ITEMS])
def test_items_of_both_words_are_covered(number):
    random = np.random.default_rng(0)
    right = random.permutation(number).reshape(-1, 4)
    wrong = np.array([random.choice(number, 4, replace=False) for _ in range(100)])
    patterns = np.sort(np.concatenate([wrong, right]), axis=1)
    chosen, _ = covered(patterns, np.zeros((len(patterns), 1)), np.zeros(1), number)
    assert chosen is not None
    assert sorted(patterns[chosen].ravel().tolist()) == list(range(number))


def test_no_looks_are_no_proof():
    patterns = np.array([[0, 1], [2, 3]])
    assert covered(patterns, np.zeros((2, 1)), np.zeros(1), 4, looks=0) == (None, False)
    assert covered(patterns[:1], np.zeros((1, 1)), np.zeros(1), 4) == (None, True)
