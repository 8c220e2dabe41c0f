"""Exact cover: counts and GPUs for experts at once, each GPU with one of the few patterns near the mean load."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first

# Sums of loads may be off by this part of the max load, so that no cover is missed.
ROUNDING = 1e-10


class _Open(NamedTuple):
    """What a search for a cover has decided so far, and what is still open; arrays change in place.

    Attributes
    ----------
    experts, numbers
        Expert of each item, and how many slots it has.
    fewest, largest
        The smallest and the largest number of each expert.
    ring
        The next item of the same expert, the first after the last.
    decided
        The item of each expert, or -1.
    left
        How many slots of each expert are left; 1 while its item is open.
    room
        How often patterns may have each item.
    need
        The fewest and the most slots of all experts.
    """

    experts: Ints
    numbers: Ints
    fewest: Ints
    largest: Ints
    ring: Ints
    decided: Ints
    left: Ints
    room: Ints
    need: Ints


@compiled
def patterns_between(
    v: Floats, experts: Ints, numbers: Ints, size: int, least: float, most: float, distinct: bool, patterns: Ints
) -> int:
    """List all choices of `size` items that sum to ``least .. most``, as rows of `patterns`; their number.

    Items are an expert with a number of replicas, the load of each, which decreases, in `v`. A choice has an expert
    with one number only, and as often as that says, or once if `distinct`. -1 where `patterns` has too few rows.
    """
    num, found, depth, item = v.size, 0, 0, 0
    step = 1 if distinct else 0
    chosen = np.empty(size, dtype=np.int64)
    sums = np.zeros(size)
    while True:
        need = size - depth
        if need > 2 and item < num and sums[depth] + need * v[item] >= least:
            chosen[depth] = item
            sums[depth + 1] = sums[depth] + v[item]
            depth, item = depth + 1, item + step
            continue
        if need == 2:
            low, high = least - sums[depth], most - sums[depth]
            # As the first of the last two gets lighter, the second has to be heavier.
            begin = end = num
            for first in range(item, num - step):
                if v[first] + v[first + step] < low:
                    break
                while begin > first + step and v[first] + v[begin - 1] <= high:
                    begin -= 1
                while end > first + step and v[first] + v[end - 1] < low:
                    end -= 1
                chosen[size - 2] = first
                for second in range(max(begin, first + step), end):
                    chosen[size - 1] = second
                    if not _go_together(chosen, experts, numbers, distinct):
                        continue
                    if found == patterns.shape[0]:
                        return -1
                    # One by one, as a whole row takes the compiler seconds.
                    for part in range(size):
                        patterns[found, part] = chosen[part]
                    found += 1
        if depth == 0:
            return found
        depth -= 1
        item = chosen[depth] + 1


@compiled
def _go_together(chosen: Ints, experts: Ints, numbers: Ints, distinct: bool) -> bool:
    """Whether one GPU may hold these items."""
    for place in range(chosen.size):
        times = 1
        for before in range(place):
            if chosen[before] == chosen[place]:
                times += 1
            elif experts[chosen[before]] == experts[chosen[place]]:
                return False
        if times > (1 if distinct else numbers[chosen[place]]):
            return False
    return True


@compiled
def cover(v: Floats, experts: Ints, numbers: Ints, patterns: Ints, most: float, chosen: Ints, nodes: Ints) -> bool:
    """Choose as many `patterns` as `chosen` has places so that each expert is covered; whether there are such.

    An expert is covered if one of its items is in as many of them as its number says, and no other item in any. All
    items of an expert have the same load together. `most` bounds the load of a pattern, and so of those that are left
    on average.

    Depth first: the expert in the fewest patterns that still fit is covered by each of them in turn. The same patterns
    in another order are not tried again, and a pattern must not be so light that the rest has no room. ``nodes[0]`` is
    counted down to 0 and ends the search; if it is above 0, False is a proof.
    Source: D. E. Knuth, Dancing links (2000), https://arxiv.org/abs/cs/0011047, for exact cover by the rarest item.
    """
    number, size = patterns.shape
    num = chosen.size
    rounding = ROUNDING * num * most
    load = np.zeros(number)
    for pattern in range(number):
        for item in patterns[pattern]:
            load[pattern] += v[item]
    order = heaviest_first(load)
    patterns, load = _in_order(patterns, load, order)
    decides = np.zeros((num, size), dtype=np.bool_)
    open_, rest = _all_open(v, experts, numbers)
    left, room, need = open_.left, open_.room, open_.need
    live = np.empty((num, number), dtype=np.int64)
    for pattern in range(number):
        live[0, pattern] = pattern
    lives = np.zeros(num, dtype=np.int64)
    lives[0] = number
    at = np.zeros(num, dtype=np.int64)
    times = np.zeros(left.size, dtype=np.int64)
    for pattern in range(number):
        for item in patterns[pattern]:
            times[experts[item]] += 1
    branch = np.zeros(num, dtype=np.int64)
    branch[0] = _rarest(times, left)
    depth = 0
    while nodes[0] > 0:
        place, item = _next_with(patterns, live[depth, : lives[depth]], at[depth], experts, branch[depth])
        if item < 0:
            depth -= 1
            if depth < 0:
                return False
            pattern = live[depth, at[depth] - 1]
            rest += load[pattern]
            _take_back(open_, patterns[pattern], decides[depth])
            continue
        at[depth] = place + 1
        pattern = live[depth, place]
        after = num - depth - 1
        if rest - load[pattern] > after * most + rounding:
            continue
        _take(open_, patterns[pattern], decides[depth])
        if need[0] > num * size or need[1] < num * size:
            _take_back(open_, patterns[pattern], decides[depth])
            continue
        chosen[depth] = order[pattern]
        if after == 0:
            return True
        nodes[0] -= 1
        rest -= load[pattern]
        depth += 1
        least = rest - (after - 1) * most - rounding
        for expert in range(times.size):
            times[expert] = 0
        kept = 0
        for position in range(lives[depth - 1]):
            other = live[depth - 1, position]
            if load[other] < least:
                break
            # Patterns before this one had their turn to cover the same item.
            gone, times_in = False, 0
            for part in range(size):
                here = patterns[other, part]
                times_in = times_in + 1 if part and here == patterns[other, part - 1] else 1
                gone |= room[here] < times_in or (position < place and here == item)
            if not gone:
                live[depth, kept] = other
                kept += 1
                for part in range(size):
                    times[experts[patterns[other, part]]] += 1
        lives[depth], at[depth] = kept, 0
        branch[depth] = _rarest(times, left)
    return False


@compiled
def _all_open(v: Floats, experts: Ints, numbers: Ints) -> tuple[_Open, float]:
    """Nothing decided yet, and the load of all experts."""
    num_experts = experts[np.argmax(experts)] + 1
    fewest, last = np.empty(num_experts, dtype=np.int64), np.empty(num_experts, dtype=np.int64)
    largest, left = np.zeros(num_experts, dtype=np.int64), np.ones(num_experts, dtype=np.int64)
    decided, ring = np.empty(num_experts, dtype=np.int64), np.empty(experts.size, dtype=np.int64)
    for expert in range(num_experts):
        last[expert] = decided[expert] = -1
    load = 0.0
    for item in range(experts.size):
        ring[item] = item
        expert = experts[item]
        fewest[expert] = min(fewest[expert], numbers[item]) if last[expert] >= 0 else numbers[item]
        largest[expert] = max(largest[expert], numbers[item])
        if last[expert] < 0:
            load += v[item] * numbers[item]
        else:
            ring[item], ring[last[expert]] = ring[last[expert]], item
        last[expert] = item
    need = np.zeros(2, dtype=np.int64)
    for expert in range(num_experts):
        need[0] += fewest[expert]
        need[1] += largest[expert]
    return _Open(experts, numbers, fewest, largest, ring, decided, left, numbers.copy(), need), load


@compiled
def _in_order(patterns: Ints, load: Floats, order: Ints) -> tuple[Ints, Floats]:
    """Patterns and their loads as `order` says; one by one, as numpy's indices take the compiler seconds."""
    ordered, loads = np.empty(patterns.shape, dtype=np.int64), np.empty(load.size)
    for position in range(order.size):
        loads[position] = load[order[position]]
        for part in range(patterns.shape[1]):
            ordered[position, part] = patterns[order[position], part]
    return ordered, loads


