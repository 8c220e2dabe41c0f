"""Compiled kernels for one node: Adams' counts, packing, and local search on slots and counts.

A node has `E` experts with loads ``w``, `G` GPUs and a table ``slots[g, s]`` of its experts, numbered from 0.
Under the global policy the whole deployment is one node. Kernels use float64 and release the GIL; what they
return is valued and verified again in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Index = int | np.signedinteger[Any]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile on first use, once per machine; where no folder can be written, once per process."""
    options: dict[str, Any] = {"nogil": True}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


@compiled
def adams_counts(w: Floats, start: Ints, num_slots: int, max_replicas: int) -> Ints:
    """Replica counts from `start` on: the next replica goes to the largest ``w / r``, until the slots are full.

    Ties go to the lower index; no expert gets more than `max_replicas`.
    """
    counts = start.copy()
    priority = np.where(counts < max_replicas, w / counts, -1.0)
    for _ in range(num_slots - start.sum()):
        expert = np.argmax(priority)
        counts[expert] += 1
        priority[expert] = w[expert] / counts[expert] if counts[expert] < max_replicas else -1.0
    return counts


@compiled
def pack(w: Floats, counts: Ints, num_gpus: int, slots_per_gpu: int, distinct: bool) -> Ints:
    """Longest processing time with equal numbers of slots: heaviest replica to the lightest GPU with a free slot.

    With `distinct`, GPUs that hold the expert are passed over. Where only such GPUs have a free slot, another
    GPU takes the replica and gives one of its own to the free slot: counts never exceed the GPUs, so some GPU
    lacks the expert, and as it is full and the other is not, it has an expert that the other lacks.
    """
    slots = np.full((num_gpus, slots_per_gpu), -1, dtype=np.int64)
    used = np.zeros(num_gpus, dtype=np.int64)
    load = np.zeros(num_gpus)
    holds = np.zeros((num_gpus, w.size), dtype=np.bool_)
    share = w / counts
    for expert in np.argsort(-share, kind="mergesort"):
        for _ in range(counts[expert]):
            best, free = -1, -1
            for gpu in range(num_gpus):
                if used[gpu] == slots_per_gpu:
                    continue
                if free < 0 or load[gpu] < load[free]:
                    free = gpu
                if (not distinct or not holds[gpu, expert]) and (best < 0 or load[gpu] < load[best]):
                    best = gpu
            if best < 0:
                best = _make_room(slots, used, load, holds, share, expert, free)
            else:
                slots[best, used[best]] = expert
                used[best] += 1
            holds[best, expert] = True
            load[best] += share[expert]
    return slots


@compiled
def _make_room(
    slots: Ints, used: Ints, load: Floats, holds: NDArray[np.bool_], share: Floats, expert: int, free: int
) -> int:
    """Move a replica from some GPU without `expert` to GPU `free`, put `expert` in its place; that GPU."""
    best_gpu, best_slot, best_load = -1, -1, np.inf
    for gpu in range(used.size):
        if holds[gpu, expert]:
            continue
        for slot in range(used[gpu]):
            other = slots[gpu, slot]
            if holds[free, other]:
                continue
            new = max(load[gpu] - share[other] + share[expert], load[free] + share[other])
            if new < best_load:
                best_gpu, best_slot, best_load = gpu, slot, new
    other = slots[best_gpu, best_slot]
    slots[best_gpu, best_slot] = expert
    holds[best_gpu, other] = False
    load[best_gpu] -= share[other]
    slots[free, used[free]] = other
    used[free] += 1
    holds[free, other] = True
    load[free] += share[other]
    return best_gpu


@compiled
def exchange_groups(totals: Floats, node_of_group: Ints, num_nodes: int) -> Ints:
    """Node of each group after exchanges of two groups, each the best that cools the hottest node."""
    nodes = node_of_group.copy()
    load = np.zeros(num_nodes)
    for group in range(totals.size):
        load[nodes[group]] += totals[group]
    # Each exchange lowers the sorted loads, so it ends; the bound on the rounds is for rounding errors.
    for _ in range(totals.size * totals.size):
        hot = np.argmax(load)
        best, best_a, best_b = load[hot] * (1.0 - 1e-12), -1, -1
        for a in range(totals.size):
            for b in range(totals.size):
                if nodes[a] != hot or nodes[b] == hot:
                    continue
                less = totals[a] - totals[b]
                new = max(load[hot] - less, load[nodes[b]] + less)
                if new < best:
                    best, best_a, best_b = new, a, b
        if best_a < 0:
            break
        less = totals[best_a] - totals[best_b]
        load[hot] -= less
        load[nodes[best_b]] += less
        nodes[best_a], nodes[best_b] = nodes[best_b], hot
    return nodes


