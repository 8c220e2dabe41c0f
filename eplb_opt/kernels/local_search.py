"""Local search on one node: exchanges of slots and transfers of replicas, then repartitions and random kicks."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.moves import exchange, transfer
from eplb_opt.kernels.repartition import repartition

# Pairs of slots looked at before the other kind of move has its turn.
_TURN, _KICK_TURN = 4_000_000, 1_000_000


@compiled
def improve(
    w: Floats,
    slots: Ints,
    max_replicas: int,
    distinct: bool,
    target: float,
    kicks: int,
    budget: Ints,
    random: np.random.Generator,
) -> float:
    """Lower the largest GPU load of one node by local search; `slots` ends as the best table found.

    Descent: the hottest GPU exchanges a slot with another GPU, or another GPU gives up a replica of some expert
    with two or more for one more replica of an expert of the hottest GPU (so counts change too); the move with
    the smallest resulting maximum over the GPUs it touches is taken while that is below the hottest load. Then, in
    turns, repartitions of a few GPUs, and up to `kicks` times a few random moves and a new descent, kept unless worse;
    a turn that was of use is followed by one of its kind. Stops at `target`, or when ``budget[0]``, a number of pairs
    of slots to look at that is counted down, is used up.

    Returns the largest GPU load, never above the one given but for rounding.
    """
    num_gpus, size = slots.shape
    counts = np.zeros(w.size, dtype=np.int64)
    holds = np.zeros((num_gpus, w.size), dtype=np.int32)
    for gpu in range(num_gpus):
        for place in range(size):
            counts[slots[gpu, place]] += 1
            holds[gpu, slots[gpu, place]] += 1
    share = w / counts
    load = np.zeros(num_gpus)
    for gpu in range(num_gpus):
        for place in range(size):
            load[gpu] += share[slots[gpu, place]]
    # The undo log: (gpu, place, other gpu, other place) of an exchange, or (gpu, place, -1, expert before).
    log = np.empty((64 * num_gpus + 64, 4), dtype=np.int64)
    length = _descend(w, slots, counts, holds, share, load, max_replicas, distinct, log, 0, budget)
    top = load.max()
    before = load.copy()
    kick, dealing = 0, True
    turn = np.array([0])
    while kick < kicks and top > target and num_gpus > 1 and budget[0] > 0:
        last = top
        turn[0] = min(budget[0], _TURN if dealing else _KICK_TURN)
        budget[0] -= turn[0]
        if dealing:
            repartition(w, slots, counts, holds, share, load, max_replicas, distinct, target, turn, random)
            top = load.max()
        else:
            while kick < kicks and turn[0] > 0 and top > target:
                kick += 1
                before[:] = load
                length = _kick(w, slots, counts, holds, share, load, max_replicas, distinct, log, random)
                length = _descend(w, slots, counts, holds, share, load, max_replicas, distinct, log, length, turn)
                new = load.max()
                if new <= top:
                    top = new
                else:
                    _undo(w, slots, counts, holds, share, load, log, length)
                    load[:] = before
        if top >= last:
            dealing = not dealing
        # Sums of increments drift; start again from the table itself.
        for gpu in range(num_gpus):
            load[gpu] = share[slots[gpu]].sum()
        top = load.max()
    return float(top)


@compiled
def _descend(
    w: Floats,
    slots: Ints,
    counts: Ints,
    holds: Any,
    share: Floats,
    load: Floats,
    max_replicas: int,
    distinct: bool,
    log: Ints,
    length: int,
    budget: Ints,
) -> int:
    """Best moves of the hottest GPU until none cools it, or log or budget are used up; the length of the log."""
    while length < log.shape[0] and budget[0] > 0:
        budget[0] -= 2 * slots.shape[1] * slots.size
        hot = np.argmax(load)
        best, gpu, place, own = _best_exchange(slots, holds, share, load, distinct, hot)
        other_best, other_gpu, other_place, expert = _best_transfer(
            w, slots, counts, holds, share, load, max_replicas, distinct, hot, best
        )
        if other_best < best:
            log[length] = other_gpu, other_place, -1, slots[other_gpu, other_place]
            transfer(w, slots, counts, holds, share, load, other_gpu, other_place, expert)
        elif gpu >= 0:
            log[length] = gpu, place, hot, own
            exchange(slots, holds, share, load, gpu, place, hot, own)
        else:
            break
        length += 1
    return length


@compiled
def _best_exchange(
    slots: Ints, holds: Any, share: Floats, load: Floats, distinct: bool, hot: Index
) -> tuple[float, int, int, int]:
    """The exchange with GPU `hot` after which the hotter of the two is coolest.

    That load, the other GPU, its place and the place on `hot`; GPU -1 where no exchange cools `hot`.
    """
    num_gpus, size = slots.shape
    best, at_gpu, at_place, own = load[hot] * (1.0 - 1e-12), -1, -1, -1
    for i in range(size):
        a = slots[hot, i]
        for gpu in range(num_gpus):
            room = best - load[gpu]
            if gpu == hot or room <= 0.0:
                continue
            for j in range(size):
                b = slots[gpu, j]
                less = share[a] - share[b]
                if less <= 0.0 or less >= room:
                    continue
                new = max(load[hot] - less, load[gpu] + less)
                if new < best and not (distinct and (holds[gpu, a] or holds[hot, b])):
                    best, at_gpu, at_place, own = new, gpu, j, i
                    room = best - load[gpu]
    return best, at_gpu, at_place, own


@compiled
def _best_transfer(
    w: Floats,
    slots: Ints,
    counts: Ints,
    holds: Any,
    share: Floats,
    load: Floats,
    max_replicas: int,
    distinct: bool,
    hot: Index,
    best: float,
) -> tuple[float, int, int, int]:
    """The transfer to an expert of GPU `hot` after which the hottest GPU that it touches is coolest, below `best`.

    That load, the GPU and place that give up a replica and the expert that gets one; `best` itself if there is none.
    """
    num_gpus, size = slots.shape
    at_gpu, at_place, expert = -1, -1, -1
    # Made when first needed: asking every GPU whether it holds an expert takes as much longer as there are more GPUs.
    begin, holders = counts[:0], counts[:0]
    for i in range(size):
        a = slots[hot, i]
        if counts[a] >= max_replicas:
            continue
        share_a = w[a] / (counts[a] + 1)
        less_a = share[a] - share_a
        if less_a <= 0.0:
            continue
        for gpu in range(num_gpus):
            if gpu == hot or (distinct and holds[gpu, a]):
                continue
            for j in range(size):
                b = slots[gpu, j]
                if b == a or counts[b] < 2:
                    continue
                more_b = w[b] / (counts[b] - 1) - share[b]
                new = load[hot] - holds[hot, a] * less_a + holds[hot, b] * more_b
                new = max(new, load[gpu] - share[b] + share_a - holds[gpu, a] * less_a + (holds[gpu, b] - 1) * more_b)
                if new >= best:
                    continue
                if holders.size == 0:
                    begin, holders = _holders(slots, counts)
                for q in holders[begin[b] : begin[b] + counts[b]]:
                    if q != hot and q != gpu:
                        new = max(new, load[q] + holds[q, b] * more_b - holds[q, a] * less_a)
                        if new >= best:
                            break
                if new < best:
                    best, at_gpu, at_place, expert = new, gpu, j, a
    return best, at_gpu, at_place, expert


@compiled
def _holders(slots: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """GPUs of all replicas, expert by expert, and where those of each expert begin."""
    num_gpus, size = slots.shape
    begin = np.cumsum(counts) - counts
    end = begin.copy()
    holders = np.empty(slots.size, dtype=np.int64)
    for gpu in range(num_gpus):
        for place in range(size):
            expert = slots[gpu, place]
            holders[end[expert]] = gpu
            end[expert] += 1
    return begin, holders


@compiled
def _kick(
    w: Floats,
    slots: Ints,
    counts: Ints,
    holds: Any,
    share: Floats,
    load: Floats,
    max_replicas: int,
    distinct: bool,
    log: Ints,
    random: np.random.Generator,
) -> int:
    """One to three random moves, the first at the hottest GPU; the length of the log."""
    num_gpus, size = slots.shape
    hot = np.argmax(load)
    length = 0
    for move in range(random.integers(1, 4)):
        g = hot if move == 0 else random.integers(0, num_gpus)
        i = random.integers(0, size)
        h = random.integers(0, num_gpus)
        j = random.integers(0, size)
        a, b = slots[g, i], slots[h, j]
        if g == h or a == b:
            continue
        if random.random() < 0.2 and counts[b] > 1 and counts[a] < max_replicas and not (distinct and holds[h, a]):
            log[length] = h, j, -1, b
            transfer(w, slots, counts, holds, share, load, h, j, a)
            length += 1
        elif not (distinct and (holds[h, a] or holds[g, b])):
            log[length] = h, j, g, i
            exchange(slots, holds, share, load, h, j, g, i)
            length += 1
    return length


@compiled
def _undo(
    w: Floats, slots: Ints, counts: Ints, holds: Any, share: Floats, load: Floats, log: Ints, length: int
) -> None:
    """Take the logged moves back, last first."""
    for entry in range(length - 1, -1, -1):
        g, i, h, j = log[entry]
        if h < 0:
            transfer(w, slots, counts, holds, share, load, g, i, j)
        else:
            exchange(slots, holds, share, load, g, i, h, j)
