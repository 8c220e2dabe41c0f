"""Placement: a row of slots and what its GPUs carry, and changes that are valued before they are made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.shares import Sources, share_out
from eplb_opt.kernels.window_values import rank_window


class Placement(NamedTuple):
    """A row of slots, and what its GPUs carry; arrays change in place.

    Attributes
    ----------
    loads
        Load of each expert, shape ``(E, K)``.
    slots
        Expert in each slot, shape ``(slots,)``.
    counts
        Replicas of each expert, shape ``(E,)``.
    places
        Slots of each expert, increasing, shape ``(E, most replicas)``.
    parts
        Their shares in whole numbers, see `share_out`, shaped as `places`.
    gpu_loads
        Load of each GPU, shape ``(G, K)``: its tokens / its speed.
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
    parts, gpu_loads = np.zeros(places.shape, dtype=np.int64), np.zeros((sources.gpus, loads.shape[1]))
    p = Placement(loads, slots, counts, places, parts, gpu_loads, sources)
    for expert in range(num_experts):
        share_out(sources, places[expert, : counts[expert]], parts[expert])
    add_up(p)
    return p


@compiled
def slots_per_gpu(p: Placement) -> int:
    """Slots of one GPU, where all have equally many."""
    size: int = p.slots.size // p.sources.gpus
    return size


@compiled
def add_up(p: Placement) -> None:
    """Loads of GPUs from places and shares: sums of increments drift."""
    for gpu in range(p.gpu_loads.shape[0]):
        for k in range(p.gpu_loads.shape[1]):
            p.gpu_loads[gpu, k] = 0.0
    for expert in range(p.counts.size):
        _carry(p, expert, 1.0)


@compiled
def _carry(p: Placement, expert: Index, sign: float) -> None:
    """Put the load of an expert on its GPUs, or with a `sign` of -1 take it off."""
    n, sources = p.counts[expert], p.sources
    for i in range(n):
        gpu = sources.gpu_of[p.places[expert, i]]
        share = sign * p.parts[expert, i] / (sources.gpus * n) * sources.slowness[gpu]
        for k in range(p.loads.shape[1]):
            p.gpu_loads[gpu, k] += share * p.loads[expert, k]


class Change(NamedTuple):
    """What a proposal would change; arrays are filled again for each.

    Attributes
    ----------
    places, parts
        Slots of expert a and of expert b afterwards, and their shares, shape ``(2, most replicas)``.
    counts
        Replicas of both, shape ``(2,)``.
    gpus
        GPUs that carry a or b before or afterwards, shape ``(G,)``, of which `touched` count.
    more
        The shares of a and of b that these carry more then, / their speeds, shape ``(G, 2)``.
    touched
        How many GPUs that are, shape ``(1,)``.
    place
        Where a GPU is among `gpus`, shape ``(G,)``; -1 where it is not.
    """

    places: Ints
    parts: Ints
    counts: Ints
    gpus: Ints
    more: Floats
    touched: Ints
    place: Ints


@compiled
def change_of(p: Placement) -> Change:
    """Room for the changes of a placement."""
    shape, gpus = (2, p.places.shape[1]), p.sources.gpus
    return Change(
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
        np.zeros(gpus, dtype=np.int64),
        np.zeros((gpus, 2)),
        np.zeros(1, dtype=np.int64),
        # Not a loop, which would make annealing a third slower.
        np.full(gpus, -1),
    )


@compiled
def propose(p: Placement, c: Change, slot: Index, other: Index, transfers: bool) -> None:
    """Two slots exchange their experts a and b, or only `slot`, which has a, gets what the other has."""
    for j in range(c.touched[0]):
        c.place[c.gpus[j]] = -1
    c.touched[0] = 0
    a, b = p.slots[slot], p.slots[other]
    if not transfers and p.counts[a] == 1 and p.counts[b] == 1:
        _exchange(p, c, slot, other)
        return
    # A loop, as a kernel is compiled once more for each number that is written as an argument.
    for row in range(2):
        if row == 0:
            _list(p, c, row, a, slot, -1 if transfers else other)
        else:
            _list(p, c, row, b, -1 if transfers else other, slot)


