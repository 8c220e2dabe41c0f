"""Pair counts: the sweep agrees with folding and with every choice of counts, and groups are pairs among themselves."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.pair_counts import excess_of, new_states, reassign_counts
from eplb_opt.kernels.pair_groups import groups_of

STATES = new_states()


@st.composite
def layers(draw, most=6):
    """Loads, counts with an even number of slots, and a limit on pairs."""
    loads = draw(st.lists(st.integers(0, 60), min_size=2, max_size=most))
    counts = [draw(st.integers(1, 3)) for _ in loads]
    counts[0] += sum(counts) % 2
    return np.array(loads, dtype=float), np.array(counts), draw(st.integers(1, 80)) + 0.5


def folded(loads, counts, limit):
    slots = sorted(load / count for load, count in zip(loads, counts, strict=True) for _ in range(count))
    return sum(max(0.0, slots[i] + slots[-1 - i] - limit) for i in range(len(slots) // 2))


@given(layers())
def test_the_excess_is_that_of_heaviest_with_lightest(layer):
    assert excess_of(*layer) == pytest.approx(folded(*layer))


@given(layers(), st.data())
def test_counts_of_chosen_experts_have_the_excess_that_is_told_and_all_slots(layer, data):
    loads, counts, limit = layer
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, loads.size - 1), min_size=1))))
    best = np.zeros_like(counts)
    found, _ = reassign_counts(loads, counts, chosen, limit, np.inf, 4, STATES, best)
    if found < np.inf:
        assert best.sum() == counts.sum()
        assert best.min() >= 1
        assert best[chosen].max() <= 4
        assert set(np.flatnonzero(best != counts)) <= set(chosen)
        assert found == pytest.approx(folded(loads, best, limit))
    again = np.zeros_like(counts)
    assert reassign_counts(loads, counts, chosen, limit, np.inf, 4, STATES, again)[0] == found
    assert (again == best).all()


@given(layers(most=5))
def test_counts_without_excess_are_found_where_all_may_change(layer):
    loads, counts, limit = layer
    choices = (c for c in product(range(1, 6), repeat=loads.size) if sum(c) == counts.sum())
    there = any(max(loads / c) <= limit and folded(loads, c, limit) == 0 for c in choices)
    everybody, best = np.arange(loads.size), np.zeros_like(counts)
    found, _ = reassign_counts(loads, counts, everybody, limit, 1e-9, 5, STATES, best)
    assert (found < 1e-9) == there


@given(layers(most=12))
def test_groups_need_no_partners_elsewhere_where_nothing_exceeds_the_limit(layer):
    loads, counts, _ = layer
    slots = sorted(load / count for load, count in zip(loads, counts, strict=True) for _ in range(count))
    limit = max(a + b for a, b in zip(slots, slots[::-1], strict=True)) + 0.5
    groups = groups_of(loads, counts, limit)
    light = loads / counts <= limit / 2
    for group in set(groups.tolist()):
        members = groups == group
        # Light slots that are left over share GPUs with each other.
        assert counts[members & light].sum() >= counts[members & ~light].sum()
        even = counts[members].sum() % 2 == 0
        assert not even or folded(loads[members], counts[members], limit) == 0
