"""Packs: the published rules by which groups go to nodes and replicas to GPUs, equally many to each."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.packing import pack_lightest
from eplb_opt.heuristics.parts import DIVERSE, DIVERSE_TIE, IN_ORDER, ROUNDS, SNAKE, Packing
from eplb_opt.heuristics.refinement import exchange_extremes
from eplb_opt.kernels.compiler import Floats, Ints, compiled
from eplb_opt.kernels.order import heaviest_first, lightest_first

# Of the mean item: packs whose loads differ by less are equal to `DIVERSE_TIE`.
_TIE = 1e-6


@compiled
def pack_items(weight: Floats, owner: Ints, num_packs: int, packing: Packing) -> Ints:
    """Items of each pack, shape ``(packs, items / packs)``: items have a weight, and copies of each other an owner.

    Ties go to the lower item and the lower pack.
    """
    order = heaviest_first(weight)
    if packing.rule == IN_ORDER:
        table = np.arange(weight.size).reshape(num_packs, weight.size // num_packs)
    elif packing.rule == SNAKE:
        table = _snake(order, num_packs)
    elif packing.rule == ROUNDS:
        table = _rounds(order, weight, num_packs)
    elif packing.rule == DIVERSE or packing.rule == DIVERSE_TIE:
        table = _diverse(order, weight, owner, num_packs, packing.rule == DIVERSE_TIE)
    else:
        table = pack_lightest(order, weight, num_packs)
    exchange_extremes(table, weight, packing)
    return table


@compiled
def _snake(order: Ints, num_packs: int) -> Ints:
    """The i-th item of each pack, forth in even rounds and back in odd ones."""
    table = np.empty((num_packs, order.size // num_packs), dtype=np.int64)
    for i in range(order.size):
        place, pack = i // num_packs, i % num_packs
        table[num_packs - 1 - pack if place % 2 else pack, place] = order[i]
    return table


@compiled
def _rounds(order: Ints, weight: Floats, num_packs: int) -> Ints:
    """In each round the heaviest item left to the lightest pack, the next to the next."""
    size = order.size // num_packs
    table = np.empty((num_packs, size), dtype=np.int64)
    load = np.zeros(num_packs)
    for place in range(size):
        ranks = lightest_first(load)
        for rank in range(num_packs):
            pack = ranks[rank]
            item = order[place * num_packs + rank]
            table[pack, place] = item
            load[pack] += weight[item]
    return table


@compiled
def _diverse(order: Ints, weight: Floats, owner: Ints, num_packs: int, ties: bool) -> Ints:
    """Each item to the pack with the fewest copies of its owner, then the lightest; with `ties` the other way round."""
    size = order.size // num_packs
    table = np.empty((num_packs, size), dtype=np.int64)
    used = np.zeros(num_packs, dtype=np.int64)
    load = np.zeros(num_packs)
    copies = np.zeros((num_packs, owner[np.argmax(owner)] + 1), dtype=np.int64)
    near = _TIE * (weight.sum() / weight.size)
    for item in order:
        expert, best, lightest = owner[item], -1, np.inf
        for pack in range(num_packs):
            if used[pack] < size:
                lightest = min(lightest, load[pack])
        for pack in range(num_packs):
            if used[pack] == size or (ties and load[pack] > lightest + near):
                continue
            fewer = best < 0 or copies[pack, expert] < copies[best, expert]
            if fewer or (copies[pack, expert] == copies[best, expert] and load[pack] < load[best]):
                best = pack
        table[best, used[best]] = item
        used[best] += 1
        load[best] += weight[item]
        copies[best, expert] += 1
    return table
