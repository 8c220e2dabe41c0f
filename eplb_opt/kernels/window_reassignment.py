"""Reassignment for several windows: the slots of a hot GPU and of a few others are reassigned, by exact search."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.annealing import anneal
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.order import in_order, lightest_first
from eplb_opt.kernels.shuffle import shuffle
from eplb_opt.kernels.state import State, state_of
from eplb_opt.kernels.window_assignment import MOST_REPLICAS, assign_windows
from eplb_opt.kernels.window_values import hottest, mean_or_largest, rank_all, value_of

# So many slots of a GPU are reassigned at most, and of so many GPUs: with few slots each, more of them are too much to
# try. Three GPUs of nine slots end at six tenths of what two are above the mean load, in the same time.
_MOST_EACH, _MOST_GPUS = 14, 4
# A round: so many proposals of annealing, so much colder at their end, and assignments.
_PROPOSALS, _COOLING, _ASSIGNMENTS = 1_000, 1 / 30, 40
# Nodes of the search for one assignment.
_MOST_NODES = 200_000
# What a round counts for besides its nodes, an assignment, and each GPU that an assignment looks at.
_NODES_PER_ROUND, _NODES_PER_ASSIGNMENT, _NODES_PER_GPU = 5_000, 100, 2


def reassign_windows(
    w: Floats,
    weights: Floats,
    nearest: Ints,
    slots: Ints,
    gpus_per_node: int,
    max_replicas: int,
    distinct: bool,
    transfers: float,
    temperature: float,
    nodes: int,
    random: np.random.Generator,
) -> None:
    """Lower the value of the table `slots` in place, in rounds from the best table so far; arguments as in `anneal`.

    A round shakes the table by a short annealing, hardly warm, and then reassigns the slots of the hottest GPU of a
    window and of some random GPUs of its node, again and again. Of GPUs with many slots a random part is reassigned.
    `temperature` is in mean GPU loads. Ends after about `nodes` nodes of search.
    """
    size = slots.shape[1]
    each = min(size, _MOST_EACH)
    num = min(_MOST_GPUS, MOST_REPLICAS // each, gpus_per_node)
    if num < 2 or size < 2:
        return
    work = np.array([nodes])
    table, scratch = np.empty_like(slots), np.empty_like(slots)
    least = np.inf
    # In Python, as annealing is compiled once more for whatever calls it.
    while work[0] > 0:
        table[:] = slots
        if least < np.inf:
            cold = temperature * _COOLING
            anneal(
                w,
                weights,
                nearest,
                table,
                scratch,
                gpus_per_node,
                max_replicas,
                distinct,
                transfers,
                temperature,
                cold,
                _PROPOSALS,
                random,
            )
        state = state_of(w, table, max_replicas, distinct)
        before, value = _assign_often(state, weights, num, each, gpus_per_node, work, random)
        if least == np.inf:
            least = before
        work[0] -= _NODES_PER_ROUND
        if value <= least:
            least = value
            slots[:] = table


@compiled
def _assign_often(
    state: State, weights: Floats, num: int, each: int, gpus_per_node: int, work: Ints, random: np.random.Generator
) -> tuple[float, float]:
    """Reassign slots of the hottest GPU of a window and of others, again and again; the values before and after."""
    load = state.gpu_loads
    top = np.empty((load.shape[1], 3), dtype=np.int64)
    rank_all(load, top)
    before = value_of(load, top, weights)
    for _ in range(_ASSIGNMENTS):
        gpus = partners(hottest(load, top, weights, random), num, gpus_per_node, random)
        if _reassign_slots(state, weights, gpus, each, work, random):
            rank_all(load, top)
    return before, value_of(load, top, weights)


@compiled
def partners(hot: Index, num: int, gpus_per_node: int, random: np.random.Generator) -> Ints:
    """GPU `hot` and others of its node."""
    first = hot - hot % gpus_per_node
    gpus = np.empty(num, dtype=np.int64)
    gpus[0] = hot
    drawn = 1
    while drawn < num:
        gpu = first + draw(random, gpus_per_node)
        new = True
        for i in range(drawn):
            new &= gpus[i] != gpu
        if new:
            gpus[drawn] = gpu
            drawn += 1
    return gpus


@compiled
def _reassign_slots(
    state: State, weights: Floats, gpus: Ints, each: int, work: Ints, random: np.random.Generator
) -> bool:
    """Reassign `each` slots of each of `gpus` if that lowers the value; whether it did."""
    table, replica_loads, load, distinct = state.slots, state.replica_loads, state.gpu_loads, state.distinct
    num, size = gpus.size, table.shape[1]
    num_windows = load.shape[1]
    # Loops rather than arrays, here and below: these take the compiler less.
    assigned, base = np.empty(num * each, dtype=np.int64), np.empty((num, num_windows))
    for place in range(num):
        gpu = gpus[place]
        if each < size:
            shuffle(table[gpu], random)
        for k in range(num_windows):
            base[place, k] = load[gpu, k]
        for i in range(each):
            assigned[place * each + i] = table[gpu, i]
            for k in range(num_windows):
                base[place, k] -= replica_loads[table[gpu, i], k]
    # Heaviest first; replicas of one expert follow each other.
    assigned = in_order(assigned, lightest_first(assigned))
    heat = np.empty(assigned.size)
    for i in range(assigned.size):
        total = 0.0
        for k in range(num_windows):
            total += replica_loads[assigned[i], k]
        heat[i] = -total
    assigned = in_order(assigned, lightest_first(heat))
    allowed = np.empty((assigned.size, num), dtype=np.bool_)
    for i in range(assigned.size):
        for place in range(num):
            allowed[i, place] = True
            if distinct:
                for other in range(each, size):
                    allowed[i, place] &= table[gpus[place], other] != assigned[i]
    rest, value = others_and_value(load, gpus, weights)
    gpu_of, left = np.empty(assigned.size, dtype=np.int64), np.empty(1, dtype=np.int64)
    nodes = min(work[0], _MOST_NODES)
    left[0] = nodes
    found = assign_windows(
        replica_loads, weights, assigned, allowed, base, rest, each == size, distinct, value, left, gpu_of
    )
    work[0] -= _NODES_PER_ASSIGNMENT + _NODES_PER_GPU * load.shape[0] + nodes - left[0]
    if not found:
        return False
    filled = np.zeros(num, dtype=np.int64)
    for place in range(num):
        for k in range(num_windows):
            load[gpus[place], k] = base[place, k]
    for i in range(assigned.size):
        place = gpu_of[i]
        table[gpus[place], filled[place]] = assigned[i]
        filled[place] += 1
        for k in range(num_windows):
            load[gpus[place], k] += replica_loads[assigned[i], k]
    return True


@compiled
def others_and_value(load: Floats, gpus: Ints, weights: Floats) -> tuple[Floats, float]:
    """What an assignment to some GPUs is valued with: the hottest load of other GPUs in each window, and the value now.

    Where only the hottest of all counts, others may be as hot: these GPUs are to be cooler by themselves, and the
    others count for nothing.
    """
    assigned, num_windows = np.zeros(load.shape[0], dtype=np.bool_), load.shape[1]
    for gpu in gpus:
        assigned[gpu] = True
    all_, rest = np.zeros(num_windows), np.zeros(num_windows)
    for gpu in range(load.shape[0]):
        if not assigned[gpu] and weights[0] == 0.0:
            continue
        for k in range(num_windows):
            all_[k] = max(all_[k], load[gpu, k])
            if not assigned[gpu]:
                rest[k] = max(rest[k], load[gpu, k])
    return rest, mean_or_largest(all_, weights)
