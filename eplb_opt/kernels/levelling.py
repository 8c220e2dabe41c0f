"""Levelling: a walk of exchanges towards plans all of whose GPUs carry nearly the same, or exactly the same.

Near the mean load a search that cools the hottest GPU stands still: every exchange that cools it heats another one as
much. Here what GPUs are off by may grow, or go from one to another, for as long as few of them are off: then a
single exchange in thousands sets right the last two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.order import lightest_first
from eplb_opt.kernels.rows import copy_table
from eplb_opt.kernels.state import State, exchange

# For so many steps at most a GPU that was set right takes nothing from others.
_MOST_WAIT = 3
# What is more than so many scales off counts for more and more, else for one GPU.
_FAR = 300.0
# Loads are the same if they differ by this part.
_ROUNDING = 1e-11


class Aim(NamedTuple):
    """What every GPU should carry: ``bottom .. top``. Those that are off by much more than `scale` count the same."""

    bottom: float
    top: float
    scale: float


class _Parts(NamedTuple):
    """What GPUs can give, the lightest first: single slots, then pairs of slots.

    ``sums[gpu, k]`` is the load of part ``order[gpu, k]``, whose slots are ``first`` and ``second``, the same for a
    single one; it is infinite where all GPUs hold one of its experts.
    """

    first: Ints
    second: Ints
    order: Ints
    sums: Floats


@compiled
def level(state: State, aim: Aim, steps: Index, best: Ints, random: np.random.Generator) -> float:
    """Exchange one slot, or two, of a GPU that is off and another one, `steps` times or until none is off.

    Of all exchanges with all others the one is made after which the GPUs are off the least, even if that is more than
    before. What it is off by counts for a GPU as ``x / (x + scale)``, so that one GPU that is off by much is better
    than many that are off by little. Counts of replicas stay.

    Returns the smallest max load on the way, or that of the start; `best` ends as the table of slots where it was.
    """
    slots, load = state.slots, state.gpu_loads
    num_gpus, size = slots.shape
    parts = _no_parts(num_gpus, size)
    for gpu in range(num_gpus):
        _weigh(state, parts, gpu)
    copy_table(slots, best)
    coolest: float = load[np.argmax(load)]
    waits = np.zeros(num_gpus, dtype=np.int64)
    move = np.empty(3, dtype=np.int64)
    least = np.inf
    for step in range(steps):
        off, gpu = _one_that_is_off(load, aim, random)
        if gpu < 0:
            break
        least = min(least, off)
        _find_exchange(state, parts, aim, gpu, waits, step, least - off, move)
        other, mine, theirs = move[0], move[1], move[2]
        if other < 0:
            continue
        exchange(state, gpu, parts.first[mine], other, parts.first[theirs])
        if mine >= size:
            exchange(state, gpu, parts.second[mine], other, parts.second[theirs])
        _weigh(state, parts, gpu)
        _weigh(state, parts, other)
        waits[gpu] = step + 1 + draw(random, min(_MOST_WAIT, 1 + num_gpus // 3))
        hottest = load[np.argmax(load)]
        if hottest < coolest * (1.0 - _ROUNDING):
            coolest = hottest
            copy_table(slots, best)
    return coolest


@compiled
def _no_parts(num_gpus: int, size: int) -> _Parts:
    number = size + size * (size - 1) // 2
    first, second = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
    part = size
    for place in range(size):
        first[place] = second[place] = place
        for other in range(place + 1, size):
            first[part], second[part] = place, other
            part += 1
    return _Parts(first, second, np.empty((num_gpus, number), dtype=np.int64), np.empty((num_gpus, number)))


@compiled
def _weigh(state: State, parts: _Parts, gpu: Index) -> None:
    """Add up a GPU, and order its parts."""
    slots, replica_loads, load = state.slots, state.replica_loads, state.gpu_loads
    size, number = slots.shape[1], parts.first.size
    load[gpu] = 0.0
    weights = np.empty(number)
    for part in range(number):
        one, other = slots[gpu, parts.first[part]], slots[gpu, parts.second[part]]
        weights[part] = replica_loads[one]
        if part < size:
            load[gpu] += replica_loads[one]
        else:
            weights[part] += replica_loads[other]
        if state.distinct and max(state.counts[one], state.counts[other]) == slots.shape[0]:
            # Nobody can take what all have.
            weights[part] = np.inf
    for begin, end in ((0, size), (size, number)):
        order = lightest_first(weights[begin:end])
        for k in range(end - begin):
            parts.order[gpu, begin + k] = begin + order[k]
            parts.sums[gpu, begin + k] = weights[begin + order[k]]


@compiled
def _counts(aim: Aim, load: float) -> float:
    """What a GPU of this load counts for: nothing if it is not off."""
    x = _off(aim, load)
    if x <= _ROUNDING * aim.top:
        return 0.0
    return x / (x + aim.scale) + x / (_FAR * aim.scale)


@compiled
def _off(aim: Aim, load: float) -> float:
    """How far a load is from what it should be; below 0 if it is not off."""
    return max(load - aim.top, aim.bottom - load)


@compiled
def _reach(aim: Aim, counts: float) -> float:
    """How far a GPU that counts for less than `counts` can be off."""
    return aim.scale * counts / (1.0 - counts) if counts < 1.0 else np.inf


@compiled
def _one_that_is_off(load: Floats, aim: Aim, random: np.random.Generator) -> tuple[float, int]:
    """What all GPUs count for, and one of those that are off, drawn at random; -1 if none is."""
    off, number, chosen = 0.0, 0, -1
    for gpu in range(load.size):
        counts = _counts(aim, load[gpu])
        if counts > 0.0:
            off += counts
            number += 1
            if draw(random, number) == 0:
                chosen = gpu
    return off, chosen


@compiled
def _find_exchange(
    state: State, parts: _Parts, aim: Aim, gpu: Index, waits: Ints, step: Index, least: float, move: Ints
) -> None:
    """The exchange after which GPUs count the least: the other GPU, what this one gives, and what it gets; -1 for none.

    With GPUs that wait only if all together count for less by more than -`least`.
    """
    load, rounding = state.gpu_loads, _ROUNDING * aim.top
    size, number = state.slots.shape[1], parts.first.size
    move[0] = -1
    best = np.inf
    hot = load[gpu] > aim.top
    # The GPU should give this, and the other one take it: neither is off by then.
    edge = aim.top if hot else aim.bottom
    give = load[gpu] - edge
    for other in range(load.size):
        if other == gpu:
            continue
        take = edge - load[other]
        before = _counts(aim, load[gpu]) + _counts(aim, load[other])
        limit = min(best, least - rounding) if waits[other] > step else best
        if before + limit <= 0.0:
            continue
        reach = _reach(aim, before + limit)
        for begin, end in ((0, size), (size, number)):
            near_give = near_take = begin
            for mine in range(begin, end):
                weight = parts.sums[gpu, mine]
                if weight == np.inf:
                    break
                while near_give < end and parts.sums[other, near_give] < weight - give - rounding:
                    near_give += 1
                while near_take < end and parts.sums[other, near_take] < weight - take - rounding:
                    near_take += 1
                for which in range(4):
                    theirs = (near_give if which < 2 else near_take) - which % 2
                    if theirs < begin or theirs >= end or parts.sums[other, theirs] == np.inf:
                        continue
                    more = weight - parts.sums[other, theirs]
                    # Most are ruled out without a division.
                    if abs(more) <= rounding or max(_off(aim, load[gpu] - more), _off(aim, load[other] + more)) > reach:
                        continue
                    counts = _counts(aim, load[gpu] - more) + _counts(aim, load[other] + more) - before
                    if counts < limit - 1e-9 and _may(
                        state, parts, gpu, parts.order[gpu, mine], other, parts.order[other, theirs]
                    ):
                        best = limit = counts
                        reach = _reach(aim, before + limit)
                        move[0], move[1], move[2] = other, parts.order[gpu, mine], parts.order[other, theirs]


@compiled
def _may(state: State, parts: _Parts, gpu: Index, mine: Index, other: Index, theirs: Index) -> bool:
    """Whether two GPUs may exchange these parts."""
    if not state.distinct:
        return True
    return _may_take(state, parts, gpu, mine, other, theirs) and _may_take(state, parts, other, theirs, gpu, mine)


@compiled
def _may_take(state: State, parts: _Parts, gpu: Index, given: Index, other: Index, got: Index) -> bool:
    """Whether what a GPU gives to another one is not there already, or leaves it."""
    slots, holds = state.slots, state.holds
    one, two = slots[other, parts.first[got]], slots[other, parts.second[got]]
    a, b = slots[gpu, parts.first[given]], slots[gpu, parts.second[given]]
    a_may = holds[other, a] == 0 or a in (one, two)
    return a_may and (holds[other, b] == 0 or b in (one, two))
