"""Singles: experts with one replica change GPUs while all others stay, which no rule of dispatch notices."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.assignment import assign
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.dispatched import Placement, value_after_exchange_of_singles
from eplb_opt.kernels.shuffle import shuffle
from eplb_opt.kernels.window_values import hottest, rank_again, rank_all, value_of

# As in `eplb_opt.kernels.reassignment`.
_FIRST_GPUS, _MOST_GPUS, _MOST_SLOTS, _PATIENCE = 3, 6, 24, 50
_COOLER = 1.0 - 1e-12


@compiled
def reassign_singles(p: Placement, gpus_per_node: int, target: float, work: Ints, random: Any) -> None:
    """Cool the hottest GPU of a placement of one window: reassign its singles and those of some others exactly.

    Stops at `target`, or when ``work[0]`` is used up.
    """
    load = p.gpu_loads[:, 0]
    num, failed = min(gpus_per_node, _FIRST_GPUS), 0
    if num < 2:
        return
    while work[0] > 0 and load.max() > target:
        work[0] -= 100
        if _reassign_some(p, load, num, gpus_per_node, work, random):
            num, failed = max(2, num - 1), 0
            continue
        failed += 1
        if failed == _PATIENCE:
            num, failed = min(gpus_per_node, _MOST_GPUS, num + 1), 0


@compiled
def _reassign_some(p: Placement, load: Floats, num: Index, gpus_per_node: Index, work: Ints, random: Any) -> bool:
    size = p.sources.slots_per_gpu
    gpus = np.empty(num, dtype=np.int64)
    gpus[0] = np.argmax(load)
    first = gpus[0] - gpus[0] % gpus_per_node
    drawn = 1
    while drawn < num:
        gpu = first + random.integers(0, gpus_per_node)
        if not (gpus[:drawn] == gpu).any():
            gpus[drawn] = gpu
            drawn += 1
    places = np.empty((num, size), dtype=np.int64)
    each = min(size, _MOST_SLOTS // num)
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
    total = num * each
    experts, values, base = np.empty(total, dtype=np.int64), np.empty(total), load[gpus].copy()
    for j in range(num):
        for i in range(each):
            expert = p.slots[places[j, i]]
            experts[j * each + i] = expert
            values[j * each + i] = -p.loads[expert, 0]
            base[j] -= p.loads[expert, 0]
    order = np.argsort(values)
    experts, values = experts[order], -values[order]
    none = np.zeros(total, dtype=np.uint64)
    assigned = np.empty((num, each), dtype=np.int64)
    if not assign(values, none, none, base, load[gpus[0]] * _COOLER, assigned, work):
        return False
    for j in range(num):
        load[gpus[j]] = base[j]
        for i in range(each):
            expert = experts[assigned[j, i]]
            p.slots[places[j, i]] = expert
            p.places[expert, 0] = places[j, i]
            load[gpus[j]] += p.loads[expert, 0]
    return True


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
    best, loads = p.slots.copy(), p.gpu_loads.copy()
    size, num_gpus = p.sources.slots_per_gpu, p.sources.gpus
    ranks = np.log(nearest.shape[1] + 1.0)
    if num_gpus < 2 or not nearest.shape[1]:
        return
    for proposal in range(proposals):
        temperature = hot * (cold / hot) ** (proposal / proposals)
        g = hottest(p.gpu_loads, top, weights, random) if random.random() < 0.5 else random.integers(0, num_gpus)
        slot = g * size + random.integers(0, size)
        a = p.slots[slot]
        b = nearest[a, int(np.exp(random.random() * ranks)) - 1]
        other = p.places[b, 0]
        h = other // size
        if p.counts[a] > 1 or p.counts[b] > 1 or g == h or g // gpus_per_node != h // gpus_per_node:
            continue
        limit = value - temperature * np.log(1.0 - random.random())
        if value_after_exchange_of_singles(p, top, weights, slot, other, limit) > limit:
            continue
        p.slots[slot], p.slots[other] = b, a
        p.places[a, 0], p.places[b, 0] = other, slot
        for k in range(weights.size):
            more = p.loads[a, k] - p.loads[b, k]
            p.gpu_loads[g, k] -= more
            p.gpu_loads[h, k] += more
        rank_again(p.gpu_loads, top, g, h)
        value = value_of(p.gpu_loads, top, weights)
        if value < least:
            least = value
            best[:], loads[:] = p.slots, p.gpu_loads
    p.slots[:], p.gpu_loads[:] = best, loads
    for slot in range(p.slots.size):
        if p.counts[p.slots[slot]] == 1:
            p.places[p.slots[slot], 0] = slot
