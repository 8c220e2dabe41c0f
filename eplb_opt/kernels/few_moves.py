"""Steepest descent from a plan that runs: always what takes most load off GPUs above their targets for each move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Index, Ints, compiled
from eplb_opt.kernels.origin import count_moves
from eplb_opt.kernels.rows import copy_row
from eplb_opt.kernels.shares import Sources

# What costs no move is preferred to what costs one, as if it cost so small a part of one.
_FREE = 0.3
# A step gains more than what floats round, in mean loads.
_NOTHING = 1e-9


class Descent(NamedTuple):
    """A row under the even split; arrays change in place.

    Attributes
    ----------
    loads, targets
        Load of each expert, shape ``(E, K)``, and what no GPU is to exceed, shape ``(K,)``.
    slots
        Expert in each slot, shape ``(slots,)``.
    held
        Whether a GPU held an expert before, shape ``(G, E)``.
    copies, counts
        Copies of an expert on a GPU, shape ``(G, E)``, and on all, shape ``(E,)``.
    gpu_loads, above
        Load of each GPU, shape ``(G, K)``, its tokens / its speed, and what of it is above the targets, over all
        windows, shape ``(G,)``.
    starts, slowness
        First slot of each GPU, and behind them the number of slots, shape ``(G + 1,)``; 1 / speed of each GPU.
    """

    loads: Floats
    targets: Floats
    slots: Ints
    held: Bools
    copies: Ints
    counts: Ints
    gpu_loads: Floats
    above: Floats
    starts: Ints
    slowness: Floats


@compiled
def descent_of(loads: Floats, targets: Floats, slots: Ints, old: Ints, sources: Sources) -> Descent:
    """The row of `slots`, which it holds itself; `old` has what the slots held, negative where they held nothing."""
    shape = (sources.gpus, loads.shape[0])
    held, copies = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    for slot in range(slots.size):
        gpu = sources.gpu_of[slot]
        copies[gpu, slots[slot]] += 1
        if old[slot] >= 0:
            held[gpu, old[slot]] = True
    counts = np.zeros(loads.shape[0], dtype=np.int64)
    for slot in range(slots.size):
        counts[slots[slot]] += 1
    gpu_loads, above = np.zeros((sources.gpus, targets.size)), np.zeros(sources.gpus)
    d = Descent(loads, targets, slots, held, copies, counts, gpu_loads, above, sources.starts, sources.slowness)
    _add_up(d)
    return d


@compiled
def descend(d: Descent, rules: tuple[int, bool, int, int], rows: Ints, moves: Ints) -> int:
    """Lower what is above the targets; after each step, the row and its moves: how many steps there are.

    `rules`: GPUs per node, whether replicas are distinct, the most replicas of an expert, the most moves. `rows`, of
    shape ``(steps, slots)``, and `moves` say how many steps there can be. Each takes the GPU that is most above its
    targets, and of all exchanges of one of its slots on its node, and of all further copies of one of its experts there
    or of one of the node's on it, that with the largest gain for each move.
    """
    most, spent = rules[3], count_moves(d.held, d.copies)
    for step in range(len(rows)):
        hot = np.argmax(d.above)
        if d.above[hot] <= _NOTHING:
            return step
        left = max(0, most - spent)
        worth, slot, other = _best_exchange(d, hot, rules, left)
        worth_of_copy, to, of = _best_copy(d, hot, rules, left)
        if max(worth, worth_of_copy) <= 0.0:
            return step
        if worth >= worth_of_copy:
            _put(d, slot, d.slots[other], other, d.slots[slot])
        else:
            _put(d, to, d.slots[of], -1, -1)
        _add_up(d)
        spent = count_moves(d.held, d.copies)
        moves[step] = spent
        copy_row(d.slots, rows[step])
    return len(rows)


@compiled
def _put(d: Descent, slot: Index, new: Index, other: Index, newer: Index) -> None:
    """Fill a slot, and another one unless it is negative."""
    for place, expert in ((slot, new), (other, newer)):
        if place >= 0:
            gpu = np.searchsorted(d.starts, place, side="right") - 1
            d.copies[gpu, d.slots[place]] -= 1
            d.copies[gpu, expert] += 1
            d.counts[d.slots[place]] -= 1
            d.counts[expert] += 1
            d.slots[place] = expert


@compiled
def _add_up(d: Descent) -> None:
    for gpu in range(len(d.held)):
        for k in range(d.targets.size):
            d.gpu_loads[gpu, k] = 0.0
        for slot in range(d.starts[gpu], d.starts[gpu + 1]):
            for k in range(d.targets.size):
                d.gpu_loads[gpu, k] += d.loads[d.slots[slot], k] / d.counts[d.slots[slot]]
        for k in range(d.targets.size):
            d.gpu_loads[gpu, k] *= d.slowness[gpu]
        d.above[gpu] = 0.0
        for k in range(d.targets.size):
            d.above[gpu] += max(0.0, d.gpu_loads[gpu, k] - d.targets[k])


@compiled
def _best_exchange(d: Descent, hot: Index, rules: tuple[int, bool, int, int], left: int) -> tuple[float, Index, Index]:
    """The gain for each move of an exchange with a slot of the hot GPU, and the two slots."""
    gpus_per_node, distinct = rules[0], rules[1]
    first_gpu, starts, slow = hot // gpus_per_node * gpus_per_node, d.starts, d.slowness[hot]
    # Arrays by themselves: a tuple of them is slow to hand on, and this is the innermost loop.
    slots, copies, held, counts, loads = d.slots, d.copies, d.held, d.counts, d.loads
    gpu_loads, targets, above = d.gpu_loads, d.targets, d.above
    best, first, second = 0.0, np.int64(-1), np.int64(-1)
    for slot in range(starts[hot], starts[hot + 1]):
        a = slots[slot]
        saved = int(copies[hot, a] == 1 and not held[hot, a])
        for gpu in range(first_gpu, first_gpu + gpus_per_node):
            if gpu == hot or (distinct and copies[gpu, a] > 0):
                continue
            needed = int(copies[gpu, a] == 0 and not held[gpu, a]) - saved
            slow_there = d.slowness[gpu]
            for other in range(starts[gpu], starts[gpu + 1]):
                b = slots[other]
                if a == b or (distinct and copies[hot, b] > 0):
                    continue
                moves = needed + int(copies[hot, b] == 0 and not held[hot, b])
                moves -= int(copies[gpu, b] == 1 and not held[gpu, b])
                if moves > left:
                    continue
                gain = above[hot] + above[gpu]
                for k in range(targets.size):
                    shift = loads[a, k] / counts[a] - loads[b, k] / counts[b]
                    gain -= max(0.0, gpu_loads[hot, k] - shift * slow - targets[k])
                    gain -= max(0.0, gpu_loads[gpu, k] + shift * slow_there - targets[k])
                worth = gain / max(float(moves), _FREE)
                if gain > _NOTHING and worth > best:
                    best, first, second = worth, np.int64(slot), np.int64(other)
    return best, first, second


@compiled
def _best_copy(d: Descent, hot: Index, rules: tuple[int, bool, int, int], left: int) -> tuple[float, Index, Index]:
    """The same of a further replica of what the hot GPU has, or on it: the slot that it gets, and one that has it."""
    gpus_per_node, distinct, max_replicas = rules[0], rules[1], rules[2]
    best, first, second = 0.0, np.int64(-1), np.int64(-1)
    starts, gpu = d.starts, hot // gpus_per_node * gpus_per_node
    begin, end = starts[gpu], starts[gpu + gpus_per_node]
    for slot in range(begin, end):
        while slot >= starts[gpu + 1]:
            gpu += 1
        a = d.slots[slot]
        if d.counts[a] == 1:
            continue
        for other in range(begin if gpu == hot else starts[hot], end if gpu == hot else starts[hot + 1]):
            b = d.slots[other]
            if a == b or d.counts[b] >= max_replicas or (distinct and d.copies[gpu, b] > 0):
                continue
            moves = int(d.copies[gpu, b] == 0 and not d.held[gpu, b])
            moves -= int(d.copies[gpu, a] == 1 and not d.held[gpu, a])
            if moves > left:
                continue
            gain = _gain_of_copy(d, gpu, a, b)
            worth = gain / max(float(moves), _FREE)
            if gain > _NOTHING and worth > best:
                best, first, second = worth, np.int64(slot), np.int64(other)
    return best, first, second


@compiled
def _gain_of_copy(d: Descent, gpu: Index, a: Index, b: Index) -> float:
    """What less is above the targets once a slot of a GPU has b in the place of a, which has other replicas."""
    gain = 0.0
    for g in range(len(d.held)):
        of_a, of_b = d.copies[g, a], d.copies[g, b]
        if of_a == 0 and of_b == 0 and g != gpu:
            continue
        gain += d.above[g]
        here = int(g == gpu)
        for k in range(d.targets.size):
            load, slow = d.gpu_loads[g, k], d.slowness[g]
            load += d.loads[a, k] * ((of_a - here) / (d.counts[a] - 1.0) - of_a / d.counts[a]) * slow
            load += d.loads[b, k] * ((of_b + here) / (d.counts[b] + 1.0) - of_b / d.counts[b]) * slow
            gain -= max(0.0, load - d.targets[k])
    return gain
