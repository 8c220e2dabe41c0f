"""Patterns of a GPU in several windows at once, each of two halves: the heaviest through every item."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled

# Halves in a block, and blocks in a larger one: what cannot hold a heavy pattern is not looked into.
BLOCK, BLOCKS = 32, 32


@compiled
def block_bounds(loads: Floats, size: int) -> Floats:
    """The least load of each window in blocks of `size` rows of `loads`, shape ``(blocks, windows)``."""
    blocks = (loads.shape[0] + size - 1) // size
    least = np.empty((blocks, loads.shape[1]))
    for block in range(blocks):
        for k in range(loads.shape[1]):
            least[block, k] = loads[block * size, k]
        for row in range(block * size + 1, min((block + 1) * size, loads.shape[0])):
            for k in range(loads.shape[1]):
                least[block, k] = min(least[block, k], loads[row, k])
    return least


@compiled
def weigh(members: Ints, weights: Floats, own: Floats, blocks: Floats, larger: Floats) -> None:
    """Into `own` the weight of each half, and into `blocks` and `larger` the largest of each block of them."""
    blocks[:], larger[:] = -np.inf, -np.inf
    for half in range(own.size):
        weight = 0.0
        for place in range(members.shape[1]):
            weight += weights[members[half, place]]
        own[half] = weight
        block = half // BLOCK
        blocks[block] = max(blocks[block], weight)
        larger[block // BLOCKS] = max(larger[block // BLOCKS], weight)


@compiled
def heaviest_through(
    halves: tuple[Ints, Floats, Floats, Floats],
    heat: tuple[Floats, Floats, Floats],
    others: tuple[Ints, Floats, Floats, Floats],
    other_heat: tuple[Floats, Floats, Floats],
    room: tuple[Floats, Floats, Floats, float],
    experts: Ints,
    above: float,
    most: int,
    order: Ints,
    best: Floats,
    patterns: Ints,
) -> tuple[float, int, int]:
    """The weight of the heaviest pattern above `above`, or that; how many blocks were looked at, and patterns kept.

    `halves` are members, loads and the least loads of blocks and of larger blocks; `heat` their weights and the largest
    of blocks and of larger blocks; the same of `others`, which are the halves themselves where those are as large.
    `room` is what a pattern has, see `_fit`.
    Of each item ``best[i]`` is the weight of the heaviest pattern through it that is above what was there, and
    ``patterns[i]`` its halves. Ends early once `most` patterns were the best so far of an item. Blocks are looked at in
    an `order`. Where `experts` (of items) are not empty, those of a pattern differ.
    """
    members, loads, least, _ = halves
    own, blocks, _ = heat
    other_members, other_loads, other_least, other_larger = others
    other_own, other_blocks, other_tops = other_heat
    heaviest, found = above, 0
    # The halves themselves: two of them are a pair once.
    alike = members.shape[1] == other_members.shape[1]
    for number in range(order.size):
        block = order[number]
        first = block if alike else 0
        for large in range(first // BLOCKS, other_tops.size):
            if blocks[block] + other_tops[large] <= above or not _fit(least[block], other_larger[large], room):
                continue
            for other in range(max(first, large * BLOCKS), min((large + 1) * BLOCKS, other_blocks.size)):
                if blocks[block] + other_blocks[other] <= above or not _fit(least[block], other_least[other], room):
                    continue
                for half in range(block * BLOCK, min((block + 1) * BLOCK, own.size)):
                    if own[half] + other_blocks[other] <= above:
                        continue
                    for rest in range(other * BLOCK, min((other + 1) * BLOCK, other_own.size)):
                        weight = own[half] + other_own[rest]
                        if weight <= above or not _fit(loads[half], other_loads[rest], room):
                            continue
                        if experts.size and _share_experts(members[half], other_members[rest], experts):
                            continue
                        heaviest = max(heaviest, weight)
                        better = False
                        for place in range(members.shape[1]):
                            better |= _keep(members[half, place], weight, half, rest, best, patterns)
                        for place in range(other_members.shape[1]):
                            better |= _keep(other_members[rest, place], weight, half, rest, best, patterns)
                        found += better
        if found >= most:
            return heaviest, number + 1, found
    return heaviest, order.size, found


@compiled
def _fit(load: Floats, other: Floats, room: tuple[Floats, Floats, Floats, float]) -> bool:
    """Whether loads are within the room together: below the upper limit of each window, and at most so much in the mean
    of all, where those below the lower limit of a window count as that.
    """
    upper, lower, weights, most = room
    mean = 0.0
    for k in range(load.size):
        both = load[k] + other[k]
        if both > upper[k]:
            return False
        mean += weights[k] * max(both, lower[k])
    return mean <= most


@compiled
def _share_experts(half: Ints, rest: Ints, experts: Ints) -> bool:
    for item in half:
        for other in rest:
            if experts[item] == experts[other]:
                return True
    return False


@compiled
def _keep(item: int, weight: float, half: int, rest: int, best: Floats, patterns: Ints) -> bool:
    """Keep a pattern if it is the heaviest one through an item so far; whether it is."""
    if weight <= best[item]:
        return False
    best[item], patterns[item, 0], patterns[item, 1] = weight, half, rest
    return True


@compiled
def list_halves(loads: Floats, room: tuple[Floats, Floats, Floats, float], experts: Ints, size: int) -> Ints:
    """All sets of `size` items that fit a GPU, as increasing items, shape ``(sets, size)``.

    Where `experts` are not empty, those of a set differ; else an item may be in it more than once.
    """
    number = loads.shape[0]
    sets = np.empty((1, 0), dtype=np.int64)
    for _ in range(size):
        longer = np.empty((0, 0), dtype=np.int64)
        # Counted first, then listed.
        for listing in range(2):
            found = 0
            for row in range(sets.shape[0]):
                first = 0
                if sets.shape[1]:
                    first = sets[row, -1] + (1 if experts.size else 0)
                for item in range(first, number):
                    if not _may_join(loads, room, experts, sets[row], item):
                        continue
                    if listing:
                        for place in range(sets.shape[1]):
                            longer[found, place] = sets[row, place]
                        longer[found, sets.shape[1]] = item
                    found += 1
            if not listing:
                longer = np.empty((found, sets.shape[1] + 1), dtype=np.int64)
        sets = longer
    return sets


@compiled
def _may_join(
    loads: Floats, room: tuple[Floats, Floats, Floats, float], experts: Ints, members: Ints, item: int
) -> bool:
    before = np.zeros(loads.shape[1])
    for member in members:
        for k in range(before.size):
            before[k] += loads[member, k]
    if not _fit(before, loads[item], room):
        return False
    if experts.size:
        for member in members:
            if experts[member] == experts[item]:
                return False
    return True
