"""What a table is worth over several windows: its hottest GPUs, and the value now and after a move.

The value is the weighted mean over windows of the hottest GPU's load, or where all `weights` are 0 the largest load.
Loads are in mean GPU loads, those of a `State` with a column for each window. ``top[k]`` has the three hottest GPUs of
window k, so that the value after an exchange takes a time that depends on the number of windows alone.
"""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.state import State


@compiled
def rank_all(load: Floats, top: Ints) -> None:
    """The three hottest GPUs of each window, hottest first; with fewer GPUs the last one again."""
    for k in range(load.shape[1]):
        rank_window(load, top, k)


@compiled
def rank_window(load: Floats, top: Ints, k: Index) -> None:
    """The three hottest GPUs of one window."""
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
def rank_again(load: Floats, top: Ints, g: Index, h: Index) -> None:
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
            rank_window(load, top, k)


@compiled
def hottest(load: Floats, top: Ints, weights: Floats, random: np.random.Generator) -> Index:
    """The hottest GPU of a window at random, or where `weights` are 0 of all windows."""
    if weights[0] > 0.0:
        some: Index = top[draw(random, top.shape[0]), 0]
        return some
    window = 0
    for k in range(1, top.shape[0]):
        if load[top[k, 0], k] > load[top[window, 0], window]:
            window = k
    gpu: Index = top[window, 0]
    return gpu


@compiled
def mean_or_largest(loads: Floats, weights: Floats) -> float:
    """The value of windows with these hottest loads."""
    mean = largest = 0.0
    for k in range(loads.size):
        mean += weights[k] * loads[k]
        largest = max(largest, loads[k])
    return mean if weights[0] > 0.0 else largest


@compiled
def value_of(load: Floats, top: Ints, weights: Floats) -> float:
    """The value of a table."""
    hot = np.empty(load.shape[1])
    for k in range(hot.size):
        hot[k] = load[top[k, 0], k]
    return mean_or_largest(hot, weights)


@compiled
def floor_of(load: Floats, top: Ints, weights: Floats) -> float:
    """What the mean is at least after any exchange.

    Of the three hottest GPUs of a window one stays as it is; of two GPUs the sum stays, and the hotter has half of it.
    """
    floor = 0.0
    for k in range(load.shape[1]):
        floor += weights[k] * load[top[k, 2], k]
    return floor


@compiled
def value_after_exchange(
    state: State,
    top: Ints,
    weights: Floats,
    g: Index,
    h: Index,
    a: Index,
    b: Index,
    floor: float,
    limit: float,
) -> float:
    """The value once GPU g has b for a, and h has a for b; something above `limit` where the value is above it."""
    replica_loads, load = state.replica_loads, state.gpu_loads
    mean = largest = 0.0
    for k in range(load.shape[1]):
        more = replica_loads[a, k] - replica_loads[b, k]
        new = max(load[g, k] - more, load[h, k] + more)
        for rank in range(3):
            gpu = top[k, rank]
            if gpu != g and gpu != h:
                new = max(new, load[gpu, k])
                break
        # From here on floor is that of the windows left, and mean and floor together are what the mean is at least.
        floor -= weights[k] * load[top[k, 2], k]
        mean += weights[k] * new
        largest = max(largest, new)
        if (mean + floor if weights[0] > 0.0 else largest) > limit:
            return np.inf
    return mean if weights[0] > 0.0 else largest


@compiled
def value_after_transfer(
    state: State,
    top: Ints,
    weights: Floats,
    marks: Ints,
    mark: int,
    h: Index,
    a: Index,
    b: Index,
) -> float:
    """The value once GPU h has a for b: a has one replica more, b one less. `marks` is scratch, `mark` is new in it."""
    w, counts, holds, replica_loads, load = state.loads, state.counts, state.holds, state.replica_loads, state.gpu_loads
    mean = largest = 0.0
    num_gpus = load.shape[0]
    for gpu in range(num_gpus):
        if gpu == h or holds[gpu, a] or holds[gpu, b]:
            marks[gpu] = mark
    for k in range(load.shape[1]):
        new_a, new_b = w[a, k] / (counts[a] + 1), w[b, k] / (counts[b] - 1)
        more_a, more_b = new_a - replica_loads[a, k], new_b - replica_loads[b, k]
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