@compiled
def _rarest(times: Ints, left: Ints) -> int:
    """The expert with slots left that is in the fewest patterns."""
    best = -1
    for expert in range(left.size):
        if left[expert] > 0 and (best < 0 or times[expert] < times[best]):
            best = expert
    return best


@compiled
def _next_with(patterns: Ints, live: Ints, place: Index, experts: Ints, expert: Index) -> tuple[int, int]:
    """The first position from `place` on of a pattern with this expert, and the item; item -1 if there is none."""
    for position in range(place, live.size):
        for part in range(patterns.shape[1]):
            item = patterns[live[position], part]
            if experts[item] == expert:
                return position, item
    return live.size, -1


@compiled
def _take(open_: _Open, pattern: Ints, decides: Bools) -> None:
    """Take a pattern; `decides` says which of its items are the first of their experts."""
    experts, numbers, fewest, largest, ring, decided, left, room, need = open_
    for place in range(pattern.size):
        item = pattern[place]
        expert = experts[item]
        decides[place] = decided[expert] < 0
        if decides[place]:
            decided[expert], left[expert] = item, numbers[item]
            need[0] += numbers[item] - fewest[expert]
            need[1] += numbers[item] - largest[expert]
            other = ring[item]
            while other != item:
                room[other] = 0
                other = ring[other]
        left[expert] -= 1
        room[item] -= 1


@compiled
def _take_back(open_: _Open, pattern: Ints, decides: Bools) -> None:
    experts, numbers, fewest, largest, ring, decided, left, room, need = open_
    for place in range(pattern.size - 1, -1, -1):
        item = pattern[place]
        expert = experts[item]
        left[expert] += 1
        room[item] += 1
        if decides[place]:
            decided[expert], left[expert] = -1, 1
            need[0] += fewest[expert] - numbers[item]
            need[1] += largest[expert] - numbers[item]
            other = ring[item]
            while other != item:
                room[other] = numbers[other]
                other = ring[other]
