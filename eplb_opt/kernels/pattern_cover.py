"""Pattern cover: GPUs for slots, each GPU with one of many patterns of several windows, by exact cover."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled

# Items of a cover at most: a set of them is the bits of two words.
MOST_ITEMS = 128
_WORD = 64


@compiled
def cover(patterns: Ints, spare: Floats, number: int, slack: Floats, chosen: Ints, looks: Ints) -> bool:
    """Choose as many `patterns` as `chosen` has places, so that each of a `number` of items is in one; whether it did.

    A pattern is a row of increasing items, and leaves ``spare[pattern, k]`` of window k free; all that are chosen may
    leave `slack` free together, shape ``(windows,)``. Depth first: the item in the fewest patterns that are left is
    covered by each of them in turn. ``looks[0]``, patterns that are looked at, is counted down and ends the search; if
    it is above 0, False is a proof.
    Source: D. E. Knuth, Dancing links (2000), https://arxiv.org/abs/cs/0011047, for exact cover by the rarest item.
    """
    num, num_patterns, num_windows = chosen.size, patterns.shape[0], spare.shape[1]
    one, none = np.uint64(1), np.uint64(0)
    low, high = np.zeros(num_patterns, dtype=np.uint64), np.zeros(num_patterns, dtype=np.uint64)
    for pattern in range(num_patterns):
        for item in patterns[pattern]:
            if item < _WORD:
                low[pattern] |= one << np.uint64(item)
            else:
                high[pattern] |= one << np.uint64(item - _WORD)
    live, lives = np.empty((num, num_patterns), dtype=np.int64), np.zeros(num, dtype=np.int64)
    left, covered = np.empty((num + 1, num_windows)), np.zeros((num + 1, number), dtype=np.bool_)
    at, branch = np.zeros(num, dtype=np.int64), np.zeros(num, dtype=np.int64)
    times = np.empty(number, dtype=np.int64)
    for pattern in range(num_patterns):
        live[0, pattern] = pattern
    for k in range(num_windows):
        left[0, k] = slack[k]
    lives[0] = num_patterns
    depth, new, taken_low, taken_high = 0, True, none, none
    while looks[0] > 0:
        if new:
            new = False
            above = max(0, depth - 1)
            looks[0] -= lives[above] + number
            for item in range(number):
                times[item] = 0
            kept = 0
            for place in range(lives[above]):
                pattern = live[above, place]
                fits = (low[pattern] & taken_low) | (high[pattern] & taken_high) == none
                for k in range(num_windows):
                    fits &= spare[pattern, k] <= left[depth, k]
                if fits:
                    live[depth, kept] = pattern
                    kept += 1
                    for item in patterns[pattern]:
                        times[item] += 1
            lives[depth], at[depth], rarest = kept, 0, -1
            for item in range(number):
                if not covered[depth, item] and (rarest < 0 or times[item] < times[rarest]):
                    rarest = item
            branch[depth] = rarest
            if times[rarest] == 0:
                lives[depth] = 0
        # The next pattern with the item to cover.
        item, place = branch[depth], at[depth]
        bit_low = one << np.uint64(item) if item < _WORD else none
        bit_high = none if item < _WORD else one << np.uint64(item - _WORD)
        while place < lives[depth]:
            pattern = live[depth, place]
            if (low[pattern] & bit_low) | (high[pattern] & bit_high) != none:
                break
            place += 1
        if place == lives[depth]:
            if depth == 0:
                return False
            depth -= 1
            continue
        pattern = live[depth, place]
        at[depth] = place + 1
        chosen[depth] = pattern
        if depth + 1 == num:
            return True
        for k in range(num_windows):
            left[depth + 1, k] = left[depth, k] - spare[pattern, k]
        for other in range(number):
            covered[depth + 1, other] = covered[depth, other]
        for other in patterns[pattern]:
            covered[depth + 1, other] = True
        depth, new, taken_low, taken_high = depth + 1, True, low[pattern], high[pattern]
    return False
