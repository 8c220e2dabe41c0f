"""The search through fillings, against all covers, and against a program."""

from itertools import combinations_with_replacement

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from eplb_opt.kernels.filling_search import search_fillings
from tests.examples import examples
from tests.kernels.test_pattern_list import all_patterns, items


def is_cover(chosen, experts, numbers):
    """Whether each expert has one of its items, as often as its number says."""
    slots = [item for pattern in chosen for item in pattern]
    used = {item: slots.count(item) for item in slots}
    whole = all(times == numbers[item] for item, times in used.items())
    return whole and sorted(experts[list(used)].tolist()) == sorted(set(experts.tolist()))


def has_cover(experts, numbers, rows, num):
    """Whether CP-SAT finds a cover: how often each row is in it, and which items are."""
    model = cp_model.CpModel()
    times = [model.new_int_var(0, num, "") for _ in rows]
    used = [model.new_bool_var("") for _ in experts]
    model.add(sum(times) == num)
    for expert in set(experts.tolist()):
        model.add_exactly_one(used[item] for item in np.flatnonzero(experts == expert))
    for item, number in enumerate(numbers.tolist()):
        in_rows = np.count_nonzero(rows == item, axis=1)
        model.add(sum(times[row] * int(in_rows[row]) for row in np.flatnonzero(in_rows)) == number * used[item])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    return {cp_model.OPTIMAL: True, cp_model.INFEASIBLE: False}[solver.solve(model)]


@examples(100)
@given(items(most=6), st.sampled_from([(1, 2), (2, 2), (2, 3), (3, 2)]), st.booleans(), st.floats(0, 40))
def test_a_cover_is_found_where_there_is_one(case, shape, distinct, most):
    v, experts, numbers = case
    num, size = shape
    patterns = [f for f in all_patterns(v, experts, numbers, size, distinct) if v[list(f)].sum() <= most]
    if not patterns:
        return
    possible = any(is_cover(c, experts, numbers) for c in combinations_with_replacement(patterns, num))
    chosen, looks = np.empty(num, dtype=np.int64), np.array([10_000_000])
    rows = np.array(patterns, dtype=np.int64)
    assert search_fillings(v, experts, numbers, rows, most, chosen, looks) == possible
    assert looks[0] > 0
    if possible:
        assert is_cover(rows[chosen].tolist(), experts, numbers)


@examples(60)
@given(st.integers(0, 10**6), st.sampled_from([(4, 3), (5, 3), (4, 4)]), st.booleans())
def test_a_program_finds_no_cover_where_the_search_finds_none(seed, shape, distinct):
    random = np.random.default_rng(seed)
    num, size = shape
    num_experts = num * size - int(random.integers(1, 4))
    totals = random.integers(1, 60, num_experts)
    pairs = sorted(((e, r) for e in range(num_experts) for r in (1, 2, 3)), key=lambda pair: -totals[pair[0]] / pair[1])
    experts, numbers = np.array(pairs).T
    v = totals[experts] / numbers
    most = totals.sum() / num * random.choice([1.0, 1.02, 1.05])
    rows = np.array([f for f in all_patterns(v, experts, numbers, size, distinct) if v[list(f)].sum() <= most])
    rows = rows[v[rows].sum(axis=1) >= totals.sum() - (num - 1) * most - 1e-6] if rows.size else rows
    if not rows.size or np.unique(experts[rows]).size < num_experts:
        return
    looks, chosen = np.array([100_000_000]), np.empty(num, dtype=np.int64)
    found = search_fillings(v, experts, numbers, rows, most, chosen, looks)
    # What is found shows itself; a program says that there is nothing to find, of fewer patterns.
    assert looks[0] > 0
    assert is_cover(rows[chosen].tolist(), experts, numbers) if found else not has_cover(experts, numbers, rows, num)


def test_looks_end_the_search():
    v, experts, numbers = np.array([2.0, 2.0, 1.0]), np.arange(3), np.array([1, 1, 2])
    rows = np.array([(0, 1), (0, 2), (1, 2), (2, 2)])
    for looks, found in ((0, False), (1000, True)):
        assert search_fillings(v, experts, numbers, rows, 3.0, np.empty(2, dtype=np.int64), np.array([looks])) == found
