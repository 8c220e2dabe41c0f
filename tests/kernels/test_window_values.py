"""Values over several windows: after a move the same as from the table made by it, and floors below all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.state import exchange, state_of, transfer
from eplb_opt.kernels.window_values import (
    floor_of,
    rank_again,
    rank_all,
    value_after_exchange,
    value_after_transfer,
    value_of,
)
from tests.examples import examples


class Table:
    """A random table, and everything that is kept of it."""

    def __init__(self, gpus, size, windows, seed, worst):
        random = np.random.default_rng(seed)
        slots = random.permutation(np.resize(np.arange(max(2, gpus * size * 2 // 3)), gpus * size)).reshape(gpus, -1)
        self.state = state_of(random.random((slots.max() + 1, windows)), slots, gpus * size, False)
        self.weights = np.zeros(windows) if worst else np.full(windows, 1 / windows)
        self.top = np.empty((windows, 3), dtype=np.int64)
        rank_all(self.state.gpu_loads, self.top)

    @property
    def value(self):
        """From the slots alone."""
        state = self.state
        hot = (state.loads / state.counts[:, np.newaxis])[state.slots].sum(axis=1).max(axis=0)
        return self.weights @ hot if self.weights.any() else hot.max()


tables = st.builds(Table, st.integers(2, 6), st.integers(1, 4), st.integers(1, 5), st.integers(0, 10**6), st.booleans())


def drawn_slot(data, table):
    return tuple(data.draw(st.integers(0, length - 1)) for length in table.state.slots.shape)


@examples(60)
@given(tables, st.data())
def test_after_an_exchange(table, data):
    assert value_of(table.state.gpu_loads, table.top, table.weights) == pytest.approx(table.value)
    (g, i), (h, j) = drawn_slot(data, table), drawn_slot(data, table)
    a, b = table.state.slots[g, i], table.state.slots[h, j]
    if g == h or a == b:
        return
    floor = floor_of(table.state.gpu_loads, table.top, table.weights)
    arguments = (table.state, table.top, table.weights, g, h, a, b, floor)
    claimed, limited = (value_after_exchange(*arguments, limit) for limit in (np.inf, table.value))
    exchange(table.state, g, i, h, j)
    rank_again(table.state.gpu_loads, table.top, g, h)
    assert claimed == pytest.approx(table.value)
    assert value_of(table.state.gpu_loads, table.top, table.weights) == pytest.approx(table.value)
    assert floor <= claimed * (1 + 1e-12) or not table.weights.any()
    # Given up only where it is above the limit, which was the value before.
    assert limited == claimed or (limited == np.inf and claimed > arguments[-1] * (1 - 1e-12))


@examples(60)
@given(tables, st.data())
def test_after_a_transfer(table, data):
    (h, j), a = drawn_slot(data, table), data.draw(st.integers(0, len(table.state.loads) - 1))
    b = table.state.slots[h, j]
    if a == b or table.state.counts[b] < 2:
        return
    marks = np.zeros(len(table.state.slots), dtype=np.int64)
    arguments = (table.state, table.top, table.weights, marks, 1)
    claimed = value_after_transfer(*arguments, h, a, b)
    transfer(table.state, h, j, a)
    rank_all(table.state.gpu_loads, table.top)
    assert claimed == pytest.approx(table.value)
    assert value_of(table.state.gpu_loads, table.top, table.weights) == pytest.approx(table.value)
