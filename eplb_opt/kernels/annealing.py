"""Annealing for several windows: random exchanges of slots and transfers of replicas, sometimes for the worse."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.rows import copy_table
from eplb_opt.kernels.state import add_up, exchange, state_of, transfer
from eplb_opt.kernels.window_values import (
    floor_of,
    hottest,
    rank_again,
    rank_all,
    value_after_exchange,
    value_after_transfer,
    value_of,
)

# Share of the proposals that begin at the hottest GPU of some window, and of exchanges those with a neighbour.
_FOCUSED, _NEAR = 0.5, 0.8
# Sums of increments drift: after so many accepted moves they start again from the table itself.
_FRESH = 10_000
# Proposals at one temperature.
_LEVEL = 100


@compiled
def anneal(
    w: Floats,
    weights: Floats,
    nearest: Ints,
    slots: Ints,
    best: Ints,
    gpus_per_node: int,
    max_replicas: int,
    distinct: bool,
    transfers: float,
    hot: float,
    cold: float,
    proposals: int,
    random: np.random.Generator,
) -> float:
    """Lower the weighted mean over windows of the hottest GPU's load; `best` ends as the best table found.

    ``w[e, k]`` is the load of expert e in window k, each window divided by its mean GPU load; `weights` of windows sum
    to 1, and where all of them are 0 the largest over windows counts instead. A share of the proposals are `transfers`
    of a replica from one expert to another, the others exchanges; both stay within nodes of `gpus_per_node`. Most
    exchanges are with a neighbour, ``nearest[e]`` being those of expert e, the nearest first and proposed most: what
    differs little fits where an arbitrary expert would be too hot in some window. A move that raises the value by d is
    made with probability exp(-d / temperature), which falls from `hot` to `cold` in `proposals` proposals; `slots` ends
    as the last table, to go on from. For every window the three hottest GPUs are kept, so that an exchange is valued in
    a time that depends on the windows alone, and given up at the first window that makes it too bad.

    Returns the value of `best`, never above that of the table given but for rounding.
    Source: S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671-680 (1983),
    https://doi.org/10.1126/science.220.4598.671.
    """
    num_gpus, size = slots.shape
    num_windows = w.shape[1]
    copy_table(slots, best)
    state = state_of(w, slots, max_replicas, distinct)
    counts, holds, load = state.counts, state.holds, state.gpu_loads
    places, replica = _places(slots, w.shape[0], max_replicas)
    top = np.zeros((num_windows, 3), dtype=np.int64)
    rank_all(load, top)
    marks = np.zeros(num_gpus, dtype=np.int64)
    value = value_of(load, top, weights)
    least = value
    if num_gpus < 2:
        return float(value)
    floor = floor_of(load, top, weights)
    temperature = hot
    cooling = (cold / hot) ** (_LEVEL / max(proposals, _LEVEL))
    near = _NEAR if nearest.shape[1] else 0.0
    ranks = np.log(nearest.shape[1] + 1.0)
    accepted = 0
    for proposal in range(1, proposals + 1):
        if proposal % _LEVEL == 0:
            temperature *= cooling
        g = hottest(load, top, weights, random) if random.random() < _FOCUSED else draw(random, num_gpus)
        i = draw(random, size)
        a = slots[g, i]
        transferred = random.random() < transfers
        if not transferred and random.random() < near:
            b = nearest[a, int(np.exp(random.random() * ranks)) - 1]
            slot = places[b, draw(random, counts[b])]
            h, j = slot // size, slot % size
        else:
            h = g - g % gpus_per_node + draw(random, gpus_per_node)
            j = draw(random, size)
            b = slots[h, j]
        if g == h or a == b or (distinct and holds[h, a]):
            continue
        # A rise by d is below the limit with probability exp(-d / temperature).
        limit = value - temperature * np.log(1.0 - random.random())
        if transferred:
            if counts[b] < 2 or counts[a] >= max_replicas:
                continue
            new = value_after_transfer(state, top, weights, marks, proposal, h, a, b)
        else:
            if distinct and holds[g, b]:
                continue
            new = value_after_exchange(state, top, weights, g, h, a, b, floor, limit)
        if new > limit:
            continue
        if transferred:
            _move_place(places, replica, counts, h * size + j, a, b)
            transfer(state, h, j, a)
            rank_all(load, top)
        else:
            _swap_places(places, replica, g * size + i, h * size + j, a, b)
            exchange(state, g, i, h, j)
            rank_again(load, top, g, h)
        accepted += 1
        if accepted % _FRESH == 0:
            add_up(state)
            rank_all(load, top)
            new = value_of(load, top, weights)
        value = new
        floor = floor_of(load, top, weights)
        if value < least:
            least = value
            copy_table(slots, best)
    return float(least)


@compiled
def _places(slots: Ints, num_experts: int, max_replicas: int) -> tuple[Ints, Ints]:
    """Replica r of expert e is in slot ``places[e, r]``, and the slot knows r."""
    places, replica = np.empty((num_experts, max_replicas), dtype=np.int64), np.empty(slots.size, dtype=np.int64)
    listed = np.zeros(num_experts, dtype=np.int64)
    for slot in range(slots.size):
        expert = slots[slot // slots.shape[1], slot % slots.shape[1]]
        places[expert, listed[expert]], replica[slot] = slot, listed[expert]
        listed[expert] += 1
    return places, replica


@compiled
def _swap_places(places: Ints, replica: Ints, slot: Index, other: Index, a: Index, b: Index) -> None:
    """The replicas of a in `slot` and of b in the other one change places."""
    places[a, replica[slot]], places[b, replica[other]] = other, slot
    replica[slot], replica[other] = replica[other], replica[slot]


@compiled
def _move_place(places: Ints, replica: Ints, counts: Ints, slot: Index, a: Index, b: Index) -> None:
    """A slot that had a replica of b gets one more of a; `counts` are those before."""
    last = places[b, counts[b] - 1]
    places[b, replica[slot]], replica[last] = last, replica[slot]
    places[a, counts[a]], replica[slot] = slot, counts[a]
