"""Values over several windows: after a move the same as from the table made by it, and floors below all of them."""

import numpy as np
import pytest
from eplb_opt.kernels.moves import exchange, transfer
from hypothesis import given, settings
from hypothesis import strategies as st

from eplb_opt.kernels.window_values import (
    floor_of,
    rank_again,
    rank_all,
    refresh,
    value_after_exchange,
    value_after_transfer,
    value_of,
)


class Table:
    """A random table, and everything that is kept of it."""

    def __init__(self, gpus, size, windows, seed, worst):
        random = np.random.default_rng(seed)
        self.slots = random.permutation(np.resize(np.arange(max(2, gpus * size * 2 // 3)), gpus * size)).reshape(
            gpus, -1
        )
        experts = self.slots.max() + 1
        self.w = random.random((experts, windows))
        self.weights = np.zeros(windows) if worst else np.full(windows, 1 / windows)
        self.counts = np.empty(experts, dtype=np.int64)
        self.holds = np.array([np.bincount(row, minlength=experts) for row in self.slots], dtype=np.int32)
        self.share, self.load = np.empty(self.w.shape), np.empty((gpus, windows))
        self.top = np.empty((windows, 3), dtype=np.int64)
        self.refresh()

    def refresh(self):
        refresh(self.w, self.slots, self.counts, self.share, self.load, self.top)

    @property
    def value(self):
        """From the slots alone."""
        hot = (self.w / self.counts[:, np.newaxis])[self.slots].sum(axis=1).max(axis=0)
        return self.weights @ hot if self.weights.any() else hot.max()


tables = st.builds(Table, st.integers(2, 6), st.integers(1, 4), st.integers(1, 5), st.integers(0, 10**6), st.booleans())


def drawn_slot(data, table):
    return data.draw(st.integers(0, table.slots.shape[0] - 1)), data.draw(st.integers(0, table.slots.shape[1] - 1))


@settings(max_examples=300)
@given(tables, st.data())
def test_after_an_exchange(table, data):
    assert value_of(table.load, table.top, table.weights) == pytest.approx(table.value)
    (g, i), (h, j) = drawn_slot(data, table), drawn_slot(data, table)
    a, b = table.slots[g, i], table.slots[h, j]
    if g == h or a == b:
        return
    floor = floor_of(table.load, table.top, table.weights)
    arguments = (table.share, table.load, table.top, table.weights, g, h, a, b, floor)
    claimed, limited = (value_after_exchange(*arguments, limit) for limit in (np.inf, table.value))
    exchange(table.slots, table.holds, table.share, table.load, g, i, h, j)
    rank_again(table.load, table.top, g, h)
    assert claimed == pytest.approx(table.value)
    assert value_of(table.load, table.top, table.weights) == pytest.approx(table.value)
    assert floor <= claimed * (1 + 1e-12) or not table.weights.any()
    # Given up only where it is above the limit, which was the value before.
    assert limited == claimed or (limited == np.inf and claimed > arguments[-1] * (1 - 1e-12))


@settings(max_examples=300)
@given(tables, st.data())
def test_after_a_transfer(table, data):
    (h, j), a = drawn_slot(data, table), data.draw(st.integers(0, len(table.w) - 1))
    b = table.slots[h, j]
    if a == b or table.counts[b] < 2:
        return
    marks = np.zeros(len(table.slots), dtype=np.int64)
    arguments = (table.w, table.counts, table.holds, table.share, table.load, table.top, table.weights, marks, 1)
    claimed = value_after_transfer(*arguments, h, a, b)
    transfer(table.w, table.slots, table.counts, table.holds, table.share, table.load, h, j, a)
    rank_all(table.load, table.top)
    assert claimed == pytest.approx(table.value)
    assert value_of(table.load, table.top, table.weights) == pytest.approx(table.value)
