"""Kernels of one node: counts, packing and local search, on plain arrays."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.apportionment import divisor_method
from eplb_opt.heuristics.packing import exchange_groups, pack
from eplb_opt.heuristics.parts import ADAMS
from eplb_opt.kernels.local_search import improve
from eplb_opt.kernels.state import state_of
from tests.examples import examples

RANDOM = np.random.default_rng(0)
SMALL_LOADS = st.lists(st.integers(0, 50), min_size=1, max_size=5)


@st.composite
def packings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Loads and counts that fill `gpus` GPUs of `size` slots, at most one replica per GPU, often exactly one."""
    gpus, size = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    counts, left = [], gpus * size
    while left:
        most = min(gpus, left)
        counts.append(draw(st.sampled_from([most, most, max(most - 1, 1), 1, (most + 1) // 2])))
        left -= counts[-1]
    loads = draw(st.lists(st.integers(0, 20), min_size=len(counts), max_size=len(counts)))
    return np.array(loads, dtype=float), np.array(counts), gpus, size


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Loads, a valid table of slots, the largest count allowed, and whether replicas are distinct."""
    w, counts, gpus, size = draw(packings())
    distinct = draw(st.booleans())
    most = min(gpus, gpus * size) if distinct else gpus * size
    return w, pack(w, counts, gpus, size, distinct), most, distinct


def plenty() -> np.ndarray:
    """A budget that no test uses up."""
    return np.array([2**60])


def exact_max_load(w: np.ndarray, table: np.ndarray) -> Fraction:
    counts = np.bincount(table.ravel(), minlength=w.size).tolist()
    return max(sum((Fraction(w[e]) / counts[e] for e in gpu), Fraction(0)) for gpu in table.tolist())


def largest_share(loads: list[int], counts) -> Fraction:
    return max(Fraction(load, int(count)) for load, count in zip(loads, counts, strict=True))


def test_adams_ranks_by_the_present_count():
    # 100 and 51: the spare replica goes to 100, the next to 51 > 50; d'Hondt would compare 100/3 and 51/2.
    assert divisor_method(np.array([100.0, 51.0]), np.ones(2, dtype=np.int64), 2, 4, ADAMS).tolist() == [2, 2]


def test_counts_without_any_load_still_fill_the_slots():
    counts = divisor_method(np.zeros(3), np.ones(3, dtype=np.int64), 4, 3, ADAMS)
    assert counts.sum() == 7
    assert counts.max() <= 3


@examples(80)
@given(packings(), st.booleans())
def test_pack_fills_every_slot_and_keeps_counts_and_distinct_replicas(packing, distinct):
    w, counts, gpus, size = packing
    table = pack(w, counts, gpus, size, distinct)
    assert table.shape == (gpus, size)
    assert np.bincount(table.ravel(), minlength=counts.size).tolist() == counts.tolist()
    if distinct:
        assert all(len(set(gpu)) == size for gpu in table.tolist())


def test_pack_makes_room_where_only_holders_of_the_expert_have_a_free_slot():
    # 2 GPUs x 3 slots, loads 9 4 3 1 and two replicas of 0. LPT: 9 | 4 3 1, and GPU 1 is full, so both replicas of
    # expert 4 would be on GPU 0. GPU 1 takes the second and gives up the expert that leaves the smaller maximum:
    # 1, for 9 + 1 = 10 (4 or 3 would make 13 or 12).
    table = pack(np.array([9.0, 4, 3, 1, 0]), np.array([1, 1, 1, 1, 2]), 2, 3, True)
    assert [sorted(gpu) for gpu in table.tolist()] == [[0, 3, 4], [1, 2, 4]]


def test_pack_passes_over_gpus_that_hold_the_expert():
    # 2 GPUs x 2 slots, loads 9, 2 (two replicas of 1) and 1: 9 | 1, and the lighter GPU 1 holds expert 1 already.
    w, counts = np.array([9.0, 2, 1]), np.array([1, 2, 1])
    assert [sorted(gpu) for gpu in pack(w, counts, 2, 2, True).tolist()] == [[0, 1], [1, 2]]
    # Where copies may share a GPU the second replica joins the first.
    assert [sorted(gpu) for gpu in pack(w, counts, 2, 2, False).tolist()] == [[0, 2], [1, 1]]


def test_pack_puts_the_heaviest_first_to_the_lightest_gpu():
    # 7 | 6 | 5, then 4 to the 5, 3 to the 6, 2 to the 7: LPT on three GPUs ends even at 9.
    table = pack(np.array([2.0, 7, 3, 6, 4, 5]), np.ones(6, dtype=np.int64), 3, 2, False)
    assert [sorted(gpu) for gpu in table.tolist()] == [[0, 1], [2, 3], [4, 5]]


@examples(40)
@given(tables(), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_improve_keeps_the_table_valid_and_is_never_worse(start, perturbations, seed):
    w, table, most, distinct = start
    before = exact_max_load(w, table)
    top = improve(state_of(w, table, most, distinct), 0.0, perturbations, plenty(), np.random.default_rng(seed))
    counts = np.bincount(table.ravel(), minlength=w.size)
    assert counts.min() >= 1
    assert counts.max() <= most
    assert not distinct or all(len(set(gpu)) == len(gpu) for gpu in table.tolist())
    assert exact_max_load(w, table) <= before
    assert top == pytest.approx(float(exact_max_load(w, table)))


@examples(20)
@given(tables(), st.integers(0, 2**32 - 1))
def test_improve_is_deterministic(start, seed):
    w, table, most, distinct = start
    again = table.copy()
    tops = [
        improve(state_of(w, t, most, distinct), 0.0, 50, plenty(), np.random.default_rng(seed)) for t in (table, again)
    ]
    assert tops[0] == tops[1]
    assert np.array_equal(table, again)


@examples(25)
@given(tables())
def test_improve_does_not_kick_once_the_target_is_met(start):
    w, table, most, distinct = start
    descended = table.copy()
    improve(state_of(w, descended, most, distinct), 0.0, 0, plenty(), np.random.default_rng(1))
    improve(state_of(w, table, most, distinct), np.inf, 1000, plenty(), np.random.default_rng(1))
    assert np.array_equal(table, descended)


def test_improve_exchanges_slots():
    # 9 8 | 2 1 on two GPUs: exchanging 9 and 2 or 8 and 1 leaves 10.
    table = np.array([[0, 1], [2, 3]])
    assert improve(state_of(np.array([9.0, 8, 2, 1]), table, 1, True), 0.0, 0, plenty(), RANDOM) == 10


def test_improve_moves_a_replica_to_the_hottest_expert():
    # 12 | 3 | 3 with expert 1 twice (load 6): one more replica of expert 0 gives 6 | 6 | 6.
    table = np.array([[0], [1], [1]])
    assert improve(state_of(np.array([12.0, 6]), table, 2, True), 0.0, 0, plenty(), RANDOM) == 6
    assert np.bincount(table.ravel()).tolist() == [2, 1]


def test_improve_respects_the_largest_count():
    table = np.array([[0], [1], [1]])
    assert improve(state_of(np.array([12.0, 6]), table, 1, True), 0.0, 100, plenty(), RANDOM) == 12


@given(st.lists(st.integers(0, 30), min_size=2, max_size=8), st.integers(2, 4))
def test_exchanged_groups_are_even_and_no_hotter(values, nodes):
    totals = np.array(values[: len(values) // nodes * nodes] or [1] * nodes, dtype=float)
    start = np.arange(totals.size) % nodes
    before = start.copy()
    after = exchange_groups(totals, start, nodes)
    assert np.array_equal(start, before)
    assert np.bincount(after, minlength=nodes).tolist() == [totals.size // nodes] * nodes
    hottest = [np.bincount(node, weights=totals, minlength=nodes).max() for node in (start, after)]
    assert hottest[1] <= hottest[0]


def test_two_groups_per_node_exchanged_on_two_nodes_are_optimal():
    # On two nodes every partition into pairs is one exchange away from any other.
    for values in product((1, 3, 4, 7), repeat=4):
        totals = np.array(values, dtype=float)
        after = exchange_groups(totals, np.array([0, 0, 1, 1]), 2)
        hottest = np.bincount(after, weights=totals).max()
        best = min(max(values[0] + values[i], sum(values) - values[0] - values[i]) for i in (1, 2, 3))
        assert hottest == best


def test_the_budget_bounds_the_work_and_the_result_is_still_a_plan():
    random = np.random.default_rng(5)
    w = random.integers(1, 1000, 256).astype(float)
    counts = np.ones(256, dtype=np.int64)
    counts[:32] += 1
    start = pack(w, counts, 32, 9, True)
    tops = []
    for pairs in (0, 20_000, 2_000_000):
        table, budget = start.copy(), np.array([pairs])
        tops.append(improve(state_of(w, table, 32, True), 0.0, 10**9, budget, np.random.default_rng(0)))
        # One look at all moves of the hottest GPU, 2 * 9 * 288 pairs, is not divided.
        assert -2 * 9 * 288 <= budget[0] <= 0
        assert all(len(set(gpu)) == 9 for gpu in table.tolist())
    assert tops[0] > tops[1] > tops[2]
