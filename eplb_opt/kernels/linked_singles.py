"""Linked GPUs exchange singles: plans of one window whose load is split optimally over replicas.

GPUs that hold replicas of the same expert, and are equally hot under the fair split, are linked: what one of them
loses, all of them are cooler by. A set of linked GPUs is one bin, of as many loads as it has GPUs, and there are at
least as many sets as GPUs less spare slots. Experts with one replica, singles, change sets without changing links. A
large set takes whatever the others leave, so each of these can be brought to the mean load by itself: one subset sum
of a few out of many singles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.fair_split import Split, even_out, split_of
from eplb_opt.kernels.rows import copy_row
from eplb_opt.kernels.shuffle import shuffle

# Singles of a set that are exchanged at once, and what they are chosen from.
_TAKEN, _POOL = 4, 48
# Sets for which the largest has nothing that fits exchange with another set too, in this part of all cases.
_MIXED = 0.3
# Part of what all sets together may be off that each of them may: the largest takes what the others leave.
_ENOUGH = 0.4
# GPUs whose loads differ by less than this part are equally hot.
_EQUAL = 1e-7
# Flows of an expert that take as long as looking at a pair of singles.
_FLOWS_PER_PAIR = 2


class Linked(NamedTuple):
    """A row of slots under the optimal split; arrays change in place.

    Attributes
    ----------
    loads
        Load of each expert, shape ``(E,)``.
    slots
        Expert in each slot, shape ``(G * S,)``.
    counts
        Replicas of each expert, shape ``(E,)``.
    gpu_loads
        Load of each GPU, shape ``(G,)``.
    split
        Who serves the experts with several replicas.
    """

    loads: Floats
    slots: Ints
    counts: Ints
    gpu_loads: Floats
    split: Split


@compiled
def settle(
    loads: Floats, slots: Ints, num_gpus: int, gpus_per_node: int, target: float, work: Ints, random: Any
) -> float:
    """Bring all sets of a node to its mean load by exchanges of singles, one set after the other, again and again.

    `slots` ends as the best row, whose hottest GPU's load is returned. Stops at `target`, or when ``work[0]``, a
    number of pairs of singles to look at, is used up.
    """
    # Loops rather than arrays, in all of this file: these take the compiler less.
    counts, gpu_loads = np.zeros(loads.size, dtype=np.int64), np.zeros(num_gpus)
    for slot in range(slots.size):
        counts[slots[slot]] += 1
    linked = Linked(loads, slots.copy(), counts, gpu_loads, split_of(loads, slots, counts, gpu_loads))
    least = gpu_loads[np.argmax(gpu_loads)]
    sets = np.empty(num_gpus, dtype=np.int64)
    while work[0] > 0 and least > target:
        _link(linked, sets)
        for first in range(0, num_gpus, gpus_per_node):
            total = 0.0
            for gpu in range(first, first + gpus_per_node):
                total += gpu_loads[gpu]
            level = total / gpus_per_node
            # Most sets stay as they are: of the target, or of half of what the best row is off.
            enough = _ENOUGH * max(target - level, 0.5 * (least - level))
            _settle_node(linked, sets, first, gpus_per_node, level, enough, work, random)
        work[0] -= num_gpus + even_out(linked.split, gpu_loads) // _FLOWS_PER_PAIR
        hottest = gpu_loads[np.argmax(gpu_loads)]
        if hottest < least:
            least = hottest
            copy_row(linked.slots, slots)
    return float(least)


@compiled
def _link(linked: Linked, sets: Ints) -> None:
    """The set of each GPU, named by its first GPU."""
    load, gpus = linked.gpu_loads, linked.split.gpus
    for gpu in range(sets.size):
        sets[gpu] = gpu
    for m in range(gpus.shape[0]):
        for i in range(linked.split.nums[m]):
            for j in range(i):
                one, other = gpus[m, i], gpus[m, j]
                if sets[one] != sets[other] and abs(load[one] - load[other]) <= _EQUAL * load[one]:
                    name, gone = min(sets[one], sets[other]), max(sets[one], sets[other])
                    for gpu in range(sets.size):
                        if sets[gpu] == gone:
                            sets[gpu] = name


@compiled
def _settle_node(
    linked: Linked,
    sets: Ints,
    first: Index,
    gpus_per_node: Index,
    level: float,
    enough: float,
    work: Ints,
    random: Any,
) -> None:
    """Bring each set of a node to a level, but for those that it has come near `enough` to."""
    sizes = np.zeros(sets.size, dtype=np.int64)
    for gpu in range(first, first + gpus_per_node):
        sizes[sets[gpu]] += 1
    largest, names, listed = np.argmax(sizes), np.empty(sets.size, dtype=np.int64), 0
    for gpu in range(sets.size):
        if sizes[gpu] > 0:
            names[listed] = gpu
            listed += 1
    names = names[:listed]
    shuffle(names, random)
    for name in names:
        if name == largest or abs(_short_of(linked, sets, name, level)) <= enough:
            continue
        _exchange(linked, sets, name, largest, level, work, random)
        partner = sets[first + draw(random, gpus_per_node)]
        far = abs(_short_of(linked, sets, name, level)) > enough
        if far and partner != name and partner != largest and random.random() < _MIXED:
            _exchange(linked, sets, name, partner, level, work, random)


@compiled
def _short_of(linked: Linked, sets: Ints, name: Index, level: float) -> float:
    """What a set lacks for all of its GPUs to be at a level."""
    short = 0.0
    for gpu in range(sets.size):
        if sets[gpu] == name:
            short += level - linked.gpu_loads[gpu]
    return short


@compiled
def _exchange(linked: Linked, sets: Ints, one: Index, other: Index, level: float, work: Ints, random: Any) -> None:
    """Bring a set next to a level: of all exchanges of some of its singles for some of the other set, the best."""
    mine, theirs = _singles_of(linked, sets, one, random), _singles_of(linked, sets, other, random)
    most = min(mine.size, theirs.size)
    taken = _TAKEN if most >= _TAKEN else min(most, 2)
    if taken < 1:
        return
    wanted = _short_of(linked, sets, one, level)
    size = min(_POOL, taken + theirs.size)
    pool, values = np.empty(size, dtype=np.int64), np.empty(size)
    for i in range(size):
        pool[i] = mine[i] if i < taken else theirs[i - taken]
        values[i] = linked.loads[linked.slots[pool[i]]]
    total = 0.0
    for i in range(taken):
        total += values[i]
    wanted += total
    work[0] -= size * size
    # The chosen of the other set come in for what is not chosen of this one.
    chosen, free = _nearest_sum(values, taken, wanted), 0
    for i in chosen:
        if i >= taken:
            while _has(chosen, free):
                free += 1
            _swap(linked, pool[free], pool[i])
            free += 1


@compiled
def _has(row: Ints, value: Index) -> bool:
    found = False
    for i in range(row.size):
        found |= row[i] == value
    return found


@compiled
def _singles_of(linked: Linked, sets: Ints, name: Index, random: Any) -> Ints:
    """Slots of the singles of a set, in any order."""
    size, found = linked.slots.size // sets.size, 0
    places = np.empty(linked.slots.size, dtype=np.int64)
    for gpu in range(sets.size):
        if sets[gpu] == name:
            for slot in range(gpu * size, (gpu + 1) * size):
                if linked.counts[linked.slots[slot]] == 1:
                    places[found] = slot
                    found += 1
    shuffle(places[:found], random)
    return places[:found]


@compiled
def _nearest_sum(values: Floats, taken: Index, wanted: float) -> Ints:
    """Indices of so many values, one, two or four, whose sum is next to what is wanted."""
    size = values.size
    chosen = np.zeros(taken, dtype=np.int64)
    if taken == 1:
        chosen[0] = _nearest(values, wanted)
        return chosen
    for i in range(taken):
        chosen[i] = i
    num = size * (size - 1) // 2
    sums, first, second = np.empty(num), np.empty(num, dtype=np.int64), np.empty(num, dtype=np.int64)
    found = 0
    for i in range(size):
        for j in range(i):
            sums[found], first[found], second[found] = values[i] + values[j], i, j
            found += 1
    if taken == 2:
        best = _nearest(sums, wanted)
        chosen[0], chosen[1] = first[best], second[best]
        return chosen
    # Two pairs without a value in common: the sums from below and from above.
    order = np.argsort(sums)
    low, high, least = 0, num - 1, np.inf
    while low < high:
        a, b = order[low], order[high]
        off = sums[a] + sums[b] - wanted
        if abs(off) < least:
            i, j, k, m = first[a], second[a], first[b], second[b]
            if i != k and i != m and j != k and j != m:
                least = abs(off)
                chosen[0], chosen[1], chosen[2], chosen[3] = i, j, k, m
        if off < 0.0:
            low += 1
        else:
            high -= 1
    return chosen


@compiled
def _nearest(values: Floats, wanted: float) -> Index:
    """The first of the values that are nearest to what is wanted."""
    best: Index = np.int64(0)
    for i in range(values.size):
        if abs(values[i] - wanted) < abs(values[best] - wanted):
            best = np.int64(i)
    return best


@compiled
def _swap(linked: Linked, slot: Index, other: Index) -> None:
    """Two singles exchange their slots."""
    slots, load, size = linked.slots, linked.gpu_loads, linked.slots.size // linked.gpu_loads.size
    more = linked.loads[slots[other]] - linked.loads[slots[slot]]
    load[slot // size] += more
    load[other // size] -= more
    slots[slot], slots[other] = slots[other], slots[slot]
