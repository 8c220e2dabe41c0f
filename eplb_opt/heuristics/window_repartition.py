"""Repartition for several windows: the slots of a hot GPU and of one or two others are dealt anew, by exact search."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.annealing import anneal
from eplb_opt.heuristics.kernels import Bools, Floats, Index, Ints, compiled
from eplb_opt.heuristics.window_values import hottest, mean_or_largest, rank_all, refresh, value_of

# A pair of GPUs is dealt up to 9 slots of each: 24,310 deals. Of few slots a pair has too few deals, and three take
# part: 5,775 deals of 4 slots each (twice and six times as many where the GPUs hold other slots too).
_MOST_OF_PAIR, _MOST_OF_THREE = 9, 4
# A round: so many proposals of annealing, so much colder at their end, and deals.
_PROPOSALS, _COOLING, _DEALS = 1_000, 1 / 30, 40
# Nodes of the search for one deal.
_MOST_NODES = 20_000
# What a round counts for besides its nodes, a deal, and each GPU that a deal looks at.
_NODES_PER_ROUND, _NODES_PER_DEAL, _NODES_PER_GPU = 5_000, 100, 2
# A value has to fall by more than rounding.
_LESS = 1.0 - 1e-12


@compiled
def repartition_windows(
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

    A round shakes the table by a short annealing, hardly warm, and then deals the slots of the hottest GPU of a window
    and of one or two random GPUs of its node anew, again and again: the best deal within `_MOST_NODES` of a depth-first
    search, where what is dealt already has to leave the value below the best. Of GPUs with many slots a random part is
    dealt. `temperature` is in mean GPU loads. Ends after about `nodes` nodes of search.
    """
    num_gpus, size = slots.shape
    num = min(2 if size > _MOST_OF_THREE else 3, gpus_per_node)
    if num < 2 or size < 2:
        return
    each = min(size, _MOST_OF_PAIR if num == 2 else _MOST_OF_THREE)
    budget = np.full(1, nodes)
    table, scratch = np.empty_like(slots), np.empty_like(slots)
    counts, share = np.empty(w.shape[0], dtype=np.int64), np.empty(w.shape)
    load, top = np.empty((num_gpus, w.shape[1])), np.empty((w.shape[1], 3), dtype=np.int64)
    least = np.inf
    while budget[0] > 0:
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
                temperature,
                cold,
                _PROPOSALS,
                random,
            )
        refresh(w, table, counts, share, load, top)
        if least == np.inf:
            least = value_of(load, top, weights)
        for _ in range(_DEALS):
            gpus = _partners(hottest(load, top, weights, random), num, gpus_per_node, random)
            if _deal_anew(share, weights, table, load, gpus, each, distinct, budget, random):
                rank_all(load, top)
        budget[0] -= _NODES_PER_ROUND
        value = value_of(load, top, weights)
        if value < least * _LESS:
            least = value
            slots[:] = table


@compiled
def _partners(hot: Index, num: int, gpus_per_node: int, random: np.random.Generator) -> Ints:
    """GPU `hot` and others of its node."""
    first = hot - hot % gpus_per_node
    gpus = np.empty(num, dtype=np.int64)
    gpus[0] = hot
    drawn = 1
    while drawn < num:
        gpu = first + random.integers(0, gpus_per_node)
        if not (gpus[:drawn] == gpu).any():
            gpus[drawn] = gpu
            drawn += 1
    return gpus


