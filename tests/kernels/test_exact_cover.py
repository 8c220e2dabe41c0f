"""Patterns and covers, against all that there are."""

from itertools import combinations, combinations_with_replacement, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.exact_cover import cover, patterns_between
from tests.examples import examples


@st.composite
def items(draw: st.DrawFn, most: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads that decrease, experts, and how many slots an expert has if it is this item."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=most, unique=True))
    names = sorted({expert for expert, _ in pairs})
    totals = {name: draw(st.integers(0, 24)) for name in names}
    pairs.sort(key=lambda pair: -totals[pair[0]] / pair[1])
    experts = np.array([names.index(expert) for expert, _ in pairs])
    numbers = np.array([number for _, number in pairs])
    return np.array([totals[expert] / number for expert, number in pairs]), experts, numbers


def all_patterns(v, experts, numbers, size, distinct):
    """Every choice that one GPU may hold."""
    for choice in (combinations if distinct else combinations_with_replacement)(range(v.size), size):
        one_number = len(set(experts[list(choice)].tolist())) == len(set(choice))
        if one_number and all(choice.count(item) <= numbers[item] for item in choice):
            yield choice


@given(items(), st.integers(2, 4), st.booleans(), st.integers(0, 60), st.integers(0, 60))
def test_the_list_holds_every_pattern_between_two_loads(case, size, distinct, one, other):
    v, experts, numbers = case
    least, most = min(one, other) - 1e-9, max(one, other) + 1e-9
    expected = {
        choice for choice in all_patterns(v, experts, numbers, size, distinct) if least <= v[list(choice)].sum() <= most
    }
    rows = np.empty((500, size), dtype=np.int64)
    found = patterns_between(v, experts, numbers, size, least, most, distinct, rows)
    assert found == len(expected)
    assert set(map(tuple, rows[:found].tolist())) == expected
    if expected:
        assert patterns_between(v, experts, numbers, size, least, most, distinct, rows[: found - 1]) == -1


def is_cover(chosen, experts, numbers):
    """Whether each expert has one of its items, as often as its number says."""
    slots = [item for pattern in chosen for item in pattern]
    used = {item: slots.count(item) for item in slots}
    whole = all(times == numbers[item] for item, times in used.items())
    return whole and sorted(experts[list(used)].tolist()) == sorted(set(experts.tolist()))


@examples(60)
@given(items(most=6), st.sampled_from([(1, 2), (2, 2), (2, 3), (3, 2)]), st.booleans(), st.floats(0, 40))
def test_a_cover_is_found_where_there_is_one(case, shape, distinct, most):
    v, experts, numbers = case
    num, size = shape
    patterns = [f for f in all_patterns(v, experts, numbers, size, distinct) if v[list(f)].sum() <= most]
    possible = any(is_cover(c, experts, numbers) for c in combinations_with_replacement(patterns, num))
    chosen, nodes = np.empty(num, dtype=np.int64), np.array([100_000])
    rows = np.array(patterns, dtype=np.int64).reshape(-1, size)
    if not rows.size:
        return
    found = cover(v, experts, numbers, rows, most, chosen, nodes)
    assert nodes[0] > 0
    assert found == possible
    if found:
        assert is_cover(rows[chosen].tolist(), experts, numbers)
        assert (v[rows[chosen]].sum(axis=1) <= most * (1 + 1e-9)).all()


def test_nodes_end_the_search():
    # Two GPUs of two slots each, three experts of which one has two replicas: more than one choice to look at.
    v, experts, numbers = np.array([2.0, 2.0, 1.0]), np.arange(3), np.array([1, 1, 2])
    rows = np.array([f for f in product(range(3), repeat=2) if f[0] <= f[1]], dtype=np.int64)
    for nodes, found in ((np.array([0]), False), (np.array([100]), True)):
        assert cover(v, experts, numbers, rows, 3.0, np.empty(2, dtype=np.int64), nodes) == found
