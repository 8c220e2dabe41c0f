"""Fullest patterns: the fullest of all sets by brute force, and the same with an earlier order at hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.fullest_patterns import fill
from tests.examples import examples


def filled(loads, experts, most, order, heads, size, before=None):
    number = len(loads) // size
    gpus, left = np.zeros((number, size), dtype=np.int64), number * most - loads.sum(axis=0)
    known, done = (gpus.copy(), 0) if before is None else before
    ascending, looks = np.argsort(loads[:, 0], kind="stable"), np.zeros(1, dtype=np.int64)
    count = fill(order, ascending, loads, experts, most, heads, known, done, gpus, left, looks)
    return gpus, count, left, int(looks[0])


def layer_of(random, number, size, num_windows, kind):
    items = number * size
    loads = {
        "random": random.random((items, num_windows)),
        "same": np.ones((items, num_windows)),
        "few values": random.integers(0, 3, (items, num_windows)).astype(float),
        "skewed": np.exp(2 * random.standard_normal((items, num_windows))),
    }[kind]
    experts = np.sort(random.integers(0, items, items))
    mean = loads.sum(axis=0) / number
    return loads, experts, mean + random.uniform(0.01, 1.0, num_windows) * np.maximum(mean, 0.1)


def fullest(loads, experts, most, left, first, others, size):
    """What the fullest set with an item leaves free, by looking at all of them."""
    least = np.inf
    for rest in combinations(others, size - 1):
        pattern = [first, *rest]
        room = most - loads[pattern].sum(axis=0)
        if len(set(experts[pattern].tolist())) == size and room.min() >= 0:
            least = min(least, float((room / left).sum()))
    return least


@examples(150)
@given(
    st.sampled_from([(2, 4), (3, 3), (3, 4), (4, 2), (2, 5)]),
    st.integers(1, 4),
    st.sampled_from(["random", "same", "few values", "skewed"]),
    st.integers(0, 2**32 - 1),
)
def test_each_gpu_gets_the_first_item_left_and_the_fullest_set_with_it(shape, num_windows, kind, seed):
    number, size = shape
    random = np.random.default_rng(seed)
    loads, experts, most = layer_of(random, number, size, num_windows, kind)
    order = random.permutation(len(loads))
    gpus, count, left, _ = filled(loads, experts, most, order, number - 1, size)
    free, room = set(range(len(loads))), number * most - loads.sum(axis=0)
    for row in gpus[:count]:
        first = next(item for item in order if item in free)
        assert row[0] == first
        free -= set(row.tolist())
        least = fullest(loads, experts, most, room, first, sorted({*free, *row.tolist()} - {first}), size)
        spare = most - loads[row].sum(axis=0)
        assert len(set(experts[row].tolist())) == size
        assert (spare / room).sum() == pytest.approx(least, abs=1e-9)
        room = room - spare
    if count == number - 1:
        assert np.allclose(left, room)
        assert gpus[-1].tolist() == sorted(free)
    elif left.min() > 0:
        # There is room left: it ended because no set fits.
        first = next(item for item in order if item in free)
        assert fullest(loads, experts, most, room, first, sorted(free - {first}), size) == np.inf


@examples(100)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_an_earlier_order_changes_nothing_but_the_work(num_windows, seed):
    random = np.random.default_rng(seed)
    loads, experts, most = layer_of(random, 6, 4, num_windows, "random")
    order = random.permutation(24)
    before = filled(loads, experts, most, order, 4, 4)
    changed = order.copy()
    a, b = random.choice(24, 2, replace=False)
    changed[a], changed[b] = order[b], order[a]
    anew, known = (filled(loads, experts, most, changed, 4, 4, earlier) for earlier in (None, before[:2]))
    assert known[1] == anew[1] and (known[0][: known[1]] == anew[0][: anew[1]]).all()
    assert np.array_equal(known[2], anew[2])
    assert known[3] <= anew[3]
    again = filled(loads, experts, most, order, 4, 4, before[:2])
    assert np.array_equal(again[0][: again[1]], before[0][: before[1]])


def test_loose_limits_are_not_searched_to_the_end():
    random = np.random.default_rng(0)
    loads = random.random((288, 3))
    most = 3 * loads.sum(axis=0) / 72
    gpus, count, _, looks = filled(loads, np.arange(288), most, np.arange(288), 60, 4)
    assert count == 60 and looks < 60 * 30_000
    assert np.array_equal(np.sort(gpus.ravel()), np.arange(288))


def test_an_item_that_nothing_fits_does_not_take_forever():
    # Four others are too much beside it in the last window, and three never are: some 2e9 sets could be tried.
    loads = np.random.default_rng(0).uniform(0.9, 1.1, (480, 3))
    loads[:, 2], loads[0, 2] = 0.25, 0.26
    most = np.array([6.0, 6.0, 1.2599])
    _, count, _, looks = filled(loads, np.arange(480), most, np.arange(480), 90, 5)
    assert count == 0 and looks < 1_000_000
