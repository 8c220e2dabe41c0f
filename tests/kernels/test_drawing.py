"""Numbers at random are all possible ones, equally often, and no other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.compiler import compiled
from eplb_opt.kernels.drawing import draw
from tests.kernels.evenness import equally_often


class Always:
    """A generator that draws the same number again and again."""

    def __init__(self, number):
        self._number = number

    def random(self):
        return self._number


@compiled
def draws(random, number, times):
    found = np.empty(times, dtype=np.int64)
    for i in range(times):
        found[i] = draw(random, number)
    return found


@pytest.mark.parametrize("number", [1, 2, 3, 7, 288])
def test_all_numbers_are_drawn_equally_often(number):
    found = draws(np.random.default_rng(number), number, 500 * number)
    assert found.min() >= 0
    seen = np.bincount(found, minlength=number)
    assert seen.size == number
    assert equally_often(seen)


@given(st.integers(1, 2**40))
def test_the_least_and_the_largest_draw_are_the_first_and_the_last_number(number):
    # What numpy draws at least and at most.
    least, most = Always(0.0), Always(1.0 - 2.0**-53)
    assert draw.py_func(least, number) == 0
    assert draw.py_func(most, number) == number - 1