@compiled
def _deal_anew(
    share: Floats,
    weights: Floats,
    table: Ints,
    load: Floats,
    gpus: Ints,
    each: int,
    distinct: bool,
    budget: Ints,
    random: np.random.Generator,
) -> bool:
    """Deal `each` slots of each of `gpus` anew if that lowers the value; whether it did."""
    num, size = gpus.size, table.shape[1]
    dealt = np.empty(num * each, dtype=np.int64)
    base = load[gpus]
    for place in range(num):
        row = table[gpus[place]]
        if each < size:
            random.shuffle(row)
        for i in range(each):
            dealt[place * each + i] = row[i]
            base[place] -= share[row[i]]
    # Heaviest first; replicas of one expert follow each other.
    dealt = dealt[np.argsort(dealt, kind="mergesort")]
    heat = np.empty(dealt.size)
    for i in range(dealt.size):
        heat[i] = -share[dealt[i]].sum()
    dealt = dealt[np.argsort(heat, kind="mergesort")]
    allowed = np.ones((dealt.size, num), dtype=np.bool_)
    if distinct and each < size:
        for i in range(dealt.size):
            for place in range(num):
                allowed[i, place] = not (table[gpus[place], each:] == dealt[i]).any()
    rest, value = _elsewhere(load, weights, gpus)
    gpu_of = np.empty(dealt.size, dtype=np.int64)
    budget[0] -= _NODES_PER_DEAL + _NODES_PER_GPU * load.shape[0]
    if not _deal(share, weights, dealt, allowed, base, rest, each, each == size, distinct, value, budget, gpu_of):
        return False
    load[gpus] = base
    filled = np.zeros(num, dtype=np.int64)
    for i in range(dealt.size):
        place = gpu_of[i]
        table[gpus[place], filled[place]] = dealt[i]
        load[gpus[place]] += share[dealt[i]]
        filled[place] += 1
    return True


@compiled
def _elsewhere(load: Floats, weights: Floats, gpus: Ints) -> tuple[Floats, float]:
    """The hottest load of each window on other GPUs, shape ``(windows,)``, and the value with all of them."""
    dealt = np.zeros(load.shape[0], dtype=np.bool_)
    dealt[gpus] = True
    rest, hot = np.zeros(load.shape[1]), np.zeros(load.shape[1])
    for gpu in range(load.shape[0]):
        for k in range(load.shape[1]):
            hot[k] = max(hot[k], load[gpu, k])
            if not dealt[gpu]:
                rest[k] = max(rest[k], load[gpu, k])
    return rest, mean_or_largest(hot, weights)


@compiled
def _deal(
    share: Floats,
    weights: Floats,
    dealt: Ints,
    allowed: Bools,
    base: Floats,
    rest: Floats,
    each: int,
    alike: bool,
    distinct: bool,
    limit: float,
    budget: Ints,
    gpu_of: Ints,
) -> bool:
    """Into `gpu_of` the GPU of each replica in `dealt`, in the best deal found; whether there is one below `limit`.

    ``share[e, k]`` is the replica load of expert e in window k. GPU g begins with the loads ``base[g, k]`` and takes
    `each` replicas, of those ``allowed[i, g]``; ``rest[k]`` is the hottest load of other GPUs. Where no GPU holds
    anything else they are `alike`, and a replica goes to the first empty one only.
    """
    num, num_windows = base.shape
    load, used = base.copy(), np.zeros(num, dtype=np.int64)
    # Hottest loads once so many replicas are dealt.
    top = np.empty((dealt.size + 1, num_windows))
    for k in range(num_windows):
        top[0, k] = max(rest[k], base[:, k].max())
    now = np.full(dealt.size + 1, -1, dtype=np.int64)
    best, found, left, depth = limit, False, min(_MOST_NODES, budget[0]), 0
    first_left = left
    while depth >= 0 and left > 0:
        if depth == dealt.size:
            best, found = mean_or_largest(top[depth], weights), True
            gpu_of[:] = now[:depth]
            depth -= 1
            continue
        expert = dealt[depth]
        gpu = now[depth]
        if gpu >= 0:
            used[gpu] -= 1
            load[gpu] -= share[expert]
        # Beyond a GPU that is empty again all are empty, and would only repeat what was found with this one.
        gpu = num if alike and gpu >= 0 and used[gpu] == 0 else gpu + 1
        twin = depth > 0 and dealt[depth - 1] == expert
        if twin:
            # Replicas of one expert are alike: their GPUs ascend.
            gpu = max(gpu, now[depth - 1] + (1 if distinct else 0))
        while gpu < num:
            left -= 1
            if used[gpu] < each and allowed[depth, gpu]:
                for k in range(num_windows):
                    top[depth + 1, k] = max(top[depth, k], load[gpu, k] + share[expert, k])
                if mean_or_largest(top[depth + 1], weights) < best * _LESS:
                    break
            if alike and used[gpu] == 0:
                gpu = num
            gpu += 1
        if gpu < num:
            now[depth] = gpu
            used[gpu] += 1
            load[gpu] += share[expert]
            depth += 1
            now[depth] = -1
        else:
            now[depth] = -1
            depth -= 1
    budget[0] -= first_left - left
    return found
