"""Packing: replicas to GPUs and groups to nodes, equally many to each."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first


@compiled
def pack(w: Floats, counts: Ints, num_gpus: int, slots_per_gpu: int, distinct: bool) -> Ints:
    """Longest processing time with equal numbers of slots: heaviest replica to the lightest GPU with a free slot.

    With `distinct`, GPUs that hold the expert are passed over. Where only such GPUs have a free slot, another
    GPU takes the replica and gives one of its own to the free slot: counts never exceed the GPUs, so some GPU
    lacks the expert, and as it is full and the other is not, it has an expert that the other lacks.
    """
    replica_loads = w / counts
    order = heaviest_first(replica_loads)
    if not distinct:
        # Item by item: numpy's repeat takes the compiler a second.
        num_slots = counts.sum()
        owner, weight = np.empty(num_slots, dtype=np.int64), np.empty(num_slots)
        item = 0
        for expert in order:
            for _ in range(counts[expert]):
                owner[item], weight[item] = expert, replica_loads[expert]
                item += 1
        table = pack_lightest(np.arange(num_slots), weight, num_gpus)
        for gpu in range(num_gpus):
            for place in range(slots_per_gpu):
                table[gpu, place] = owner[table[gpu, place]]
        return table
    slots = np.empty((num_gpus, slots_per_gpu), dtype=np.int64)
    used = np.zeros(num_gpus, dtype=np.int64)
    load = np.zeros(num_gpus)
    holds = np.zeros((num_gpus, w.size), dtype=np.bool_)
    for expert in order:
        for _ in range(counts[expert]):
            best: Index = np.int64(-1)
            for gpu in range(num_gpus):
                if used[gpu] == slots_per_gpu or holds[gpu, expert]:
                    continue
                if best < 0 or load[gpu] < load[best]:
                    best = gpu
            if best < 0:
                best = _make_room(slots, used, load, holds, replica_loads, expert)
            else:
                slots[best, used[best]] = expert
                used[best] += 1
            holds[best, expert] = True
            load[best] += replica_loads[expert]
    return slots


@compiled
def pack_lightest(order: Ints, weight: Floats, num_packs: int) -> Ints:
    """Items of each pack, shape ``(packs, items / packs)``: in `order`, each to the lightest pack with room.

    Ties go to the lower pack.
    """
    size = order.size // num_packs
    table = np.empty((num_packs, size), dtype=np.int64)
    used = np.zeros(num_packs, dtype=np.int64)
    load = np.zeros(num_packs)
    for item in order:
        pack = np.argmin(load)
        table[pack, used[pack]] = item
        used[pack] += 1
        load[pack] += weight[item]
        if used[pack] == size:
            # Full packs are never the lightest.
            load[pack] = np.inf
    return table


@compiled
def _make_room(slots: Ints, used: Ints, load: Floats, holds: Bools, replica_loads: Floats, expert: Index) -> Index:
    """Move a replica from some GPU without `expert` to the lightest with room, put `expert` in its place; that GPU."""
    free: Index = np.int64(-1)
    for gpu in range(used.size):
        if used[gpu] < slots.shape[1] and (free < 0 or load[gpu] < load[free]):
            free = gpu
    best_gpu, best_slot, best_load = -1, -1, np.inf
    for gpu in range(used.size):
        if holds[gpu, expert]:
            continue
        for slot in range(used[gpu]):
            other = slots[gpu, slot]
            if holds[free, other]:
                continue
            new = max(load[gpu] - replica_loads[other] + replica_loads[expert], load[free] + replica_loads[other])
            if new < best_load:
                best_gpu, best_slot, best_load = gpu, slot, new
    other = slots[best_gpu, best_slot]
    slots[best_gpu, best_slot] = expert
    holds[best_gpu, other] = False
    load[best_gpu] -= replica_loads[other]
    slots[free, used[free]] = other
    used[free] += 1
    holds[free, other] = True
    load[free] += replica_loads[other]
    return best_gpu


@compiled
def exchange_groups(totals: Floats, node_of_group: Ints, num_nodes: int) -> Ints:
    """Node of each group after exchanges of two groups, each the best that cools the hottest node."""
    nodes = node_of_group.copy()
    load = np.zeros(num_nodes)
    for group in range(totals.size):
        load[nodes[group]] += totals[group]
    # Each exchange lowers the sorted loads, so it ends; the bound on the rounds is for rounding errors.
    for _ in range(totals.size * totals.size):
        hot = np.argmax(load)
        best, best_a, best_b = load[hot] * (1.0 - 1e-12), -1, -1
        for a in range(totals.size):
            for b in range(totals.size):
                if nodes[a] != hot or nodes[b] == hot:
                    continue
                less = totals[a] - totals[b]
                new = max(load[hot] - less, load[nodes[b]] + less)
                if new < best:
                    best, best_a, best_b = new, a, b
        if best_a < 0:
            break
        less = totals[best_a] - totals[best_b]
        load[hot] -= less
        load[nodes[best_b]] += less
        nodes[best_a], nodes[best_b] = nodes[best_b], hot
    return nodes
