"""Fair split: the loads of experts flow to the GPUs that hold them until no flow can even two of these out.

The loads that GPUs end with are those of the least sum of squares, which are fair in the lexicographic sense: the
hottest GPU is as cool as any split makes it, then the next, and so on (S. Fujishige, Mathematics of Operations Research
5, 186-196 (1980), https://doi.org/10.1287/moor.5.2.186). So GPUs that share experts are equally hot, unless an
expert has nowhere cooler to go, and what is above all others is one cut and not an accident of a flow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled

# Sweeps over all experts, at most; and the flow that is too little to go on for, as a part of the hottest GPU's load.
_MOST_SWEEPS, _LITTLE = 2_000, 1e-10


class Split(NamedTuple):
    """The experts on several GPUs, and what flows from each to these; arrays change in place.

    Attributes
    ----------
    loads
        Load of each of them, shape ``(M,)``.
    nums
        GPUs that hold it, shape ``(M,)``.
    gpus
        Which, each once, shape ``(M, most replicas)``.
    flows
        What each serves, shaped as `gpus`; rows sum to `loads`.
    """

    loads: Floats
    nums: Ints
    gpus: Ints
    flows: Floats


@compiled
def split_of(loads: Floats, slots: Ints, counts: Ints, gpu_loads: Floats) -> Split:
    """The fair split of a row of `slots` with `counts` of each expert; `gpu_loads` ends as what the GPUs carry."""
    size = slots.size // gpu_loads.size
    num, most = 0, 1
    number = np.empty(counts.size, dtype=np.int64)
    for expert in range(counts.size):
        number[expert] = -1
        if counts[expert] > 1:
            number[expert] = num
            num, most = num + 1, max(most, counts[expert])
    nums, gpus = np.zeros(num, dtype=np.int64), np.empty((num, most), dtype=np.int64)
    split = Split(np.zeros(num), nums, gpus, np.zeros((num, most)))
    for m in range(num):
        for i in range(most):
            gpus[m, i] = -1
    for gpu in range(gpu_loads.size):
        gpu_loads[gpu] = 0.0
    for slot in range(slots.size):
        expert, gpu = slots[slot], slot // size
        m = number[expert]
        if m < 0:
            gpu_loads[gpu] += loads[expert]
            continue
        split.loads[m] = loads[expert]
        # Several replicas on one GPU are one, and slots come GPU by GPU.
        if nums[m] == 0 or gpus[m, nums[m] - 1] != gpu:
            gpus[m, nums[m]] = gpu
            nums[m] += 1
    for m in range(num):
        for i in range(nums[m]):
            split.flows[m, i] = split.loads[m] / nums[m]
            gpu_loads[gpus[m, i]] += split.flows[m, i]
    even_out(split, gpu_loads)
    return split


@compiled
def even_out(split: Split, gpu_loads: Floats) -> int:
    """Make a split fair: one expert after the other flows to its coolest GPUs, until next to nothing moves.

    Returns how often an expert flowed.
    """
    rest = np.empty(split.gpus.shape[1])
    little = _LITTLE * gpu_loads[np.argmax(gpu_loads)]
    poured = 0
    for _ in range(_MOST_SWEEPS):
        moved = 0.0
        for m in range(split.nums.size):
            moved = max(moved, _pour(split, m, gpu_loads, rest))
        poured += split.nums.size
        if moved <= little:
            break
    return poured


@compiled
def _pour(split: Split, m: Index, gpu_loads: Floats, rest: Floats) -> float:
    """Pour the load of one expert over its GPUs, coolest first; the most that any of its flows changes."""
    num = split.nums[m]
    for i in range(num):
        # Sorted by insertion: there are few.
        without = gpu_loads[split.gpus[m, i]] - split.flows[m, i]
        j = i
        while j > 0 and rest[j - 1] > without:
            rest[j] = rest[j - 1]
            j -= 1
        rest[j] = without
    level, below = split.loads[m] + rest[0], 1
    while below < num and level > below * rest[below]:
        level += rest[below]
        below += 1
    level /= below
    moved = 0.0
    for i in range(num):
        gpu = split.gpus[m, i]
        without = gpu_loads[gpu] - split.flows[m, i]
        flow = max(0.0, level - without)
        moved = max(moved, abs(flow - split.flows[m, i]))
        split.flows[m, i] = flow
        gpu_loads[gpu] = without + flow
    return moved
