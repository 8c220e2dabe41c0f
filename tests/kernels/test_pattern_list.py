"""Patterns between two loads, against all that there are."""

from itertools import combinations, combinations_with_replacement

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.pattern_list import patterns_between


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
