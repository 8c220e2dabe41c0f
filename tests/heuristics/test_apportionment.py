"""Apportionment: what each published rule of replication promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.apportionment import apportion, divisor_method, fix_up
from eplb_opt.heuristics.parts import (
    ADAMS,
    CYCLIC,
    DHONDT,
    EVERYWHERE,
    HAMILTON,
    HUNTINGTON_HILL,
    LATE_SAINTE_LAGUE,
    SAINTE_LAGUE,
    WATERFILL,
    Replication,
)
from eplb_opt.heuristics.registry import heuristic_of, names
from tests.oracle import count_vectors

DIVISORS = (ADAMS, DHONDT, SAINTE_LAGUE, HUNTINGTON_HILL, LATE_SAINTE_LAGUE)
REPLICATIONS = sorted({heuristic_of(name).replication for name in names() if name != "joint"})
LOADS = st.lists(st.integers(0, 50), min_size=1, max_size=6).map(lambda loads: np.array(loads, dtype=float))


def counts_of(w, spare, replication, most=None, num_gpus=4):
    return apportion(w, w.size + spare, num_gpus, most or w.size + spare, replication)


def peak(w, counts):
    return (w / counts).max()


@pytest.mark.parametrize("replication", [*REPLICATIONS, *map(Replication, range(9))])
@given(LOADS, st.integers(0, 9), st.integers(1, 6), st.data())
def test_counts_fill_the_slots_within_the_cap(replication, w, spare, num_gpus, data):
    spare = min(spare, data.draw(st.integers(0, 9)))
    least = 1 + -(-spare // w.size)
    most = data.draw(st.integers(least, max(least, spare + 1)))
    counts = counts_of(w, spare, replication, most, num_gpus)
    assert counts.sum() == w.size + spare
    assert counts.min() >= 1
    assert counts.max() <= most


@pytest.mark.parametrize("rule", [ADAMS, WATERFILL])
@given(LOADS, st.integers(0, 5))
def test_adams_and_its_level_minimise_the_largest_slot_load(rule, w, spare):
    every = count_vectors(w.size, w.size + spare, w.size + spare)
    best = min(peak(w, np.array(counts)) for counts in every)
    assert peak(w, counts_of(w, spare, Replication(rule))) == pytest.approx(best)


@pytest.mark.parametrize("rule", DIVISORS)
@given(LOADS, st.integers(0, 8))
def test_divisor_methods_are_house_monotone(rule, w, spare):
    few = counts_of(w, spare, Replication(rule))
    more = counts_of(w, spare + 1, Replication(rule))
    assert (more >= few).all()
    assert (more - few).sum() == 1


DIVISOR_OF = {
    ADAMS: lambda r: r,
    DHONDT: lambda r: r + 1,
    SAINTE_LAGUE: lambda r: 2 * r + 1,
    HUNTINGTON_HILL: lambda r: (r * (r + 1)) ** 0.5,
    LATE_SAINTE_LAGUE: lambda r: 2 * r - 1,
}


@pytest.mark.parametrize("rule", DIVISORS)
@given(LOADS, st.integers(0, 8))
def test_no_replica_would_be_worth_more_elsewhere(rule, w, spare):
    """What makes counts those of a divisor method: the least that a replica was worth is the most that the next is."""
    counts, divisor = counts_of(w, spare, Replication(rule)), DIVISOR_OF[rule]
    given = [load / divisor(r - 1) for load, r in zip(w, counts, strict=True) if r > 1]
    wanted = [load / divisor(r) for load, r in zip(w, counts, strict=True)]
    assert not given or min(given) >= max(wanted) * (1 - 1e-12)


@given(LOADS, st.integers(0, 8))
def test_hamilton_keeps_to_quotas_where_all_are_above_one(w, spare):
    w = w + 1
    quota = w * (w.size + spare) / w.sum()
    if quota.min() < 1:
        return
    counts = counts_of(w, spare, Replication(HAMILTON))
    assert (counts >= np.floor(quota - 1e-9)).all()
    assert (counts <= np.ceil(quota + 1e-9)).all()


def test_equal_loads_share_the_slots_equally_under_every_rule():
    for rule in (*DIVISORS, WATERFILL, HAMILTON, CYCLIC):
        assert counts_of(np.full(4, 3.0), 8, Replication(rule)).tolist() == [3, 3, 3, 3]


def test_the_hottest_experts_are_everywhere():
    counts = counts_of(np.array([1.0, 9.0, 2.0, 8.0]), 7, Replication(EVERYWHERE), most=4, num_gpus=4)
    assert counts.tolist() == [1, 4, 2, 4]
    assert counts_of(np.array([1.0, 9.0]), 3, Replication(EVERYWHERE), num_gpus=1).sum() == 5


@given(LOADS)
def test_a_hybrid_without_redundant_slots_has_no_tail(w):
    assert counts_of(w, 0, Replication(ADAMS, tail=0.1)).tolist() == [1] * w.size


@given(LOADS, st.integers(1, 12))
def test_the_end_of_a_hybrid_is_by_another_rule(w, spare):
    tail = max(1, round(0.3 * spare))
    begun = counts_of(w, spare - tail, Replication(ADAMS))
    expected = divisor_method(w, begun, tail, w.size + spare, LATE_SAINTE_LAGUE)
    assert counts_of(w, spare, Replication(ADAMS, tail=0.3)).tolist() == expected.tolist()


@given(LOADS, st.integers(1, 12))
def test_the_adaptive_tail_is_the_cooler_one(w, spare):
    variation = w.std() / w.mean() if w.any() else 0.0
    tail = min(spare, max(1, round(spare * min(0.15, max(0.05, variation / 2)))))
    begun = counts_of(w, spare - tail, Replication(ADAMS))
    ends = [divisor_method(w, begun, tail, w.size + spare, rule) for rule in (LATE_SAINTE_LAGUE, HUNTINGTON_HILL)]
    adaptive = counts_of(w, spare, Replication(ADAMS, adaptive=True))
    assert peak(w, adaptive) == min(peak(w, end) for end in ends)


@given(LOADS, st.integers(0, 8), st.integers(1, 3), st.sampled_from([DHONDT, HAMILTON, CYCLIC]))
def test_fix_up_never_raises_the_hottest_replica(w, spare, width, rule):
    counts = counts_of(w, spare, Replication(rule))
    fixed = counts.copy()
    moved = fix_up(w, fixed, w.size + spare, width)
    assert fixed.sum() == counts.sum()
    assert fixed.min() >= 1
    if moved:
        assert peak(w, fixed) < peak(w, counts)
    else:
        assert fixed.tolist() == counts.tolist()


@given(LOADS, st.integers(0, 8))
def test_fix_up_of_one_finds_its_move(w, spare):
    """From the expert with the coldest replicas, of those that have two, to the one with the hottest."""
    counts = counts_of(w, spare, Replication(CYCLIC))
    share = w / counts
    givers = [expert for expert in range(w.size) if counts[expert] > 1]
    if not givers:
        return
    giver, taker = min(reversed(givers), key=lambda e: share[e]), int(np.argmax(share))
    moved = counts.copy()
    moved[giver] -= 1
    moved[taker] += 1
    fixed = counts.copy()
    fix_up(w, fixed, w.size + spare, 1)
    better = giver != taker and peak(w, moved) < peak(w, counts)
    assert fixed.tolist() == (moved if better else counts).tolist()


@given(LOADS, st.integers(1, 8))
def test_the_wrong_direction_of_the_fix_up_raises_the_hottest_replica(w, spare):
    """A published program moves a replica from the hottest experts to the coldest: never of use."""
    counts = counts_of(w, spare, Replication(ADAMS))
    share = w / counts
    hottest, coldest = int(np.argmax(share)), int(np.argmin(share))
    if counts[hottest] < 2 or hottest == coldest or not w[hottest]:
        return
    wrong = counts.copy()
    wrong[hottest] -= 1
    wrong[coldest] += 1
    assert peak(w, wrong) > peak(w, counts)
