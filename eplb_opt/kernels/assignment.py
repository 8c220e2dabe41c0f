"""Assignment: items to GPUs so that all of them stay below a limit, by an exact depth-first search."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, Masks, compiled

# Nodes of one search, and how many pairs of slots a descent looks at meanwhile for each.
_MOST_NODES, _PAIRS_PER_NODE = 20_000, 2


@compiled
def assign(v: Floats, same: Masks, barred: Masks, base: Floats, limit: float, assigned: Ints, work: Ints) -> bool:
    """Assign items of loads `v`, heaviest first, to GPUs that carry `base` already; whether all stay below `limit`.

    Depth first, one GPU after the other, each with subsets in lexicographic order. What a GPU may take is bounded
    from both sides: by `limit`, and by the rest having room on the GPUs that follow. The last item of a GPU is found
    by bisection. Every success lowers `limit` for the rest of the search, so `assigned` (items of each GPU) ends as the
    best assignment unless nodes run out.
    """
    num, each = assigned.shape
    total = v.size
    items = np.empty((num, total), dtype=np.int64)  # what is left for this GPU and those after it
    prefix = np.zeros((num, total + 1))  # sums of it
    chosen = np.empty((num, each), dtype=np.int64)  # positions in it
    sums = np.zeros((num, each + 1))
    taken = np.zeros((num, each + 1), dtype=np.uint64)  # items that may not follow
    bits = np.empty(total, dtype=np.uint64)
    # While GPUs are alike, the first takes the heaviest item that is left.
    alike = True
    beyond = np.zeros(num)  # what the GPUs after each carry already
    for g in range(num):
        alike &= base[g] == base[0]
        for after in range(g + 1, num):
            beyond[g] += base[after]
    for i in range(total):
        alike &= barred[i] == 0
        bits[i] = np.uint64(1) << np.uint64(i)
        items[0, i] = i
        prefix[0, i + 1] = prefix[0, i] + v[i]
    found, gpu, depth, c = False, np.int64(0), 0, 0
    for _ in range(_MOST_NODES):
        work[0] -= _PAIRS_PER_NODE
        left, need, sum_ = total - gpu * each, each - depth, sums[gpu, depth]
        top = limit - base[gpu]
        bottom = prefix[gpu, left] - ((num - 1 - gpu) * limit - beyond[gpu])
        if (
            c + need > left
            or (alike and depth == 0 and c > 0)
            or sum_ + prefix[gpu, c + need] - prefix[gpu, c] <= bottom
        ):
            # Nothing from here on is heavy enough: another choice one level up.
            if depth == 0:
                if gpu == 0:
                    break
                gpu, depth = gpu - 1, each
            depth -= 1
            c = chosen[gpu, depth] + 1
            continue
        item = items[gpu, c]
        if sum_ + v[item] + prefix[gpu, left] - prefix[gpu, left - need + 1] >= top:
            c = _first_below(v, items[gpu, :left], c + 1, top - sum_) if need == 1 else c + 1
            continue
        if taken[gpu, depth] & bits[item] or barred[item] & bits[gpu]:
            c += 1
            continue
        chosen[gpu, depth] = c
        if need > 1:
            sums[gpu, depth + 1] = sum_ + v[item]
            taken[gpu, depth + 1] = taken[gpu, depth] | same[item]
            depth, c = depth + 1, c + 1
            continue
        if sum_ + v[item] <= bottom:
            c += 1
            continue
        sums[gpu, each] = sum_ + v[item]
        _leave(v, items, prefix, chosen, gpu, left)
        if gpu + 1 < num - 1:
            gpu, depth, c = gpu + 1, 0, 0
            continue
        if _may_share(items[num - 1, :each], same, barred, bits, num - 1):
            found = True
            limit = _keep(items, chosen, base, sums, prefix[num - 1, each], assigned)
        c += 1
    return found


@compiled
def _keep(items: Ints, chosen: Ints, base: Floats, sums: Floats, last: float, assigned: Ints) -> float:
    """Items of each GPU into `assigned`, of the last one all that are left, which have load `last`; the max load."""
    num, each = assigned.shape
    hottest = last + base[num - 1]
    for i in range(each):
        assigned[num - 1, i] = items[num - 1, i]
    for gpu in range(num - 1):
        for i in range(each):
            assigned[gpu, i] = items[gpu, chosen[gpu, i]]
        hottest = max(hottest, base[gpu] + sums[gpu, each])
    return float(hottest)


@compiled
def _first_below(v: Floats, items: Ints, c: int, limit: float) -> int:
    """The first position from `c` on whose item is lighter than `limit`."""
    end = items.size
    while c < end:
        middle = (c + end) // 2
        if v[items[middle]] >= limit:
            c = middle + 1
        else:
            end = middle
    return c


@compiled
def _leave(v: Floats, items: Ints, prefix: Floats, chosen: Ints, gpu: Index, left: int) -> None:
    """List what the GPUs after `gpu` can take."""
    position = kept = 0
    for i in range(left):
        if position < chosen.shape[1] and chosen[gpu, position] == i:
            position += 1
            continue
        items[gpu + 1, kept] = items[gpu, i]
        prefix[gpu + 1, kept + 1] = prefix[gpu + 1, kept] + v[items[gpu, i]]
        kept += 1


@compiled
def _may_share(items: Ints, same: Masks, barred: Masks, bits: Masks, gpu: int) -> bool:
    """Whether one GPU may hold all these items."""
    taken = np.uint64(0)
    for item in items:
        if taken & bits[item] or barred[item] & bits[gpu]:
            return False
        taken |= same[item]
    return True
