"""Origin: the plan that runs, and what of it is still there while compiled code changes slots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Bools, Index, Ints, compiled
from eplb_opt.kernels.placement import Placement


class Origin(NamedTuple):
    """What ran before, and what of it is there.

    Attributes
    ----------
    held
        Whether a GPU held an expert, shape ``(G, E)``.
    homes, num_homes
        GPUs that held an expert, shape ``(E, most GPUs)``, and how many, shape ``(E,)``.
    order, num_held
        Experts that a GPU held, lightest first, shape ``(G, E)``, and how many, shape ``(G,)``.
    rank
        Place of an expert in the order of a GPU, shape ``(G, E)``.
    copies
        Copies of an expert on a GPU now, shape ``(G, E)``; changed in place, as are those below.
    moved, place, num_moved
        Slots whose GPU did not hold their expert, shape ``(G * S,)``, where in it each slot is, -1 if it is not, and
        how many there are, shape ``(1,)``.
    """

    held: Bools
    homes: Ints
    num_homes: Ints
    order: Ints
    num_held: Ints
    rank: Ints
    copies: Ints
    moved: Ints
    place: Ints
    num_moved: Ints


@compiled
def origin_of(p: Placement, old: Ints) -> Origin:
    """The origin of a placement whose GPUs held the experts in the slots `old`, negative where they held none."""
    shape = (p.sources.gpus, p.counts.size)
    held, copies = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    for slot in range(old.size):
        if old[slot] >= 0:
            held[p.sources.gpu_of[slot], old[slot]] = True
        copies[p.sources.gpu_of[slot], p.slots[slot]] += 1
    # Loops rather than arrays: these take the compiler less.
    num_homes, most = np.zeros(shape[1], dtype=np.int64), 1
    for expert in range(shape[1]):
        for gpu in range(shape[0]):
            num_homes[expert] += held[gpu, expert]
        most = max(most, num_homes[expert])
        num_homes[expert] = 0
    homes = np.zeros((p.counts.size, most), dtype=np.int64)
    for gpu in range(shape[0]):
        for expert in range(shape[1]):
            if held[gpu, expert]:
                homes[expert, num_homes[expert]] = gpu
                num_homes[expert] += 1
    order, rank = np.zeros(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
    num_held, total = np.zeros(shape[0], dtype=np.int64), np.zeros(shape[1])
    for expert in range(shape[1]):
        for k in range(p.loads.shape[1]):
            total[expert] += p.loads[expert, k]
        for gpu in range(shape[0]):
            rank[gpu, expert] = -1
    for expert in np.argsort(total):
        for i in range(num_homes[expert]):
            gpu = homes[expert, i]
            order[gpu, num_held[gpu]] = expert
            rank[gpu, expert] = num_held[gpu]
            num_held[gpu] += 1
    moved, place = np.zeros(old.size, dtype=np.int64), np.empty(old.size, dtype=np.int64)
    for slot in range(old.size):
        place[slot] = -1
    o = Origin(held, homes, num_homes, order, num_held, rank, copies, moved, place, np.zeros(1, dtype=np.int64))
    for slot in range(old.size):
        note(p, o, slot)
    return o


@compiled
def note(p: Placement, o: Origin, slot: Index) -> None:
    """Whether the expert of a slot moved there."""
    moved, place, last = not o.held[p.sources.gpu_of[slot], p.slots[slot]], o.place[slot], o.num_moved[0]
    if moved and place < 0:
        o.moved[last], o.place[slot] = slot, last
        o.num_moved[0] += 1
    elif not moved and place >= 0:
        o.moved[place] = o.moved[last - 1]
        o.place[o.moved[place]] = place
        o.place[slot] = -1
        o.num_moved[0] -= 1


@compiled
def count_moves(held: Bools, copies: Ints) -> int:
    """Experts on GPUs that did not hold them: whether they did, and their copies there now, shape ``(G, E)`` both."""
    # Loops rather than arrays: these take the compiler less.
    moves = 0
    for gpu in range(held.shape[0]):
        for expert in range(held.shape[1]):
            moves += copies[gpu, expert] > 0 and not held[gpu, expert]
    return moves


@compiled
def more_arrivals(o: Origin, gpu: Index, new: Index, leaves: Index) -> int:
    """Moves more if a slot of a GPU gets a new expert instead of the one that leaves it."""
    comes = o.copies[gpu, new] == 0 and not o.held[gpu, new]
    goes = o.copies[gpu, leaves] == 1 and not o.held[gpu, leaves]
    return int(comes) - int(goes)