@compiled
def _exchange(p: Placement, c: Change, slot: Index, other: Index) -> None:
    """Two experts with one replica each, as most are."""
    for row in range(2):
        c.counts[row] = 1
        c.parts[row, 0] = p.sources.gpus
        c.places[row, 0] = (other, slot)[row]
        gpu = p.sources.gpu_of[(slot, other)[row]]
        c.gpus[row], c.place[gpu] = gpu, row
        slowness = p.sources.slowness[gpu]
        c.more[row, row], c.more[row, 1 - row] = -slowness, slowness
    c.touched[0] = 2


@compiled
def _list(p: Placement, c: Change, row: Index, expert: Index, leaves: Index, enters: Index) -> None:
    """Slots and shares of an expert that leaves one slot and enters another, -1 for none; and what GPUs carry more."""
    n, before = 0, p.counts[expert]
    for i in range(before):
        slot = p.places[expert, i]
        _weigh(p, c, row, slot, -p.parts[expert, i] / (p.sources.gpus * before))
        if 0 <= enters < slot:
            c.places[row, n] = enters
            n, enters = n + 1, np.int64(-1)
        if slot != leaves:
            c.places[row, n] = slot
            n += 1
    if enters >= 0:
        c.places[row, n] = enters
        n += 1
    c.counts[row] = n
    share_out(p.sources, c.places[row, :n], c.parts[row])
    for i in range(n):
        _weigh(p, c, row, c.places[row, i], c.parts[row, i] / (p.sources.gpus * n))


@compiled
def _weigh(p: Placement, c: Change, row: Index, slot: Index, share: float) -> None:
    gpu = p.sources.gpu_of[slot]
    j = c.place[gpu]
    if j < 0:
        j = c.touched[0]
        c.place[gpu], c.gpus[j] = j, gpu
        c.more[j, 0] = c.more[j, 1] = 0.0
        c.touched[0] += 1
    c.more[j, row] += share * p.sources.slowness[gpu]


@compiled
def value_after(p: Placement, c: Change, top: Ints, weights: Floats, slot: Index, other: Index, limit: float) -> float:
    """The value once what is proposed for two slots is done; infinite where it is above `limit`."""
    a, b = p.slots[slot], p.slots[other]
    mean = largest = 0.0
    for k in range(weights.size):
        new, scan = -1.0, True
        for rank in range(3):
            gpu = top[k, rank]
            if c.place[gpu] < 0:
                new, scan = p.gpu_loads[gpu, k], False
                break
        if scan:
            for gpu in range(p.sources.gpus):
                if c.place[gpu] < 0:
                    new = max(new, p.gpu_loads[gpu, k])
        w_a, w_b = p.loads[a, k], p.loads[b, k]
        for j in range(c.touched[0]):
            new = max(new, p.gpu_loads[c.gpus[j], k] + c.more[j, 0] * w_a + c.more[j, 1] * w_b)
        mean += weights[k] * new
        largest = max(largest, new)
        if (mean if weights[0] > 0.0 else largest) > limit:
            return np.inf
    return mean if weights[0] > 0.0 else largest


@compiled
def accept(p: Placement, c: Change, top: Ints, slot: Index, other: Index, transfers: bool) -> None:
    """Do what is proposed, and rank the GPUs again."""
    make(p, c, slot, other, transfers)
    for k in range(top.shape[0]):
        # The third is ranked with what it has now: where it changed, there is a new rank anyway.
        least, again = p.gpu_loads[top[k, 2], k], False
        for j in range(c.touched[0]):
            gpu = c.gpus[j]
            again |= p.gpu_loads[gpu, k] > least or gpu == top[k, 0] or gpu == top[k, 1] or gpu == top[k, 2]
        if again:
            rank_window(p.gpu_loads, top, k)


@compiled
def make(p: Placement, c: Change, slot: Index, other: Index, transfers: bool) -> None:
    """Do what is proposed."""
    a, b = p.slots[slot], p.slots[other]
    for j in range(c.touched[0]):
        gpu = c.gpus[j]
        for k in range(p.gpu_loads.shape[1]):
            p.gpu_loads[gpu, k] += c.more[j, 0] * p.loads[a, k] + c.more[j, 1] * p.loads[b, k]
    for row in range(2):
        expert, n = (a, b)[row], c.counts[row]
        p.counts[expert] = n
        for i in range(n):
            p.places[expert, i], p.parts[expert, i] = c.places[row, i], c.parts[row, i]
    p.slots[slot] = b
    if not transfers:
        p.slots[other] = a
