"""Reassignment, a large-neighbourhood search: slots of the hottest GPU and a few others are reassigned exactly."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.assignment import assign
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.order import lightest_first
from eplb_opt.kernels.shuffle import shuffle
from eplb_opt.kernels.state import State
from eplb_opt.kernels.wide_reassignment import WIDE_SIZE, reassign_many

# Assignments that never end by their number.
_ALL = 2**62
# GPUs that are reassigned at once: at first, and at most. Fewer take less time, more have far more assignments.
_FIRST_GPUS, _MOST_GPUS = 4, 10
# Most slots of all of them (bits of a mask), and most ways to fill the first.
_MOST_SLOTS, _MOST_PATTERNS = 64, 150_000
# How many pairs of slots a descent looks at while one slot is made ready for an assignment.
_PAIRS_PER_ITEM = 25
# Part of the assignments that change counts.
_TRANSFERS = 0.3
# Part of the draws that take the colder of two GPUs.
_COLDER = 0.9
# Part of wide reassignments where these are of use.
_WIDE = 0.7
# Assignments in a row without success after which one more GPU takes part.
_PATIENCE = 150
# A GPU has to get cooler by more than rounding.
_COOLER = 1.0 - 1e-12


def reassign(state: State, target: float, work: Ints, random: np.random.Generator) -> None:
    """Cool the hottest GPU again and again by reassigning its slots and those of some other GPUs.

    Now and then an expert gives up a replica for one more of another, both with all replicas among the slots that
    take part, so that nothing changes elsewhere. Other GPUs are drawn at random, mostly the colder of two. Four GPUs
    at first; one more whenever that has failed for a while, one less after a success. Of GPUs with many slots only
    some take part, drawn at random, so that the ways to fill one GPU stay countable. GPUs with three slots are
    reassigned many at once as well (`wide_reassignment`). Stops at `target`, or when ``work[0]`` is used up.
    """
    num_gpus, size = state.slots.shape
    if num_gpus < 2 or size < 2:
        return
    # How many GPUs take part, and how often that has failed in a row.
    scale = np.array([min(num_gpus, _FIRST_GPUS), 0])
    if size == WIDE_SIZE:
        _reassign_few_or_many(state, target, scale, work, random)
    else:
        _reassign_few(state, target, _ALL, scale, work, random)


@compiled
def _reassign_few_or_many(state: State, target: float, scale: Ints, work: Ints, random: np.random.Generator) -> None:
    while work[0] > 0 and state.gpu_loads[np.argmax(state.gpu_loads)] > target:
        if random.random() < _WIDE:
            reassign_many(state, target, work, random)
        else:
            _reassign_few(state, target, np.int64(1), scale, work, random)


@compiled
def _reassign_few(
    state: State, target: float, assignments: Index, scale: Ints, work: Ints, random: np.random.Generator
) -> None:
    num_gpus, size = state.slots.shape
    while assignments > 0 and work[0] > 0 and state.gpu_loads[np.argmax(state.gpu_loads)] > target:
        assignments -= 1
        num = scale[0]
        gpus = _partners(state.gpu_loads, num, random)
        if _reassign_slots(state, gpus, _slots_each(num, size), work, random):
            scale[0], scale[1] = max(2, num - 1), 0
        else:
            scale[1] += 1
            if scale[1] == _PATIENCE:
                scale[0], scale[1] = min(num_gpus, _MOST_GPUS, num + 1), 0


@compiled
def _slots_each(num: int, size: int) -> int:
    """How many slots of each of `num` GPUs can take part."""
    best = 1
    for each in range(2, min(size, _MOST_SLOTS // num) + 1):
        patterns = 1.0
        for i in range(each):
            patterns *= (num * each - i) / (each - i)
        if patterns <= _MOST_PATTERNS:
            best = each
    return best


@compiled
def _partners(load: Floats, num: int, random: np.random.Generator) -> Ints:
    """The hottest GPU and `num` - 1 others."""
    gpus = np.empty(num, dtype=np.int64)
    gpus[0] = np.argmax(load)
    drawn = 1
    while drawn < num:
        gpu = draw(random, load.size)
        other = draw(random, load.size)
        if random.random() < _COLDER and load[other] < load[gpu]:
            gpu = other
        new = True
        for i in range(drawn):
            new &= gpus[i] != gpu
        if new:
            gpus[drawn] = gpu
            drawn += 1
    return gpus


@compiled
def _reassign_slots(state: State, gpus: Ints, each: int, work: Ints, random: np.random.Generator) -> bool:
    """Reassign `each` slots of each of `gpus` if that cools the hottest, the first of them; whether it did."""
    w, slots, counts, holds, replica_loads, load, max_replicas, distinct = state
    num, size = gpus.size, slots.shape[1]
    total = num * each
    work[0] -= _PAIRS_PER_ITEM * total
    places = np.empty((num, size), dtype=np.int64)
    experts, values = np.empty(total, dtype=np.int64), np.empty(total)
    base = np.empty(num)
    for j in range(num):
        base[j] = load[gpus[j]]
        for i in range(size):
            places[j, i] = i
        if each < size:
            shuffle(places[j], random)
        for i in range(each):
            expert = slots[gpus[j], places[j, i]]
            experts[j * each + i] = expert
            base[j] -= replica_loads[expert]
            holds[gpus[j], expert] -= 1
    giver = taker = -1
    if random.random() < _TRANSFERS:
        most = min(max_replicas, num) if distinct else max_replicas
        giver, taker = _transfer_within(experts, counts, most, random)
    for i in range(total):
        values[i] = -replica_loads[experts[i]]
        if giver >= 0 and experts[i] == giver:
            values[i] = -w[giver] / (counts[giver] - 1)
        elif giver >= 0 and experts[i] == taker:
            values[i] = -w[taker] / (counts[taker] + 1)
    order = lightest_first(values)
    pool, pool_loads = np.empty(total, dtype=np.int64), np.empty(total)
    for i in range(total):
        pool[i], pool_loads[i] = experts[order[i]], -values[order[i]]
    # Bit masks over the pool: replicas of the same expert, and GPUs that hold the expert in a slot not taking part.
    same = np.zeros(total, dtype=np.uint64)
    barred = np.zeros(total, dtype=np.uint64)
    if distinct:
        for i in range(total):
            for j in range(total):
                if i != j and pool[i] == pool[j]:
                    same[i] |= np.uint64(1) << np.uint64(j)
            for j in range(num):
                if holds[gpus[j], pool[i]]:
                    barred[i] |= np.uint64(1) << np.uint64(j)
    assigned = np.empty((num, each), dtype=np.int64)
    if each == size:
        for j in range(num):
            base[j] = 0.0
    found = assign(pool_loads, same, barred, base, load[gpus[0]] * _COOLER, assigned, work)
    if found and giver >= 0:
        counts[giver] -= 1
        counts[taker] += 1
        replica_loads[giver], replica_loads[taker] = w[giver] / counts[giver], w[taker] / counts[taker]
    for j in range(num):
        gpu = gpus[j]
        for i in range(each):
            if found:
                slots[gpu, places[j, i]] = pool[assigned[j, i]]
            holds[gpu, slots[gpu, places[j, i]]] += 1
        if found:
            load[gpu] = 0.0
            for i in range(size):
                load[gpu] += replica_loads[slots[gpu, i]]
    return found


@compiled
def _transfer_within(experts: Ints, counts: Ints, most: int, random: np.random.Generator) -> tuple[int, int]:
    """One replica in `experts` turns from a giver into a taker, which is what is returned; -1 if none can.

    Both have all their replicas in `experts`; the taker has at most `most` after it.
    """
    for _ in range(4):
        place = draw(random, experts.size)
        giver, taker = experts[place], experts[draw(random, experts.size)]
        if giver == taker or counts[giver] < 2 or counts[taker] >= most:
            continue
        of_giver = of_taker = 0
        for expert in experts:
            of_giver += expert == giver
            of_taker += expert == taker
        if of_giver == counts[giver] and of_taker == counts[taker]:
            experts[place] = taker
            return giver, taker
    return -1, -1
