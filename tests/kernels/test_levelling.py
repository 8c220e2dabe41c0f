"""Levelling on plain arrays, against all ways to place the slots."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.packing import pack
from eplb_opt.kernels.levelling import Aim, level
from eplb_opt.kernels.state import state_of
from tests.examples import examples
from tests.kernels.test_local_search import exact_max_load, tables


def levelled(w, table, aim, steps, seed=0, most=1, distinct=True):
    """The max load that is returned, the best table, and where the walk ends, from a table that stays as it is."""
    last, best = table.copy(), np.empty_like(table)
    state = state_of(np.asarray(w, dtype=float), last, most, distinct)
    return level(state, aim, steps, best, np.random.default_rng(seed)), best, last


def is_allowed(table, counts, distinct):
    """Whether a table has these counts, and no expert twice on a GPU where replicas are distinct."""
    alone = not distinct or all(len(set(gpu)) == len(gpu) for gpu in table.tolist())
    return alone and np.array_equal(np.bincount(table.ravel(), minlength=counts.size), counts)


@given(tables(), st.integers(0, 60), st.integers(0, 3), st.floats(0.1, 10.0))
@examples(200)
def test_a_walk_keeps_counts_and_rules_and_returns_what_its_best_table_carries(case, steps, seed, scale):
    w, table, most, distinct = case
    counts = np.bincount(table.ravel(), minlength=w.size)
    mean = float(w.sum()) / table.shape[0]
    reached, best, last = levelled(w, table, Aim(mean, mean, scale), steps, seed, most, distinct)
    assert is_allowed(best, counts, distinct)
    assert is_allowed(last, counts, distinct)
    assert reached == pytest.approx(float(exact_max_load(w, best)), rel=1e-12, abs=1e-12)
    assert exact_max_load(w, best) <= exact_max_load(w, table)


def optimum(w, gpus, size):
    """The smallest max load of all ways to place single replicas."""
    best = max(w) * size
    for order in permutations(range(len(w))):
        table = np.array(order).reshape(gpus, size)
        best = min(best, max(sum(w[e] for e in gpu) for gpu in table.tolist()))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_a_walk_finds_the_best_of_all_placements(seed):
    w = np.random.default_rng(seed).integers(1, 50, 8)
    mean = w.sum() / 2
    table = pack(w.astype(float), np.ones(8, dtype=np.int64), 2, 4, True)
    reached, best, _ = levelled(w, table, Aim(mean, mean, 1.0), 300, seed)
    assert reached == exact_max_load(w, best) == optimum(w.tolist(), 2, 4)


@pytest.mark.parametrize("seed", range(5))
def test_a_perfect_balance_that_was_hidden_is_found_again(seed):
    # Each GPU is built to carry 1,000 in five slots; then all slots are dealt anew.
    random = np.random.default_rng(seed)
    cuts = np.sort(random.choice(np.arange(1, 1000), (12, 4)), axis=1)
    w = np.diff(cuts, axis=1, prepend=0, append=1000).ravel().astype(float)
    table = pack(w, np.ones(60, dtype=np.int64), 12, 5, True)
    assert exact_max_load(w, table) > 1000
    reached, best, _ = levelled(w, table, Aim(1000.0, 1000.0, 0.3), 40_000, seed)
    assert reached == exact_max_load(w, best) == Fraction(1000)


def test_same_arguments_same_walk():
    w = np.random.default_rng(1).integers(1, 999, 40).astype(float)
    table = pack(w, np.ones(40, dtype=np.int64), 8, 5, True)
    one, other = (levelled(w, table, Aim(w.sum() / 8, w.sum() / 8, 0.5), 200, seed=3) for _ in range(2))
    assert one[0] == other[0]
    assert (one[1] == other[1]).all()
    assert (one[2] == other[2]).all()


def test_plans_that_are_as_they_should_be_stay():
    table = np.arange(6).reshape(2, 3)
    reached, best, last = levelled(np.ones(6), table, Aim(2.0, 4.0, 1.0), 100)
    assert reached == 3.0
    assert (best == table).all()
    assert (last == table).all()
