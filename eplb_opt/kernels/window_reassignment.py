"""Reassignment for several windows: the slots of a hot GPU and of a few others are reassigned, by exact search."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.annealing import anneal
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.order import lightest_first
from eplb_opt.kernels.rows import copy_table
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


@compiled
def reassign_windows(
    w: Floats,
    weights: Floats,
    nearest: Ints,
    slots: Ints,
    gpus_per_node: int,
    max_replicas: int,
    distinct: bool,
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
    work = np.full(1, nodes)
    table, scratch = np.empty_like(slots), np.empty_like(slots)
    top = np.empty((w.shape[1], 3), dtype=np.int64)
    least = np.inf
    while work[0] > 0:
        copy_table(slots, table)
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
                temperature,
                cold,
                _PROPOSALS,
                random,
            )
        state = state_of(w, table, max_replicas, distinct)
        load = state.gpu_loads
        rank_all(load, top)
        if least == np.inf:
            least = value_of(load, top, weights)
        for _ in range(_ASSIGNMENTS):
            gpus = partners(hottest(load, top, weights, random), num, gpus_per_node, random)
            if _reassign_slots(state, weights, gpus, each, work, random):
                rank_all(load, top)
        work[0] -= _NODES_PER_ROUND
        value = value_of(load, top, weights)
        if value <= least:
            least = value
            copy_table(table, slots)


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
    assigned = np.empty(num * each, dtype=np.int64)
    base = load[gpus]
    for place in range(num):
        row = table[gpus[place]]
        if each < size:
            shuffle(row, random)
        for i in range(each):
            assigned[place * each + i] = row[i]
            base[place] -= replica_loads[row[i]]
    # Heaviest first; replicas of one expert follow each other.
    assigned = assigned[lightest_first(assigned)]
    heat = np.empty(assigned.size)
    for i in range(assigned.size):
        heat[i] = -replica_loads[assigned[i]].sum()
    assigned = assigned[lightest_first(heat)]
    allowed = np.ones((assigned.size, num), dtype=np.bool_)
    if distinct and each < size:
        for i in range(assigned.size):
            for place in range(num):
                allowed[i, place] = not (table[gpus[place], each:] == assigned[i]).any()
    here, rest = hottest_loads(load, gpus)
    if weights[0] == 0.0:
        # Where only the hottest of all counts, others may be as hot: these GPUs are to be cooler by themselves.
        rest[:] = 0.0
    value = mean_or_largest(np.maximum(here, rest), weights)
    gpu_of = np.empty(assigned.size, dtype=np.int64)
    nodes = min(work[0], _MOST_NODES)
    left = np.full(1, nodes)
    found = assign_windows(
        replica_loads, weights, assigned, allowed, base, rest, each == size, distinct, value, left, gpu_of
    )
    work[0] -= _NODES_PER_ASSIGNMENT + _NODES_PER_GPU * load.shape[0] + nodes - left[0]
    if not found:
        return False
    load[gpus] = base
    filled = np.zeros(num, dtype=np.int64)
    for i in range(assigned.size):
        place = gpu_of[i]
        table[gpus[place], filled[place]] = assigned[i]
        load[gpus[place]] += replica_loads[assigned[i]]
        filled[place] += 1
    return True


@compiled
def hottest_loads(load: Floats, gpus: Ints) -> tuple[Floats, Floats]:
    """The hottest load of each window on some GPUs, and on the others, both of shape ``(windows,)``."""
    assigned = np.zeros(load.shape[0], dtype=np.bool_)
    assigned[gpus] = True
    here, rest = np.zeros(load.shape[1]), np.zeros(load.shape[1])
    for gpu in range(load.shape[0]):
        for k in range(load.shape[1]):
            if assigned[gpu]:
                here[k] = max(here[k], load[gpu, k])
            else:
                rest[k] = max(rest[k], load[gpu, k])
    return here, rest
