"""Wide reassignment: the slots of many GPUs are reassigned at once, and the counts of their experts with them."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.filling_search import search_fillings
from eplb_opt.kernels.order import heaviest_first, in_order
from eplb_opt.kernels.pattern_list import patterns_between
from eplb_opt.kernels.state import State

# Slots of a GPU for which wide reassignment is of use: of more slots there are too many patterns, and with two there is
# nothing to reassign that counts do not settle.
WIDE_SIZE = 3
# GPUs that take part: at least, and at most.
_LEAST_GPUS, _MOST_GPUS = 6, 20
# Patterns and looks of one assignment: those that need more are rarer than others that need less.
_MOST_PATTERNS, _MOST_LOOKS = 800, 20_000
# How far the new max load is below the hottest, as a part of what that is above the target or the mean load; and how
# much less than their own mean the GPUs that take part may carry, in what the new max load is above that.
_STEP, _DEPTH = 0.05, 1.5
# How far counts may be from what they are.
_SPREAD = 1
# Part of the draws that take the colder of two GPUs.
_COLDER = 0.9
# How many pairs of slots a descent looks at while an assignment is made ready, and a pattern for it; and how many looks
# take as long as one.
_PAIRS_PER_ASSIGNMENT, _PAIRS_PER_PATTERN, _LOOKS_PER_PAIR = 3_000, 20, 2


@compiled
def reassign_many(state: State, target: float, work: Ints, random: np.random.Generator) -> bool:
    """Reassign the slots of the hottest GPU and of many others, if that cools them all; whether it did.

    Once all GPUs are near the mean load hardly any few of them have a better assignment, while of many, whose experts
    may have other counts too, there are so many assignments that some are. Patterns near the mean are then so few that
    an exact cover by them is soon found, or excluded.
    """
    w, slots, counts, holds, replica_loads, load, max_replicas, distinct = state
    num_gpus, size = slots.shape
    least_gpus = min(_LEAST_GPUS, num_gpus)
    num = least_gpus + draw(random, min(_MOST_GPUS, num_gpus) + 1 - least_gpus)
    work[0] -= _PAIRS_PER_ASSIGNMENT
    gpus, hot = _draw_gpus(state, num, random)
    inside = np.zeros(w.size, dtype=np.int64)
    for gpu in gpus:
        for place in range(size):
            inside[slots[gpu, place]] += 1
    carried = 0.0
    for expert in range(w.size):
        carried += replica_loads[expert] * inside[expert]
    mean = carried / num
    most = load[hot] - _STEP * (load[hot] - max(target, load.sum() / num_gpus))
    if mean >= most or most >= load[hot]:
        return False
    least = mean - _DEPTH * (most - mean)
    v, experts, replicas, numbers = _items(
        w, counts, inside, min(max_replicas, num) if distinct else max_replicas, most
    )
    patterns = np.empty((_MOST_PATTERNS, size), dtype=np.int64)
    listed = patterns_between(v, experts, numbers, size, least, most, distinct, patterns)
    work[0] -= _PAIRS_PER_PATTERN * (listed if listed >= 0 else _MOST_PATTERNS)
    if listed <= 0:
        return False
    looks, assigned = np.empty(1, dtype=np.int64), np.empty(num, dtype=np.int64)
    looks[0] = _MOST_LOOKS
    found = search_fillings(v, experts, numbers, patterns[:listed], most, assigned, looks)
    work[0] -= (_MOST_LOOKS - looks[0]) // _LOOKS_PER_PAIR
    if not found:
        return False
    names = _nonzero(inside)
    for position in range(num):
        gpu = gpus[position]
        for place in range(size):
            holds[gpu, slots[gpu, place]] -= 1
        for place in range(size):
            item = patterns[assigned[position], place]
            expert = names[experts[item]]
            counts[expert] = replicas[item]
            replica_loads[expert] = w[expert] / counts[expert]
            slots[gpu, place] = expert
            holds[gpu, expert] += 1
    for gpu in gpus:
        load[gpu] = 0.0
        for place in range(size):
            load[gpu] += replica_loads[slots[gpu, place]]
    return True


@compiled
def _nonzero(row: Ints) -> Ints:
    """Where a row is not 0: as numpy's ``flatnonzero``, in a fraction of the time to compile."""
    found = np.empty(row.size, dtype=np.int64)
    number = 0
    for position in range(row.size):
        if row[position]:
            found[number] = position
            number += 1
    return found[:number]


@compiled
def _draw_gpus(state: State, num: int, random: np.random.Generator) -> tuple[Ints, Index]:
    """The GPUs that take part, and the hottest of all, which is one of them.

    All GPUs of some expert are among them, unless those are many, so that not only experts with one replica may get
    other counts; the others are mostly cold.
    """
    slots, counts, holds, load = state.slots, state.counts, state.holds, state.gpu_loads
    num_gpus, size = slots.shape
    hot = np.argmax(load)
    chosen = np.zeros(num_gpus, dtype=np.int64)
    chosen[hot] = 1
    expert = slots[draw(random, num_gpus), draw(random, size)]
    if counts[expert] < num:
        for gpu in range(num_gpus):
            if holds[gpu, expert]:
                chosen[gpu] = 1
    drawn = chosen.sum()
    while drawn < num:
        one, other = draw(random, num_gpus), draw(random, num_gpus)
        colder = other if random.random() < _COLDER and load[other] < load[one] else one
        if not chosen[colder]:
            chosen[colder] = 1
            drawn += 1
    return _nonzero(chosen), hot


@compiled
def _items(w: Floats, counts: Ints, inside: Ints, max_replicas: Index, most: float) -> tuple[Floats, Ints, Ints, Ints]:
    """What can fill the GPUs, heaviest first: loads, experts (numbered anew), counts, and slots for each item.

    An expert with all replicas `inside` may have other counts.
    """
    room = inside.size * (2 * _SPREAD + 1)
    v = np.empty(room)
    experts, replicas, numbers = (
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
    )
    number = expert = 0
    for name in range(w.size):
        if inside[name] == 0:
            continue
        spread = _SPREAD if inside[name] == counts[name] else 0
        for count in range(max(1, counts[name] - spread), counts[name] + spread + 1):
            if count != counts[name] and (count > max_replicas or w[name] / count > most):
                continue
            v[number], experts[number], replicas[number] = w[name] / count, expert, count
            numbers[number] = inside[name] + count - counts[name]
            number += 1
        expert += 1
    order = heaviest_first(v[:number])
    return in_order(v, order), in_order(experts, order), in_order(replicas, order), in_order(numbers, order)
