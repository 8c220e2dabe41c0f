"""Annealing where replicas of an expert do not share its load evenly: exchanges of slots and transfers of replicas."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.placement import Placement, accept, add_up, change_of, propose, value_after
from eplb_opt.kernels.rows import copy_row
from eplb_opt.kernels.window_values import hottest, rank_all, value_of

# As in `eplb_opt.kernels.annealing`.
_FOCUSED, _NEAR = 0.5, 0.8
_FRESH = 10_000
_LEVEL = 100


@compiled
def _doubles(p: Placement, gpu: Index, expert: Index) -> bool:
    found = False
    for i in range(p.counts[expert]):
        found |= p.sources.gpu_of[p.places[expert, i]] == gpu
    return found


@compiled
def anneal_dispatched(
    p: Placement,
    weights: Floats,
    nearest: Ints,
    best: Ints,
    gpus_per_node: int,
    distinct: bool,
    transfers: float,
    hot: float,
    cold: float,
    proposals: int,
    random: Any,
) -> float:
    """Lower the weighted mean over windows of the hottest GPU's load; `best` ends as the best row of slots.

    As `eplb_opt.kernels.annealing.anneal`, with all its arguments, where a replica carries its share by a rule of
    dispatch.
    """
    starts, num_gpus = p.sources.starts, p.sources.gpus
    copy_row(p.slots, best)
    top = np.zeros((weights.size, 3), dtype=np.int64)
    rank_all(p.gpu_loads, top)
    value = value_of(p.gpu_loads, top, weights)
    least, c = value, change_of(p)
    if num_gpus < 2:
        return float(value)
    temperature = hot
    cooling = (cold / hot) ** (_LEVEL / max(proposals, _LEVEL))
    near = _NEAR if nearest.shape[1] else 0.0
    ranks = np.log(nearest.shape[1] + 1.0)
    accepted = 0
    for proposal in range(1, proposals + 1):
        if proposal % _LEVEL == 0:
            temperature *= cooling
        g = hottest(p.gpu_loads, top, weights, random) if random.random() < _FOCUSED else draw(random, num_gpus)
        slot = starts[g] + draw(random, starts[g + 1] - starts[g])
        a = p.slots[slot]
        transferred = random.random() < transfers
        if not transferred and random.random() < near:
            b = nearest[a, int(np.exp(random.random() * ranks)) - 1]
            other = p.places[b, draw(random, p.counts[b])]
        else:
            h = g - g % gpus_per_node + draw(random, gpus_per_node)
            other = starts[h] + draw(random, starts[h + 1] - starts[h])
            b = p.slots[other]
        h = p.sources.gpu_of[other]
        # The one slot of a transfer gets a replica of what the other has: either may be the hot one.
        if transferred and random.random() < 0.5:
            slot, other, a, b, g, h = other, slot, b, a, h, g
        if g == h or a == b or (distinct and _doubles(p, g, b)):
            continue
        if transferred:
            if p.counts[a] < 2 or p.counts[b] >= p.places.shape[1]:
                continue
        elif distinct and _doubles(p, h, a):
            continue
        # A rise by d is below the limit with probability exp(-d / temperature).
        limit = value - temperature * np.log(1.0 - random.random())
        propose(p, c, slot, other, transferred)
        new = value_after(p, c, top, weights, slot, other, limit)
        if new > limit:
            continue
        accept(p, c, top, slot, other, transferred)
        accepted += 1
        if accepted % _FRESH == 0:
            add_up(p)
            rank_all(p.gpu_loads, top)
            new = value_of(p.gpu_loads, top, weights)
        value = new
        if value < least:
            least = value
            copy_row(p.slots, best)
    return float(least)
