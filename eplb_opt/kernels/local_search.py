"""Local search on one node: exchanges of slots and transfers of replicas, then reassignments and perturbations."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.reassignment import reassign
from eplb_opt.kernels.state import State, add_up, exchange, transfer

# Pairs of slots looked at before the other kind of move has its turn.
_TURN, _PERTURBATION_TURN = 4_000_000, 1_000_000
# In an entry of a transfer. Numpy's integer: for one of Python's a kernel is compiled once more.
_NO_GPU = np.int64(-1)


def improve(state: State, target: float, perturbations: int, work: Ints, random: np.random.Generator) -> float:
    """Lower the largest GPU load of one node by local search; `state` ends as the best found.

    Descent: the hottest GPU exchanges a slot with another GPU, or another GPU gives up a replica of some expert
    with two or more for one more replica of an expert of the hottest GPU (so counts change too); the move with
    the smallest resulting maximum over the GPUs it touches is taken while that is below the hottest load. Then, in
    turns, reassignments of a few GPUs, and up to `perturbations` times a few random moves and a new descent, kept
    unless worse; a turn that was of use is followed by one of its kind. Stops at `target`, or when ``work[0]``, a
    number of pairs of slots to look at that is counted down, is used up.

    Returns the largest GPU load, never above the one given but for rounding.
    """
    num_gpus = state.slots.shape[0]
    log = new_log(num_gpus)
    descend(state, log, 0, work)
    top = state.gpu_loads.max()
    perturbation, reassigning = 0, True
    turn = np.array([0])
    # A turn takes milliseconds: only what it consists of is worth compiling, and in small parts.
    while perturbation < perturbations and top > target and num_gpus > 1 and work[0] > 0:
        last = top
        turn[0] = min(work[0], _TURN if reassigning else _PERTURBATION_TURN)
        work[0] -= turn[0]
        if reassigning:
            reassign(state, target, turn, random)
            top = state.gpu_loads.max()
        else:
            perturbation, top = perturb(state, log, target, perturbations, perturbation, turn, random)
        if top >= last:
            reassigning = not reassigning
        add_up(state)
        top = state.gpu_loads.max()
    return float(top)


def new_log(num_gpus: int) -> Ints:
    """Room for moves to undo: exchanges as gpu, place, other gpu, other place; transfers as gpu, place, -1, expert."""
    return np.empty((64 * num_gpus + 64, 4), dtype=np.int64)


@compiled
def perturb(
    state: State,
    log: Ints,
    target: float,
    perturbations: int,
    perturbation: int,
    work: Ints,
    random: np.random.Generator,
) -> tuple[int, float]:
    """Random moves and a new descent, again and again, each kept unless worse; the number so far, and the max load."""
    load = state.gpu_loads
    top, before = load[np.argmax(load)], load.copy()
    while perturbation < perturbations and work[0] > 0 and top > target:
        perturbation += 1
        for gpu in range(load.size):
            before[gpu] = load[gpu]
        length = _perturb_once(state, log, random)
        length = descend(state, log, length, work)
        new = load[np.argmax(load)]
        if new <= top:
            top = new
        else:
            _undo(state, log, length)
            for gpu in range(load.size):
                load[gpu] = before[gpu]
    return perturbation, top


@compiled
def descend(state: State, log: Ints, length: int, work: Ints) -> int:
    """Best moves of the hottest GPU until none cools it, or log or work are used up; the length of the log."""
    slots = state.slots
    while length < log.shape[0] and work[0] > 0:
        work[0] -= 2 * slots.shape[1] * slots.size
        hot = np.argmax(state.gpu_loads)
        best, gpu, place, own = _best_exchange(state, hot)
        other_best, other_gpu, other_place, expert = _best_transfer(state, hot, best)
        if other_best < best:
            _note(log, length, other_gpu, other_place, _NO_GPU, slots[other_gpu, other_place])
            transfer(state, other_gpu, other_place, expert)
        elif gpu >= 0:
            _note(log, length, gpu, place, hot, own)
            exchange(state, gpu, place, hot, own)
        else:
            break
        length += 1
    return length


@compiled
def _best_exchange(state: State, hot: Index) -> tuple[float, int, int, int]:
    """The exchange with GPU `hot` after which the hotter of the two is coolest.

    That load, the other GPU, its place and the place on `hot`; GPU -1 where no exchange cools `hot`.
    """
    slots, holds, replica_loads, load, distinct = (
        state.slots,
        state.holds,
        state.replica_loads,
        state.gpu_loads,
        state.distinct,
    )
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
                less = replica_loads[a] - replica_loads[b]
                if less <= 0.0 or less >= room:
                    continue
                new = max(load[hot] - less, load[gpu] + less)
                if new < best and not (distinct and (holds[gpu, a] or holds[hot, b])):
                    best, at_gpu, at_place, own = new, gpu, j, i
                    room = best - load[gpu]
    return best, at_gpu, at_place, own


@compiled
def _best_transfer(state: State, hot: Index, best: float) -> tuple[float, int, int, int]:
    """The transfer to an expert of GPU `hot` after which the hottest GPU that it touches is coolest, below `best`.

    That load, the GPU and place that give up a replica and the expert that gets one; `best` itself if there is none.
    """
    w, slots, counts, holds, replica_loads, load, max_replicas, distinct = state
    num_gpus, size = slots.shape
    at_gpu, at_place, expert = -1, -1, -1
    # Made when first needed: asking every GPU whether it holds an expert takes as much longer as there are more GPUs.
    begin, holders = counts[:0], counts[:0]
    for i in range(size):
        a = slots[hot, i]
        if counts[a] >= max_replicas:
            continue
        new_load_a = w[a] / (counts[a] + 1)
        less_a = replica_loads[a] - new_load_a
        if less_a <= 0.0:
            continue
        for gpu in range(num_gpus):
            if gpu == hot or (distinct and holds[gpu, a]):
                continue
            for j in range(size):
                b = slots[gpu, j]
                if b == a or counts[b] < 2:
                    continue
                more_b = w[b] / (counts[b] - 1) - replica_loads[b]
                new = load[hot] - holds[hot, a] * less_a + holds[hot, b] * more_b
                new = max(
                    new,
                    load[gpu] - replica_loads[b] + new_load_a - holds[gpu, a] * less_a + (holds[gpu, b] - 1) * more_b,
                )
                if new >= best:
                    continue
                if holders.size == 0:
                    begin, holders = _holders(slots, counts)
                for place in range(begin[b], begin[b] + counts[b]):
                    q = holders[place]
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
def _perturb_once(state: State, log: Ints, random: np.random.Generator) -> int:
    """One to three random moves, the first at the hottest GPU; the length of the log."""
    slots, counts, holds, distinct = state.slots, state.counts, state.holds, state.distinct
    num_gpus, size = slots.shape
    hot = np.argmax(state.gpu_loads)
    length = 0
    for move in range(1 + draw(random, 3)):
        g = hot if move == 0 else draw(random, num_gpus)
        i = draw(random, size)
        h = draw(random, num_gpus)
        j = draw(random, size)
        a, b = slots[g, i], slots[h, j]
        if g == h or a == b:
            continue
        if (
            random.random() < 0.2
            and counts[b] > 1
            and counts[a] < state.max_replicas
            and not (distinct and holds[h, a])
        ):
            _note(log, length, h, j, _NO_GPU, b)
            transfer(state, h, j, a)
            length += 1
        elif not (distinct and (holds[h, a] or holds[g, b])):
            _note(log, length, h, j, g, i)
            exchange(state, h, j, g, i)
            length += 1
    return length


@compiled
def _note(log: Ints, length: int, g: Index, i: Index, h: Index, j: Index) -> None:
    """Enter a move: one by one, as a whole row takes the compiler seconds."""
    log[length, 0], log[length, 1], log[length, 2], log[length, 3] = g, i, h, j


@compiled
def _undo(state: State, log: Ints, length: int) -> None:
    """Take the logged moves back, last first."""
    for entry in range(length - 1, -1, -1):
        g, i, h, j = log[entry, 0], log[entry, 1], log[entry, 2], log[entry, 3]
        if h < 0:
            transfer(state, g, i, j)
        else:
            exchange(state, g, i, h, j)
