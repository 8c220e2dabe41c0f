"""Dealing the slots of a few GPUs anew, against all assignments there are."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.packing import pack
from eplb_opt.kernels.reassignment import reassign
from eplb_opt.kernels.state import state_of
from tests.examples import examples
from tests.kernels.states import require_sound


def improved(
    w: np.ndarray, table: np.ndarray, distinct: bool, budget: int, target: float = 0.0, max_replicas: int = 0
) -> np.ndarray:
    """The table after reassignment; its arrays have to agree with it at the end. Counts stay without `max_replicas`."""
    slots = table.copy()
    state = state_of(w, slots, max_replicas, distinct)
    reassign(state, target, np.array([budget]), np.random.default_rng(1))
    require_sound(state)
    return slots


def all_deals(items: tuple[int, ...], size: int):
    """Every split of the positions of `items` into sets of `size`."""
    if not items:
        yield []
        return
    for others in combinations(items[1:], size - 1):
        part = (items[0], *others)
        for rest in all_deals(tuple(i for i in items if i not in part), size):
            yield [part, *rest]


@st.composite
def small_tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, bool]:
    gpus, size = draw(st.sampled_from([(2, 2), (2, 3), (2, 4), (3, 2), (3, 3), (4, 2)]))
    distinct = draw(st.booleans())
    counts, left = [], gpus * size
    while left:
        counts.append(draw(st.integers(1, min(gpus if distinct else 3, left))))
        left -= counts[-1]
    loads = draw(st.lists(st.integers(0, 60), min_size=len(counts), max_size=len(counts)))
    w = np.array(loads, dtype=float) * np.array(counts)
    return w, pack(w, np.array(counts), gpus, size, distinct), distinct


@examples(60)
@given(small_tables())
def test_repartition_finds_the_best_deal_where_all_gpus_can_take_part(case):
    w, table, distinct = case
    share = w / np.bincount(table.ravel(), minlength=w.size)
    experts = table.ravel()
    best = min(
        max(share[experts[list(part)]].sum() for part in assignment)
        for assignment in all_deals(tuple(range(experts.size)), table.shape[1])
        if not distinct or all(len(set(experts[list(part)])) == len(part) for part in assignment)
    )
    slots = improved(w, table, distinct, 400_000)
    assert share[slots].sum(axis=1).max() == best


@examples(25)
@given(st.integers(2, 12), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_repartition_keeps_counts_and_distinct_replicas_and_never_heats(gpus, size, seed, distinct):
    random = np.random.default_rng(seed)
    experts = int(random.integers(size, gpus * size + 1))
    counts = np.ones(experts, dtype=np.int64)
    while counts.sum() < gpus * size:
        counts[random.choice(np.flatnonzero(counts < gpus))] += 1
    w = random.integers(0, 1000, experts).astype(float)
    table = pack(w, counts, gpus, size, True)
    slots = improved(w, table, distinct, 30_000)
    share = w / counts
    assert np.array_equal(np.bincount(slots.ravel(), minlength=experts), counts)
    assert share[slots].sum(axis=1).max() <= share[table].sum(axis=1).max()
    assert not distinct or all(len(set(gpu)) == size for gpu in slots.tolist())


@examples(25)
@given(st.integers(2, 12), st.integers(2, 6), st.integers(0, 2**32 - 1), st.booleans())
def test_counts_change_within_their_limits_and_every_expert_stays(gpus, size, seed, distinct):
    random = np.random.default_rng(seed)
    experts = int(random.integers(size, gpus * size + 1))
    most = int(random.integers(-(-gpus * size // experts), gpus + 1))
    counts = np.ones(experts, dtype=np.int64)
    while counts.sum() < gpus * size:
        counts[random.choice(np.flatnonzero(counts < most))] += 1
    w = random.integers(0, 1000, experts).astype(float)
    table = pack(w, counts, gpus, size, True)
    slots = improved(w, table, distinct, 100_000, max_replicas=most)
    after = np.bincount(slots.ravel(), minlength=experts)
    assert after.min() >= 1
    assert after.max() <= most
    assert (w / after)[slots].sum(axis=1).max() <= (w / counts)[table].sum(axis=1).max() * (1 + 1e-9)
    assert not distinct or all(len(set(gpu)) == size for gpu in slots.tolist())


def test_a_replica_moves_between_experts_that_are_all_inside():
    # Beside experts without load: 12 | 4 | 4, where expert 1 (8) has two replicas, becomes 6 | 6 | 8.
    w, table = np.array([12.0, 8, 0, 0, 0]), np.array([[0, 2], [1, 3], [1, 4]])
    slots = improved(w, table, True, 100_000, max_replicas=3)
    assert np.bincount(slots.ravel()).tolist()[:2] == [2, 1]
    assert (w / np.bincount(slots.ravel()))[slots].sum(axis=1).max() == 8


def test_repartition_stops_at_the_target_and_at_the_end_of_its_budget():
    w = np.random.default_rng(0).integers(1, 10**9, 288).astype(float)
    table = pack(w, np.ones(288, dtype=np.int64), 32, 9, True)
    greedy = w[table].sum(axis=1).max()
    assert np.array_equal(improved(w, table, True, 10**6, target=greedy), table)
    assert np.array_equal(improved(w, table, True, 0), table)
    tops = [w[improved(w, table, True, budget)].sum(axis=1).max() for budget in (10**4, 10**6)]
    assert greedy > tops[0] > tops[1] >= w.sum() / 32
