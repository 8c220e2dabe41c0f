"""Annealing where replicas of an expert do not share its load evenly: exchanges of slots and transfers of replicas."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.shares import Sources, share_out
from eplb_opt.kernels.window_values import hottest, rank_all, value_of

# As in `eplb_opt.kernels.annealing`.
_TRANSFERS, _FOCUSED, _NEAR = 0.1, 0.5, 0.8
_FRESH = 10_000
_LEVEL = 100


class Placement(NamedTuple):
    """A row of slots, and what its GPUs carry; arrays change in place.

    Attributes
    ----------
    loads
        Load of each expert, shape ``(E, K)``.
    slots
        Expert in each slot, shape ``(G * S,)``.
    counts
        Replicas of each expert, shape ``(E,)``.
    places
        Slots of each expert, increasing, shape ``(E, most replicas)``.
    parts
        Their shares in whole numbers, see `share_out`, shaped as `places`.
    gpu_loads
        Load of each GPU, shape ``(G, K)``.
    sources
        Who asks.
    """

    loads: Floats
    slots: Ints
    counts: Ints
    places: Ints
    parts: Ints
    gpu_loads: Floats
    sources: Sources


@compiled
def placement_of(loads: Floats, slots: Ints, sources: Sources, max_replicas: int) -> Placement:
    """The placement of a row of slots, which it holds itself: its changes are changes of `slots`."""
    num_experts = loads.shape[0]
    counts = np.zeros(num_experts, dtype=np.int64)
    places = np.zeros((num_experts, max_replicas), dtype=np.int64)
    for slot in range(slots.size):
        expert = slots[slot]
        places[expert, counts[expert]] = slot
        counts[expert] += 1
    parts, gpu_loads = np.zeros_like(places), np.zeros((sources.gpus, loads.shape[1]))
    p = Placement(loads, slots, counts, places, parts, gpu_loads, sources)
    for expert in range(num_experts):
        share_out(sources, places[expert, : counts[expert]], parts[expert])
    add_up(p)
    return p


@compiled
def add_up(p: Placement) -> None:
    """Loads of GPUs from places and shares: sums of increments drift."""
    p.gpu_loads[:] = 0.0
    for expert in range(p.counts.size):
        _carry(p, expert, 1.0)


@compiled
def _carry(p: Placement, expert: Index, sign: float) -> None:
    """Put the load of an expert on its GPUs, or with a `sign` of -1 take it off."""
    n, sources = p.counts[expert], p.sources
    for i in range(n):
        gpu = p.places[expert, i] // sources.slots_per_gpu
        share = sign * p.parts[expert, i] / (sources.gpus * n)
        for k in range(p.loads.shape[1]):
            p.gpu_loads[gpu, k] += share * p.loads[expert, k]


@compiled
def _put(p: Placement, slot: Index, expert: Index) -> None:
    """A slot gets an expert in place of the one that it has; loads are not looked at."""
    _leave(p, p.slots[slot], slot)
    _enter(p, expert, slot)
    p.slots[slot] = expert


@compiled
def _leave(p: Placement, expert: Index, slot: Index) -> None:
    n = p.counts[expert]
    i = 0
    while p.places[expert, i] != slot:
        i += 1
    for j in range(i, n - 1):
        p.places[expert, j] = p.places[expert, j + 1]
    p.counts[expert] = n - 1


@compiled
def _enter(p: Placement, expert: Index, slot: Index) -> None:
    i = p.counts[expert]
    while i > 0 and p.places[expert, i - 1] > slot:
        p.places[expert, i] = p.places[expert, i - 1]
        i -= 1
    p.places[expert, i] = slot
    p.counts[expert] += 1


@compiled
def _change(p: Placement, slot: Index, other: Index, transfers: bool) -> None:
    """Slots exchange their experts, or `slot` gets one more replica of what `other` has; loads follow."""
    a, b = p.slots[slot], p.slots[other]
    _take_off(p, a, b)
    _put(p, slot, b)
    if not transfers:
        _put(p, other, a)
    _put_on(p, a, b)


@compiled
def _turn_back(p: Placement, slot: Index, expert: Index) -> None:
    """A slot gets back the expert that it had before a transfer."""
    now = p.slots[slot]
    _take_off(p, expert, now)
    _put(p, slot, expert)
    _put_on(p, expert, now)


@compiled
def _take_off(p: Placement, a: Index, b: Index) -> None:
    _carry(p, a, -1.0)
    _carry(p, b, -1.0)


@compiled
def _put_on(p: Placement, a: Index, b: Index) -> None:
    for expert in (a, b):
        share_out(p.sources, p.places[expert, : p.counts[expert]], p.parts[expert])
        _carry(p, expert, 1.0)


@compiled
def _doubles(p: Placement, gpu: Index, expert: Index) -> bool:
    found = False
    for i in range(p.counts[expert]):
        found |= p.places[expert, i] // p.sources.slots_per_gpu == gpu
    return found


@compiled
def value_after_exchange_of_singles(
    p: Placement, top: Ints, weights: Floats, slot: Index, other: Index, limit: float
) -> float:
    """The value once two slots exchange the only replicas of their experts; infinite where it is above `limit`."""
    g, h = slot // p.sources.slots_per_gpu, other // p.sources.slots_per_gpu
    a, b = p.slots[slot], p.slots[other]
    mean = largest = 0.0
    for k in range(p.gpu_loads.shape[1]):
        more = p.loads[a, k] - p.loads[b, k]
        new = max(p.gpu_loads[g, k] - more, p.gpu_loads[h, k] + more)
        for rank in range(3):
            gpu = top[k, rank]
            if gpu != g and gpu != h:
                new = max(new, p.gpu_loads[gpu, k])
                break
        mean += weights[k] * new
        largest = max(largest, new)
        if (mean if weights[0] > 0.0 else largest) > limit:
            return np.inf
    return mean if weights[0] > 0.0 else largest


@compiled
def anneal_dispatched(
    p: Placement,
    weights: Floats,
    nearest: Ints,
    best: Ints,
    gpus_per_node: int,
    distinct: bool,
    hot: float,
    cold: float,
    proposals: int,
    random: Any,
) -> float:
    """Lower the weighted mean over windows of the hottest GPU's load; `best` ends as the best row of slots.

    As `eplb_opt.kernels.annealing.anneal`, with all its arguments, where a replica carries its share by a rule of
    dispatch. Most experts have one replica, and an exchange of two of these is valued without being made.
    """
    size, num_gpus = p.sources.slots_per_gpu, p.sources.gpus
    best[:] = p.slots
    top = np.zeros((weights.size, 3), dtype=np.int64)
    rank_all(p.gpu_loads, top)
    value = value_of(p.gpu_loads, top, weights)
    least = value
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
        g = hottest(p.gpu_loads, top, weights, random) if random.random() < _FOCUSED else random.integers(0, num_gpus)
        slot = g * size + random.integers(0, size)
        a = p.slots[slot]
        transfers = random.random() < _TRANSFERS
        if not transfers and random.random() < near:
            b = nearest[a, int(np.exp(random.random() * ranks)) - 1]
            other = p.places[b, random.integers(0, p.counts[b])]
        else:
            h = g - g % gpus_per_node + random.integers(0, gpus_per_node)
            other = h * size + random.integers(0, size)
            b = p.slots[other]
        h = other // size
        # The one slot of a transfer gets a replica of what the other has: either may be the hot one.
        if transfers and random.random() < 0.5:
            slot, other, a, b, g, h = other, slot, b, a, h, g
        if g == h or a == b or (distinct and _doubles(p, g, b)):
            continue
        if transfers:
            if p.counts[a] < 2 or p.counts[b] >= p.places.shape[1]:
                continue
        elif distinct and _doubles(p, h, a):
            continue
        # A rise by d is below the limit with probability exp(-d / temperature).
        limit = value - temperature * np.log(1.0 - random.random())
        alone = not transfers and p.counts[a] == 1 and p.counts[b] == 1
        if alone and value_after_exchange_of_singles(p, top, weights, slot, other, limit) > limit:
            continue
        _change(p, slot, other, transfers)
        rank_all(p.gpu_loads, top)
        new = value_of(p.gpu_loads, top, weights)
        if new > limit and not alone:
            if transfers:
                _turn_back(p, slot, a)
            else:
                _change(p, slot, other, False)
            rank_all(p.gpu_loads, top)
            continue
        accepted += 1
        if accepted % _FRESH == 0:
            add_up(p)
            rank_all(p.gpu_loads, top)
            new = value_of(p.gpu_loads, top, weights)
        value = new
        if value < least:
            least = value
            best[:] = p.slots
    return float(least)
