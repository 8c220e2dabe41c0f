"""Singles: experts with one replica change GPUs while all others stay, which no rule of dispatch notices."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.assignment import assign
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.order import lightest_first
from eplb_opt.kernels.placement import Placement, accept, change_of, propose, slots_per_gpu, value_after
from eplb_opt.kernels.rows import copy_row, copy_table
from eplb_opt.kernels.shuffle import shuffle
from eplb_opt.kernels.window_assignment import assign_windows
from eplb_opt.kernels.window_reassignment import others_and_value, partners
from eplb_opt.kernels.window_values import hottest, rank_all, value_of

# GPUs that are reassigned at once: at first, and at most; one more after so many failures. And singles of all of them.
_FIRST_GPUS, _MOST_GPUS, _PATIENCE, _MOST_SINGLES = 3, 6, 50, 24
# A GPU has to get cooler by more than rounding.
_COOLER = 1.0 - 1e-12
# Work of an assignment on top, and of a node of one for several windows; and nodes of one.
_PER_ASSIGNMENT, _PER_NODE, _MOST_NODES = 100, 4, 50_000


@compiled
def reassign_singles(p: Placement, weights: Floats | None, gpus_per_node: int, work: Ints, random: Any) -> None:
    """Lower the value of a placement: reassign the singles of the hottest GPU of a window and of some others exactly.

    Stops when ``work[0]`` is used up, or in one window at the mean load. `weights` as of
    `eplb_opt.kernels.annealing.anneal`, and ``None`` for one window: what several need is not compiled then. Other GPUs
    are of the same node of `gpus_per_node`.
    """
    num, failed = min(gpus_per_node, _FIRST_GPUS), 0
    if num < 2:
        return
    num_windows = p.loads.shape[1]
    top = np.zeros((num_windows, 3), dtype=np.int64)
    rank_all(p.gpu_loads, top)
    while work[0] > 0 and (num_windows > 1 or p.gpu_loads[top[0, 0], 0] > 1.0):
        work[0] -= _PER_ASSIGNMENT
        gpus = partners(_hottest(p, top, weights, random), num, gpus_per_node, random)
        if _reassign_some(p, weights, gpus, work, random):
            rank_all(p.gpu_loads, top)
            num, failed = max(2, num - 1), 0
            continue
        failed += 1
        if failed == _PATIENCE:
            num, failed = min(gpus_per_node, _MOST_GPUS, num + 1), 0


@compiled
def _hottest(p: Placement, top: Ints, weights: Floats | None, random: Any) -> Index:
    if weights is None:
        gpu: Index = top[0, 0]
        return gpu
    return hottest(p.gpu_loads, top, weights, random)


@compiled
def _reassign_some(p: Placement, weights: Floats | None, gpus: Ints, work: Ints, random: Any) -> bool:
    """Reassign equally many singles of each of `gpus` if that lowers the value; whether it did."""
    size, num = slots_per_gpu(p), gpus.size
    places = np.empty((num, size), dtype=np.int64)
    each = min(size, _MOST_SINGLES // num)
    for j in range(num):
        found = 0
        for slot in range(gpus[j] * size, (gpus[j] + 1) * size):
            if p.counts[p.slots[slot]] == 1:
                places[j, found] = slot
                found += 1
        shuffle(places[j, :found], random)
        each = min(each, found)
    if each == 0:
        return False
    total, num_windows = num * each, p.loads.shape[1]
    # Loops rather than arrays: these take the compiler less.
    experts, heat, base = np.empty(total, dtype=np.int64), np.empty(total), np.empty((num, num_windows))
    for j in range(num):
        for k in range(num_windows):
            base[j, k] = p.gpu_loads[gpus[j], k]
        for i in range(each):
            expert = p.slots[places[j, i]]
            experts[j * each + i], heat[j * each + i] = expert, 0.0
            for k in range(num_windows):
                heat[j * each + i] -= p.loads[expert, k]
                base[j, k] -= p.loads[expert, k]
    order, listed = lightest_first(heat), experts.copy()
    for i in range(total):
        experts[i] = listed[order[i]]
    gpu_of = np.empty(total, dtype=np.int64)
    if weights is None:
        lower = _assign_one(p, experts, gpus, base, each, work, gpu_of)
    else:
        lower = _assign_several(p, weights, experts, gpus, base, work, gpu_of)
    if not lower:
        return False
    filled = np.zeros(num, dtype=np.int64)
    for j in range(num):
        for k in range(num_windows):
            p.gpu_loads[gpus[j], k] = base[j, k]
    for i in range(total):
        j, expert = gpu_of[i], experts[i]
        slot = places[j, filled[j]]
        filled[j] += 1
        p.slots[slot] = expert
        p.places[expert, 0] = slot
        for k in range(num_windows):
            p.gpu_loads[gpus[j], k] += p.loads[expert, k]
    return True


@compiled
def _assign_one(p: Placement, experts: Ints, gpus: Ints, base: Floats, each: int, work: Ints, gpu_of: Ints) -> bool:
    none = np.zeros(experts.size, dtype=np.uint64)
    loads, carried = np.empty(experts.size), np.empty(gpus.size)
    for i in range(experts.size):
        loads[i] = p.loads[experts[i], 0]
    for j in range(gpus.size):
        carried[j] = base[j, 0]
    assigned = np.empty((gpus.size, each), dtype=np.int64)
    limit = p.gpu_loads[gpus[0], 0] * _COOLER
    if not assign(loads, none, none, carried, limit, assigned, work):
        return False
    for j in range(gpus.size):
        for i in range(each):
            gpu_of[assigned[j, i]] = j
    return True


@compiled
def _assign_several(
    p: Placement, weights: Floats, experts: Ints, gpus: Ints, base: Floats, work: Ints, gpu_of: Ints
) -> bool:
    rest, value = others_and_value(p.gpu_loads, gpus, weights)
    allowed, left = np.empty((experts.size, gpus.size), dtype=np.bool_), np.empty(1, dtype=np.int64)
    for i in range(experts.size):
        for j in range(gpus.size):
            allowed[i, j] = True
    before = min(work[0], _MOST_NODES)
    left[0] = before
    found = assign_windows(p.loads, weights, experts, allowed, base, rest, False, False, value, left, gpu_of)
    work[0] -= _PER_NODE * (before - left[0])
    return found


@compiled
def exchange_singles(
    p: Placement,
    weights: Floats,
    nearest: Ints,
    gpus_per_node: int,
    hot: float,
    cold: float,
    proposals: int,
    random: Any,
) -> None:
    """Anneal a placement of several windows by exchanges of singles alone, and leave the best that was found.

    Arguments as of `eplb_opt.kernels.annealing.anneal`; ``nearest[e]`` are neighbours of expert e among all experts.
    """
    top = np.zeros((weights.size, 3), dtype=np.int64)
    rank_all(p.gpu_loads, top)
    value = least = value_of(p.gpu_loads, top, weights)
    best, loads, c = p.slots.copy(), p.gpu_loads.copy(), change_of(p)
    size, num_gpus = slots_per_gpu(p), p.sources.gpus
    ranks = np.log(nearest.shape[1] + 1.0)
    if num_gpus < 2 or not nearest.shape[1]:
        return
    for proposal in range(proposals):
        temperature = hot * (cold / hot) ** (proposal / proposals)
        g = hottest(p.gpu_loads, top, weights, random) if random.random() < 0.5 else draw(random, num_gpus)
        slot = g * size + draw(random, size)
        a = p.slots[slot]
        b = nearest[a, int(np.exp(random.random() * ranks)) - 1]
        other = p.places[b, 0]
        h = other // size
        if p.counts[a] > 1 or p.counts[b] > 1 or g == h or g // gpus_per_node != h // gpus_per_node:
            continue
        limit = value - temperature * np.log(1.0 - random.random())
        propose(p, c, slot, other, False)
        new = value_after(p, c, top, weights, slot, other, limit)
        if new > limit:
            continue
        accept(p, c, top, slot, other, False)
        value = new
        if value < least:
            least = value
            copy_row(p.slots, best)
            copy_table(p.gpu_loads, loads)
    copy_row(best, p.slots)
    copy_table(loads, p.gpu_loads)
    for slot in range(p.slots.size):
        if p.counts[p.slots[slot]] == 1:
            p.places[p.slots[slot], 0] = slot
