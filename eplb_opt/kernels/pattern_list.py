"""Pattern list: all ways to fill a GPU with replicas whose loads sum to what lies between two limits."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled


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