@compiled
def improve(
    w: Floats, slots: Ints, max_replicas: int, distinct: bool, target: float, kicks: int, random: np.random.Generator
) -> float:
    """Lower the largest GPU load of one node by local search; `slots` ends as the best table found.

    Descent: the hottest GPU exchanges a slot with another GPU, or another GPU gives up a replica of some expert
    with two or more for one more replica of an expert of the hottest GPU (so counts change too); the move with
    the smallest resulting maximum over the GPUs it touches is taken while that is below the hottest load. Then
    up to `kicks` times a few random moves and a new descent, kept unless worse. Stops at `target`.

    Returns the largest GPU load, never above the one given.
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
    length = _descend(w, slots, counts, holds, share, load, max_replicas, distinct, log, 0)
    top = load.max()
    before = load.copy()
    for kick in range(kicks):
        if top <= target or num_gpus == 1:
            break
        before[:] = load
        length = _kick(w, slots, counts, holds, share, load, max_replicas, distinct, log, random)
        length = _descend(w, slots, counts, holds, share, load, max_replicas, distinct, log, length)
        new = load.max()
        if new <= top:
            top = new
        else:
            _undo(w, slots, counts, holds, share, load, log, length)
            load[:] = before
        if kick % 1024 == 0:
            # Sums of increments drift; start again from the table itself.
            load[:] = 0.0
            for gpu in range(num_gpus):
                for place in range(size):
                    load[gpu] += share[slots[gpu, place]]
            top = load.max()
    return float(top)


@compiled
def _exchange(slots: Ints, holds: Any, share: Floats, load: Floats, g: Index, i: Index, h: Index, j: Index) -> None:
    """Slot i of GPU g and slot j of GPU h change experts."""
    a, b = slots[g, i], slots[h, j]
    slots[g, i], slots[h, j] = b, a
    holds[g, a] -= 1
    holds[g, b] += 1
    holds[h, b] -= 1
    holds[h, a] += 1
    load[g] += share[b] - share[a]
    load[h] += share[a] - share[b]


@compiled
def _transfer(
    w: Floats, slots: Ints, counts: Ints, holds: Any, share: Floats, load: Floats, g: Index, i: Index, expert: Index
) -> None:
    """Slot i of GPU g becomes one more replica of `expert`."""
    other = slots[g, i]
    slots[g, i] = expert
    load[g] += share[expert] - share[other]
    holds[g, other] -= 1
    holds[g, expert] += 1
    counts[other] -= 1
    counts[expert] += 1
    for changed in (other, expert):
        new = w[changed] / counts[changed]
        for gpu in range(load.size):
            if holds[gpu, changed]:
                load[gpu] += holds[gpu, changed] * (new - share[changed])
        share[changed] = new


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
) -> int:
    """Best moves of the hottest GPU until none lowers it or the log is full; the length of the log."""
    num_gpus, size = slots.shape
    while length < log.shape[0]:
        hot = np.argmax(load)
        best = load[hot] * (1.0 - 1e-12)
        kind, at_gpu, at_place, own = 0, 0, 0, 0
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
                        best, kind, at_gpu, at_place, own = new, 1, gpu, j, i
                        room = best - load[gpu]
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
                    new = max(
                        new, load[gpu] - share[b] + share_a - holds[gpu, a] * less_a + (holds[gpu, b] - 1) * more_b
                    )
                    if new >= best:
                        continue
                    for q in range(num_gpus):
                        if q != hot and q != gpu and holds[q, b]:
                            new = max(new, load[q] + holds[q, b] * more_b - holds[q, a] * less_a)
                            if new >= best:
                                break
                    if new < best:
                        best, kind, at_gpu, at_place, own = new, 2, gpu, j, a
        if kind == 0:
            break
        log[length, 0], log[length, 1] = at_gpu, at_place
        if kind == 1:
            log[length, 2], log[length, 3] = hot, own
            _exchange(slots, holds, share, load, at_gpu, at_place, hot, own)
        else:
            log[length, 2], log[length, 3] = -1, slots[at_gpu, at_place]
            _transfer(w, slots, counts, holds, share, load, at_gpu, at_place, own)
        length += 1
    return length


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
        log[length, 0], log[length, 1] = h, j
        if random.random() < 0.2 and counts[b] > 1 and counts[a] < max_replicas and not (distinct and holds[h, a]):
            log[length, 2], log[length, 3] = -1, b
            _transfer(w, slots, counts, holds, share, load, h, j, a)
            length += 1
        elif not (distinct and (holds[h, a] or holds[g, b])):
            log[length, 2], log[length, 3] = g, i
            _exchange(slots, holds, share, load, h, j, g, i)
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
            _transfer(w, slots, counts, holds, share, load, g, i, j)
        else:
            _exchange(slots, holds, share, load, g, i, h, j)
