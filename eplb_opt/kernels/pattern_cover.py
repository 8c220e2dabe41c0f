"""Pattern cover: GPUs for slots, each GPU with one of many patterns of several windows, by exact cover."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, Masks, compiled

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
    bits = np.zeros((num_patterns, 2), dtype=np.uint64)
    for pattern in range(num_patterns):
        for item in patterns[pattern]:
            bits[pattern, item // _WORD] |= np.uint64(1) << np.uint64(item % _WORD)
    live, lives = np.empty((num, num_patterns), dtype=np.int64), np.zeros(num, dtype=np.int64)
    left, covered = np.empty((num, num_windows)), np.zeros((num, number), dtype=np.bool_)
    at, branch = np.zeros(num, dtype=np.int64), np.zeros(num, dtype=np.int64)
    times = np.empty(number, dtype=np.int64)
    for pattern in range(num_patterns):
        live[0, pattern] = pattern
    for k in range(num_windows):
        left[0, k] = slack[k]
    lives[0] = _sift(patterns, bits, spare, live[0], -1, left[0], live[0], times)
    branch[0] = _rarest(times, covered[0])
    looks[0] -= num_patterns + number
    depth = 0
    while looks[0] > 0:
        pattern, at[depth] = _next_with(bits, live[depth], at[depth], lives[depth], branch[depth])
        if pattern < 0:
            if depth == 0:
                return False
            depth -= 1
            continue
        chosen[depth] = pattern
        if depth + 1 == num:
            return True
        for k in range(num_windows):
            left[depth + 1, k] = left[depth, k] - spare[pattern, k]
        for item in range(number):
            covered[depth + 1, item] = covered[depth, item]
        for item in patterns[pattern]:
            covered[depth + 1, item] = True
        looks[0] -= lives[depth] + number
        above = live[depth, : lives[depth]]
        kept = _sift(patterns, bits, spare, above, pattern, left[depth + 1], live[depth + 1], times)
        rarest = _rarest(times, covered[depth + 1])
        if times[rarest]:
            depth += 1
            lives[depth], at[depth], branch[depth] = kept, 0, rarest
    return False


@compiled
def _sift(
    patterns: Ints, bits: Masks, spare: Floats, above: Ints, taken: Index, left: Floats, live: Ints, times: Ints
) -> int:
    """Into `live` those of `above` that go with the one `taken` (-1: none) and leave free what may be; how many.

    Into `times` in how many of them each item is.
    """
    none = np.uint64(0)
    low, high = (bits[taken, 0], bits[taken, 1]) if taken >= 0 else (none, none)
    for item in range(times.size):
        times[item] = 0
    kept = 0
    for pattern in above:
        fits = (bits[pattern, 0] & low) | (bits[pattern, 1] & high) == none
        for k in range(left.size):
            fits &= spare[pattern, k] <= left[k]
        if fits:
            live[kept] = pattern
            kept += 1
            for item in patterns[pattern]:
                times[item] += 1
    return kept


@compiled
def _rarest(times: Ints, covered: Bools) -> int:
    """The item in the fewest patterns, of those that are not covered."""
    rarest = -1
    for item in range(times.size):
        if not covered[item] and (rarest < 0 or times[item] < times[rarest]):
            rarest = item
    return rarest


@compiled
def _next_with(bits: Masks, live: Ints, begin: Index, end: Index, item: Index) -> tuple[int, Index]:
    """The next pattern with an item, -1 if there is none, and the place after it."""
    word, bit = item // _WORD, np.uint64(1) << np.uint64(item % _WORD)
    for place in range(begin, end):
        if bits[live[place], word] & bit != np.uint64(0):
            return live[place], place + 1
    return -1, end
