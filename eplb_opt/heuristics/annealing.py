"""Annealing for several windows: random exchanges of slots and transfers of replicas, sometimes for the worse."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.heuristics.kernels import Floats, Index, Ints, compiled
from eplb_opt.heuristics.moves import exchange, transfer

# Share of the proposals that change counts, and of those that begin at the hottest GPU of some window.
_TRANSFERS, _FOCUSED = 0.1, 0.5
# Sums of increments drift: after so many accepted moves they start again from the table itself.
_FRESH = 10_000
# Proposals at one temperature.
_LEVEL = 100


@compiled
def anneal(
    w: Floats,
    weights: Floats,
    slots: Ints,
    best: Ints,
    gpus_per_node: int,
    max_replicas: int,
    distinct: bool,
    hot: float,
    cold: float,
    proposals: int,
    random: np.random.Generator,
) -> float:
    """Lower the weighted mean over windows of the hottest GPU's load; `best` ends as the best table found.

    ``w[e, k]`` is the load of expert e in window k, each window divided by its mean GPU load; `weights` of windows sum
    to 1, and where all of them are 0 the largest over windows counts instead. Exchanges and transfers stay within
    nodes of `gpus_per_node`. A move that raises the value by d is made with probability exp(-d / temperature), which
    falls from `hot` to `cold` in `proposals` proposals; `slots` ends as the last table, to go on from. For every window
    the three hottest GPUs are kept, so that an exchange is valued in a time that depends on the windows alone.

    Returns the value of `best`, never above that of the table given but for rounding.
    Source: S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671-680 (1983),
    https://doi.org/10.1126/science.220.4598.671.
    """
    num_gpus, size = slots.shape
    num_windows = w.shape[1]
    best[:] = slots
    counts = np.zeros(w.shape[0], dtype=np.int64)
    holds = np.zeros((num_gpus, w.shape[0]), dtype=np.int32)
    for gpu in range(num_gpus):
        for place in range(size):
            counts[slots[gpu, place]] += 1
            holds[gpu, slots[gpu, place]] += 1
    share = np.empty(w.shape)
    load = np.empty((num_gpus, num_windows))
    top = np.zeros((num_windows, 3), dtype=np.int64)
    _refresh(w, slots, counts, share, load, top)
    marks = np.zeros(num_gpus, dtype=np.int64)
    value = _value(load, top, weights)
    least = value
    if num_gpus < 2:
        return float(value)
    temperature = hot
    cooling = (cold / hot) ** (_LEVEL / max(proposals, _LEVEL))
    accepted = 0
    for proposal in range(1, proposals + 1):
        if proposal % _LEVEL == 0:
            temperature *= cooling
        focused = random.random() < _FOCUSED
        g = top[random.integers(0, num_windows), 0] if focused else random.integers(0, num_gpus)
        h = g - g % gpus_per_node + random.integers(0, gpus_per_node)
        i, j = random.integers(0, size), random.integers(0, size)
        a, b = slots[g, i], slots[h, j]
        if g == h or a == b or (distinct and holds[h, a]):
            continue
        if random.random() < _TRANSFERS:
            if counts[b] < 2 or counts[a] >= max_replicas:
                continue
            new = _value_after_transfer(w, counts, holds, share, load, top, weights, marks, proposal, h, a, b)
        else:
            if distinct and holds[g, b]:
                continue
            new = _value_after_exchange(share, load, top, weights, g, h, a, b)
            j += size
        if new > value and random.random() >= np.exp((value - new) / temperature):
            continue
        if j >= size:
            exchange(slots, holds, share, load, g, i, h, j - size)
            _rank(load, top, g, h)
        else:
            transfer(w, slots, counts, holds, share, load, h, j, a)
            _rank_all(load, top)
        accepted += 1
        if accepted % _FRESH == 0:
            _refresh(w, slots, counts, share, load, top)
            new = _value(load, top, weights)
        value = new
        if value < least:
            least = value
            best[:] = slots
    return float(least)


@compiled
def _refresh(w: Floats, table: Ints, counts: Ints, share: Floats, load: Floats, top: Ints) -> None:
    """Shares, loads and ranks from the table itself."""
    for expert in range(w.shape[0]):
        share[expert] = w[expert] / counts[expert]
    load[:] = 0.0
    for gpu in range(table.shape[0]):
        for expert in table[gpu]:
            load[gpu] += share[expert]
    _rank_all(load, top)


@compiled
def _rank_all(load: Floats, top: Ints) -> None:
    """The three hottest GPUs of each window, hottest first; with fewer GPUs the last one again."""
    for k in range(load.shape[1]):
        _rank_window(load, top, k)


@compiled
def _rank_window(load: Floats, top: Ints, k: Index) -> None:
    first = second = third = -1
    for gpu in range(load.shape[0]):
        value = load[gpu, k]
        if first < 0 or value > load[first, k]:
            first, second, third = gpu, first, second
        elif second < 0 or value > load[second, k]:
            second, third = gpu, second
        elif third < 0 or value > load[third, k]:
            third = gpu
    top[k, 0], top[k, 1] = first, second
    top[k, 2] = third if third >= 0 else second


@compiled
def _rank(load: Floats, top: Ints, g: Index, h: Index) -> None:
    """Ranks after the loads of two GPUs changed."""
    for k in range(load.shape[1]):
        least = load[top[k, 2], k]
        if (
            g == top[k, 0]
            or g == top[k, 1]
            or g == top[k, 2]
            or h == top[k, 0]
            or h == top[k, 1]
            or h == top[k, 2]
            or load[g, k] > least
            or load[h, k] > least
        ):
            _rank_window(load, top, k)


@compiled
def _value(load: Floats, top: Ints, weights: Floats) -> float:
    mean = largest = 0.0
    for k in range(load.shape[1]):
        mean += weights[k] * load[top[k, 0], k]
        largest = max(largest, load[top[k, 0], k])
    return mean if weights[0] > 0.0 else largest


@compiled
def _value_after_exchange(
    share: Floats, load: Floats, top: Ints, weights: Floats, g: Index, h: Index, a: Index, b: Index
) -> float:
    """The value once GPU g has b for a, and h has a for b."""
    mean = largest = 0.0
    for k in range(load.shape[1]):
        more = share[a, k] - share[b, k]
        new = max(load[g, k] - more, load[h, k] + more)
        for rank in range(3):
            gpu = top[k, rank]
            if gpu != g and gpu != h:
                new = max(new, load[gpu, k])
                break
        mean += weights[k] * new
        largest = max(largest, new)
    return mean if weights[0] > 0.0 else largest


@compiled
def _value_after_transfer(
    w: Floats,
    counts: Ints,
    holds: Any,
    share: Floats,
    load: Floats,
    top: Ints,
    weights: Floats,
    marks: Ints,
    mark: int,
    h: Index,
    a: Index,
    b: Index,
) -> float:
    """The value once GPU h has a for b: a has one replica more, b one less. `marks` is scratch, `mark` is new in it."""
    mean = largest = 0.0
    num_gpus = load.shape[0]
    for gpu in range(num_gpus):
        if gpu == h or holds[gpu, a] or holds[gpu, b]:
            marks[gpu] = mark
    for k in range(load.shape[1]):
        new_a, new_b = w[a, k] / (counts[a] + 1), w[b, k] / (counts[b] - 1)
        more_a, more_b = new_a - share[a, k], new_b - share[b, k]
        new = -1.0
        for rank in range(3):
            gpu = top[k, rank]
            if marks[gpu] != mark:
                new = load[gpu, k]
                break
        scan = new < 0.0
        for gpu in range(num_gpus):
            if marks[gpu] == mark:
                heat = load[gpu, k] + holds[gpu, a] * more_a + holds[gpu, b] * more_b
                if gpu == h:
                    heat += new_a - new_b
                new = max(new, heat)
            elif scan:
                new = max(new, load[gpu, k])
        mean += weights[k] * new
        largest = max(largest, new)
    return mean if weights[0] > 0.0 else largest
