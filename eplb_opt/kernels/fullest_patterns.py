"""Fullest patterns: GPUs filled one by one, each with the next item in an order and what leaves least room with it."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, compiled

# Items that are looked at for a GPU, once there is something that fits, and if there is nothing: more only where limits
# are far off.
_MOST_LOOKS, _MOST_IN_VAIN = 20_000, 400_000


@compiled
def fill(
    order: Ints,
    ascending: Ints,
    loads: Floats,
    experts: Ints,
    most: Floats,
    heads: int,
    before: Ints,
    filled: int,
    gpus: Ints,
    left: Floats,
    looks: Ints,
) -> int:
    """Fill the first `heads` GPUs, and give the other ones what is left, as increasing items; how many were filled.

    Items have `loads`, shape ``(items, windows)``, and `experts`; no GPU may carry more than `most` in a window, or two
    items of an expert. A GPU gets the first item in `order` that is left, and with it the set of items that leaves the
    least room, ``sum_k room[k] / left[k]``: `left` is the room that all GPUs may still leave. It is counted down, and
    filling ends where it is used up, or no set that fits is found. Where limits are far off not all are looked at.

    `before` is how an earlier order filled its first `filled` GPUs, with the same items and limits: what two orders
    begin with alike is filled alike. `ascending` are the items by load in the first window. `looks` counts items that
    were looked at.
    Source: K. Fleszar and K. S. Hindi, Computers & Operations Research 29, 821-839 (2002), for bins that are filled one
    by one, around an item, to the least slack, https://doi.org/10.1016/S0305-0548(00)00082-4.
    """
    num_items, size = loads.shape[0], gpus.shape[1]
    taken, free = np.zeros(num_items, dtype=np.bool_), np.empty(num_items, dtype=np.int64)
    place, alike = 0, True
    for gpu in range(heads):
        while taken[order[place]]:
            place += 1
        first = order[place]
        alike = alike and gpu < filled and before[gpu, 0] == first
        if alike:
            for slot in range(size):
                gpus[gpu, slot] = before[gpu, slot]
        else:
            number = _free(ascending, taken, first, experts, free)
            if not _fill_fullest(first, free, number, loads, experts, most, left, gpus[gpu], looks):
                return gpu
        for item in gpus[gpu]:
            taken[item] = True
        for k in range(most.size):
            room = most[k]
            for item in gpus[gpu]:
                room -= loads[item, k]
            left[k] -= room
            if left[k] <= 0:
                return gpu
    place = heads * size
    for item in range(num_items):
        if not taken[item]:
            gpus[place // size, place % size] = item
            place += 1
    return heads


@compiled
def _free(ascending: Ints, taken: Bools, first: Index, experts: Ints, free: Ints) -> int:
    """Into `free` the items that are left and may be beside the `first` one; how many."""
    number = 0
    for item in ascending:
        if not taken[item] and experts[item] != experts[first]:
            free[number] = item
            number += 1
    return number


@compiled
def _fill_fullest(
    first: Index,
    free: Ints,
    number: int,
    loads: Floats,
    experts: Ints,
    most: Floats,
    left: Floats,
    slots: Ints,
    looks: Ints,
) -> bool:
    """Into `slots` the `first` item and those of the first `number` in `free` that leave the least room with it.

    Whether any fit. Depth first, items in decreasing order of the load in the first window. What cannot fill that far
    enough any more, with items that are no heavier, is not looked at.
    """
    others, windows = slots.size - 1, most.size
    chosen, room = np.empty(others, dtype=np.int64), np.empty((others + 1, windows))
    for k in range(windows):
        room[0, k] = most[k] - loads[first, k]
    least, depth = np.inf, 0
    slots[0], chosen[0] = first, number
    last, in_vain = looks[0] + _MOST_LOOKS, looks[0] + _MOST_IN_VAIN
    while depth >= 0 and looks[0] < (last if least < np.inf else in_vain):
        chosen[depth] -= 1
        missing = others - depth
        if chosen[depth] < missing - 1:
            depth -= 1
            continue
        item = free[chosen[depth]]
        rest = room[depth, 0] - loads[item, 0]
        if rest < 0:
            chosen[depth] = _above(free, chosen[depth], loads, room[depth, 0])
            continue
        if rest - (missing - 1) * loads[item, 0] >= least * left[0]:
            depth -= 1
            continue
        looks[0] += 1
        fits = True
        for k in range(depth):
            fits &= experts[free[chosen[k]]] != experts[item]
        for k in range(windows):
            room[depth + 1, k] = room[depth, k] - loads[item, k]
            fits &= room[depth + 1, k] >= 0
        if not fits:
            continue
        if missing > 1:
            depth += 1
            chosen[depth] = chosen[depth - 1]
            continue
        free_room = 0.0
        for k in range(windows):
            free_room += room[others, k] / left[k]
        if free_room < least:
            least = free_room
            for k in range(others):
                slots[k + 1] = free[chosen[k]]
    return least < np.inf


@compiled
def _above(free: Ints, end: Index, loads: Floats, most: float) -> int:
    """The place of the first item, of those before `end`, with more load than `most` in the first window."""
    low, high = 0, int(end)
    while low < high:
        middle = (low + high) // 2
        if loads[free[middle], 0] <= most:
            low = middle + 1
        else:
            high = middle
    return low
