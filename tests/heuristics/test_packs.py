"""Packs: equal sizes, and what each published rule of packing says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.packs import pack_items
from eplb_opt.heuristics.parts import DIVERSE, DIVERSE_TIE, IN_ORDER, LPT, ROUNDS, SNAKE, Packing
from eplb_opt.heuristics.refinement import num_doubled, part_doubles
from eplb_opt.kernels.state import state_of
from tests.reference_policy import pack_evenly

RULES = (LPT, SNAKE, ROUNDS, DIVERSE, DIVERSE_TIE, IN_ORDER)


@st.composite
def items(draw):
    packs, size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    number = packs * size
    weight = draw(st.lists(st.integers(0, 20), min_size=number, max_size=number))
    owner = draw(st.lists(st.integers(0, 5), min_size=number, max_size=number))
    return np.array(weight, dtype=float), np.array(owner), packs


def loads_of(table, weight):
    return weight[table].sum(axis=1)


@pytest.mark.parametrize("rule", RULES)
@given(items(), st.integers(0, 3), st.integers(0, 2), st.booleans())
def test_every_item_is_in_one_pack_and_packs_are_equal(rule, case, exchanges, candidates, adaptive):
    weight, owner, packs = case
    table = pack_items(weight, owner, packs, Packing(rule, exchanges, candidates, adaptive))
    assert table.shape == (packs, weight.size // packs)
    assert sorted(table.ravel()) == list(range(weight.size))


@given(items())
def test_lpt_is_the_published_packing(case):
    weight, owner, packs = case
    table = pack_items(weight, owner, packs, Packing(LPT))
    assert table.tolist() == pack_evenly(weight.tolist(), packs)


@given(items())
def test_snake_deals_forth_and_back(case):
    weight, owner, packs = case
    order = sorted(range(weight.size), key=lambda item: -weight[item])
    expected = [[] for _ in range(packs)]
    for rank, item in enumerate(order):
        there, back = rank % packs, rank // packs % 2
        expected[packs - 1 - there if back else there].append(item)
    assert pack_items(weight, owner, packs, Packing(SNAKE)).tolist() == expected


@given(items())
def test_rounds_give_the_heaviest_item_of_a_round_to_the_lightest_pack(case):
    weight, owner, packs = case
    table = pack_items(weight, owner, packs, Packing(ROUNDS))
    for place in range(1, table.shape[1]):
        before = weight[table[:, :place]].sum(axis=1)
        lightest_first = np.argsort(before, kind="stable")
        dealt = weight[table[lightest_first, place]]
        assert (np.diff(dealt) <= 0).all()
        assert dealt[0] <= weight[table[:, place - 1]].min()


@given(items())
def test_copies_are_apart_before_loads_are_even(case):
    weight, owner, packs = case
    table = pack_items(weight, owner, packs, Packing(DIVERSE))
    used, load = [[] for _ in range(packs)], np.zeros(packs)
    for item in sorted(range(weight.size), key=lambda item: -weight[item]):
        free = [pack for pack in range(packs) if len(used[pack]) < table.shape[1]]
        best = min(free, key=lambda pack: ([owner[i] for i in used[pack]].count(owner[item]), load[pack]))
        used[best].append(item)
        load[best] += weight[item]
    assert table.tolist() == used


@given(items())
def test_copies_decide_ties_only(case):
    weight, owner, packs = case
    used, load = [[] for _ in range(packs)], np.zeros(packs)
    for item in sorted(range(weight.size), key=lambda item: -weight[item]):
        free = [pack for pack in range(packs) if len(used[pack]) < weight.size // packs]
        # Whole loads tie exactly, or differ by far more than a millionth of the mean.
        best = min(free, key=lambda pack: (load[pack], [owner[i] for i in used[pack]].count(owner[item])))
        used[best].append(item)
        load[best] += weight[item]
    assert pack_items(weight, owner, packs, Packing(DIVERSE_TIE)).tolist() == used


def test_loads_that_differ_by_less_than_a_millionth_of_the_mean_tie():
    weight, owner = np.array([4.0, 4.0 - 1e-6, 3.0, 3.0]), np.array([0, 1, 1, 2])
    # The third item finds a copy on the GPU that is lighter by next to nothing.
    assert pack_items(weight, owner, 2, Packing(DIVERSE_TIE)).tolist() == [[0, 2], [1, 3]]
    assert pack_items(weight, owner, 2, Packing(LPT)).tolist() == [[0, 3], [1, 2]]


@pytest.mark.parametrize("rule", RULES)
@given(items(), st.integers(0, 2))
def test_an_exchange_never_raises_the_larger_of_the_two(rule, case, candidates):
    weight, owner, packs = case
    before = loads_of(pack_items(weight, owner, packs, Packing(rule)), weight)
    for exchanges in (1, 2, 3):
        after = loads_of(pack_items(weight, owner, packs, Packing(rule, exchanges, candidates)), weight)
        assert after.max() <= before.max()
        if sorted(after) != sorted(before):
            heavy, light = np.argmax(before), np.argmin(before)
            assert max(after[heavy], after[light]) < before[heavy]
        before = after


def test_the_exchange_is_the_one_nearest_to_half_the_difference():
    weight = np.array([9.0, 6.0, 5.0, 4.0, 3.0, 1.0])
    # In order: 9 + 6 + 5 against 4 + 3 + 1, which differ by 12; 9 and 3 differ by 6.
    table = pack_items(weight, np.arange(6), 2, Packing(IN_ORDER, 1))
    assert table.tolist() == [[4, 1, 2], [3, 0, 5]]
    assert loads_of(table, weight).tolist() == [14.0, 14.0]
    # Of the heaviest of the one and the lightest of the other alone, 9 and 1.
    table = pack_items(weight, np.arange(6), 2, Packing(IN_ORDER, 1, 1))
    assert loads_of(table, weight).tolist() == [12.0, 16.0]


def test_an_adaptive_packing_goes_on_only_where_much_is_left():
    # Forth and back: 30, 1, 1, 0 against 3, 2, 1, 0; the best exchange leaves a difference of more than 80 %.
    stubborn = np.array([30.0, 3.0, 2.9, 1.0, 1.0, 0.5, 0.0, 0.0])
    once = pack_items(stubborn, np.arange(8), 2, Packing(SNAKE, 1))
    twice = pack_items(stubborn, np.arange(8), 2, Packing(SNAKE, 2))
    adaptive = pack_items(stubborn, np.arange(8), 2, Packing(SNAKE, 2, adaptive=True))
    assert once.tolist() != twice.tolist()
    assert adaptive.tolist() == twice.tolist()
    easy = np.array([8.0, 7.0, 4.0, 2.0, 2.0, 1.5, 1.0, 0.0])
    once = pack_items(easy, np.arange(8), 2, Packing(SNAKE, 1))
    assert pack_items(easy, np.arange(8), 2, Packing(SNAKE, 2, adaptive=True)).tolist() == once.tolist()


@given(st.data())
def test_no_gpu_holds_an_expert_twice_after_parting(data):
    gpus, size = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    num_experts = data.draw(st.integers(size, gpus * size))
    counts = np.ones(num_experts, dtype=int)
    for _ in range(gpus * size - num_experts):
        counts[data.draw(st.sampled_from(np.flatnonzero(counts < gpus).tolist()))] += 1
    row = data.draw(st.permutations(np.repeat(np.arange(num_experts), counts).tolist()))
    table = np.array(row).reshape(gpus, size)
    share = np.array(data.draw(st.lists(st.integers(0, 9), min_size=num_experts, max_size=num_experts)), dtype=float)
    doubled = sum(len(gpu) - len(set(gpu)) for gpu in table.tolist())
    parted = table.copy()
    state = state_of(share * counts, parted, gpus, True)
    assert num_doubled(state) == doubled
    part_doubles(state)
    assert num_doubled(state) == 0
    assert np.bincount(parted.ravel(), minlength=num_experts).tolist() == counts.tolist()
    if not doubled:
        assert parted.tolist() == table.tolist()
