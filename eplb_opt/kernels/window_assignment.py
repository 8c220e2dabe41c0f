"""Assignment for several windows: the best way to assign replicas to a few GPUs, one GPU's pattern after the other."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, compiled
from eplb_opt.kernels.window_values import mean_or_largest

# Replicas in one assignment: half of them have some ten thousand subsets.
MOST_REPLICAS = 30
# Patterns of one GPU that are looked at.
_MOST_PATTERNS = 1_000
# A value has to fall by more than rounding.
_LESS = 1.0 - 1e-12


@compiled
def assign_windows(
    replica_loads: Floats,
    weights: Floats,
    assigned: Ints,
    allowed: Bools,
    base: Floats,
    rest: Floats,
    alike: bool,
    distinct: bool,
    limit: float,
    work: Ints,
    gpu_of: Ints,
) -> bool:
    """Into `gpu_of` the GPU of each replica in `assigned`, in the best assignment found; whether one is below `limit`.

    ``replica_loads[e, k]`` is the replica load of expert e in window k. GPU g begins with the loads ``base[g, k]`` and
    takes as many replicas as the others, of those ``allowed[i, g]``; ``rest[k]`` is the hottest load of other GPUs.
    Replicas of one expert follow each other. Where no GPU holds anything else they are `alike`, and the first replica
    goes to the first GPU.

    A value below the best leaves each window a largest load, and each GPU the loads that the others cannot take: what
    the next GPU may hold are the patterns in between, in all windows. ``work[0]`` is counted down to 0 and ends the
    search.
    """
    size, (num, num_windows) = assigned.size, base.shape
    # Loops rather than arrays, in all of this file: these take the compiler less.
    load, top = np.empty((size, num_windows)), np.empty((num + 1, num_windows))
    # No assignment has a cooler hottest GPU than this, in any window.
    least = np.empty(num_windows)
    for k in range(num_windows):
        of_items = of_base = 0.0
        for i in range(size):
            load[i, k] = replica_loads[assigned[i], k]
            of_items += load[i, k]
        for g in range(num):
            of_base += base[g, k]
        top[0, k], least[k] = rest[k], max(rest[k], (of_items + of_base) / num)
    patterns = np.empty((num, _MOST_PATTERNS), dtype=np.int64)
    found, at, chosen = np.zeros(num, dtype=np.int64), np.zeros(num, dtype=np.int64), np.zeros(num, dtype=np.int64)
    left = np.zeros(num, dtype=np.int64)
    left[0] = (1 << size) - 1
    hot, total = np.empty(num_windows), np.empty(num_windows)
    best, better, gpu, begin = limit, False, np.int64(0), True
    while gpu >= 0 and work[0] > 0:
        if begin:
            most = _most_loads(best * _LESS, weights, least)
            found[gpu] = _list_patterns(
                load, assigned, allowed, base, left[gpu], gpu, most, alike, distinct, patterns[gpu], work
            )
            at[gpu], begin = 0, False
        if at[gpu] == found[gpu]:
            gpu -= 1
            continue
        pattern = patterns[gpu, at[gpu]]
        at[gpu] += 1
        work[0] -= 1
        _add_up(load, pattern, total)
        for k in range(num_windows):
            top[gpu + 1, k] = max(top[gpu, k], base[gpu, k] + total[k])
            hot[k] = max(top[gpu + 1, k], least[k])
        if mean_or_largest(hot, weights) >= best * _LESS:
            continue
        chosen[gpu] = pattern
        if gpu < num - 1:
            left[gpu + 1] = left[gpu] & ~pattern
            gpu, begin = gpu + 1, True
            continue
        best, better = mean_or_largest(top[num], weights), True
        for g in range(num):
            for i in range(size):
                if chosen[g] >> i & 1:
                    gpu_of[i] = g
    return better


@compiled
def _most_loads(value: float, weights: Floats, least: Floats) -> Floats:
    """The largest load of each window in tables of a `value`, where no window is cooler than `least`."""
    most, spare = np.empty(least.size), value
    for k in range(least.size):
        most[k] = value
    if weights[0] > 0.0:
        spare = value - mean_or_largest(least, weights)
        for k in range(least.size):
            most[k] = least[k] + spare / weights[k]
    return most


@compiled
def _list_patterns(
    load: Floats,
    assigned: Ints,
    allowed: Bools,
    base: Floats,
    left: int,
    gpu: Index,
    most: Floats,
    alike: bool,
    distinct: bool,
    patterns: Ints,
    work: Ints,
) -> int:
    """Into `patterns` sets of replicas that `gpu` may hold, as bits; those of `left` go to it and the GPUs after it.

    Patterns of all its slots within `most`, so hot that within `most` the other GPUs can take what is left.
    """
    items, listed, num_windows = np.empty(assigned.size, dtype=np.int64), 0, load.shape[1]
    for i in range(assigned.size):
        if left >> i & 1:
            items[listed] = i
            listed += 1
    items = items[:listed]
    others = base.shape[0] - gpu - 1
    size = items.size // (others + 1)
    # Replicas of one expert are alike: the first that is left is taken first, and alone if `distinct`.
    twin, must = np.zeros(items.size, dtype=np.bool_), np.zeros(items.size, dtype=np.bool_)
    must[0] = alike
    first = 0
    for i in range(items.size):
        first = first if assigned[items[i]] == assigned[items[first]] else i
        twin[i] = i > first
        elsewhere = 0
        for other in range(gpu + 1, base.shape[0]):
            elsewhere += allowed[items[i], other]
        if distinct and i - first >= elsewhere:
            must[first] = True
    low, high = np.empty(num_windows), np.empty(num_windows)
    _add_up(load, left, low)
    for k in range(num_windows):
        high[k] = most[k] - base[gpu, k]
        of_others = 0.0
        for other in range(gpu + 1, base.shape[0]):
            of_others += base[other, k]
        # The last GPU takes exactly what is left, and sums in another order differ by rounding.
        low[k] = (low[k] + of_others) * _LESS - others * most[k]
        if low[k] > high[k]:
            return 0
    # The window with the narrowest gap between the two tells most.
    key = np.int64(0)
    for k in range(1, num_windows):
        if (high[k] - low[k]) * _deviation(load, key) < (high[key] - low[key]) * _deviation(load, k):
            key = np.int64(k)
    half = items.size // 2
    few = _subsets(load, items[:half], allowed[:, gpu], twin[:half], must[:half], distinct, size, key)
    many = _subsets(load, items[half:], allowed[:, gpu], twin[half:], must[half:], distinct, size, key)
    work[0] -= few[3].size + many[3].size
    return _matches(few, many, size, key, low, high, not distinct and twin[half], patterns, work)


@compiled
def _subsets(
    load: Floats, items: Ints, allowed: Bools, twin: Bools, must: Bools, distinct: bool, size: int, key: Index
) -> tuple[Ints, Ints, Floats, Ints]:
    """Sets of at most `size` items that one GPU may hold, those of each size by their load in window `key`.

    A set is a number that counts through all sets of items. Returns these numbers, shape ``(size + 1, sets)``, how many
    each row has, and for each number the loads ``(windows, numbers)`` and the items as bits.
    """
    number = 1 << items.size
    sums, bits = np.zeros((load.shape[1], number)), np.zeros(number, dtype=np.int64)
    ordered = np.zeros((size + 1, number // 2 + 1), dtype=np.int64)
    merged = np.empty(number // 2 + 1, dtype=np.int64)
    many = np.zeros(size + 1, dtype=np.int64)
    many[0] = 1
    for i in range(items.size):
        # The sets that have the items before, then the same with this one too.
        item, without = items[i], 1 << i
        for k in range(load.shape[1]):
            for before in range(without):
                sums[k, without + before] = sums[k, before] + load[item, k]
        for before in range(without):
            bits[without + before] = bits[before] | 1 << item
        may = allowed[item] and not (distinct and twin[i])
        for count in range(min(size, i + 1), -1, -1):
            kept = 0 if must[i] else many[count]
            new = many[count - 1] if may and count else 0
            old = put = 0
            for place in range(new):
                with_item = ordered[count - 1, place] | without
                if twin[i] and i and not with_item & (without >> 1):
                    continue
                while old < kept and sums[key, ordered[count, old]] <= sums[key, with_item]:
                    merged[put] = ordered[count, old]
                    old, put = old + 1, put + 1
                merged[put] = with_item
                put += 1
            for place in range(old, kept):
                merged[put] = ordered[count, place]
                put += 1
            for place in range(put):
                ordered[count, place] = merged[place]
            many[count] = put
    return ordered, many, sums, bits


@compiled
def _matches(
    few: tuple[Ints, Ints, Floats, Ints],
    many: tuple[Ints, Ints, Floats, Ints],
    size: int,
    key: Index,
    low: Floats,
    high: Floats,
    joined: bool,
    patterns: Ints,
    work: Ints,
) -> int:
    """Into `patterns` unions of one of `few` and one of `many` with `size` items and loads ``low .. high``; how many.

    Where the two are `joined`, the first item of the latter is alike to the last of the former.
    """
    found = 0
    sets, numbers, sums, bits = few
    others, counts, more, with_bits = many
    last = sums.shape[1] // 2
    for count in range(size + 1):
        # As the loads of the former rise, those of the latter that fit fall.
        first = end = counts[size - count]
        for one in sets[count, : numbers[count]]:
            while first and sums[key, one] + more[key, others[size - count, first - 1]] >= low[key]:
                first -= 1
            while end and sums[key, one] + more[key, others[size - count, end - 1]] > high[key]:
                end -= 1
            work[0] -= 1 + end - first
            for other in others[size - count, first:end]:
                if joined and other & 1 and not one & last:
                    continue
                fits = True
                for k in range(low.size):
                    both = sums[k, one] + more[k, other]
                    if both < low[k] or both > high[k]:
                        fits = False
                        break
                if fits:
                    if found == patterns.size:
                        return found
                    patterns[found] = bits[one] | with_bits[other]
                    found += 1
            if work[0] <= 0:
                return found
    return found


@compiled
def _add_up(load: Floats, items: Index, total: Floats) -> None:
    """Into `total` the load of a set of items in each window."""
    for k in range(total.size):
        total[k] = 0.0
    for i in range(load.shape[0]):
        if items >> i & 1:
            for k in range(total.size):
                total[k] += load[i, k]


@compiled
def _deviation(load: Floats, k: Index) -> float:
    """Standard deviation of the loads in a window."""
    mean = squares = 0.0
    for i in range(load.shape[0]):
        mean += load[i, k]
    mean /= load.shape[0]
    for i in range(load.shape[0]):
        squares += (load[i, k] - mean) * (load[i, k] - mean)
    return float((squares / load.shape[0]) ** 0.5)
