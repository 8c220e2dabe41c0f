"""State: the plan of one node while compiled code changes it, with everything that is kept of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled


class State(NamedTuple):
    """A node with `E` experts and `G` GPUs of `S` slots; arrays change in place.

    Loads are in any one unit. They are numbers for one window, and rows of K numbers for K windows.

    Attributes
    ----------
    loads
        Load of each expert, shape ``(E,)`` or ``(E, K)``.
    slots
        Expert in each slot, shape ``(G, S)``, int64.
    counts
        Replicas of each expert, shape ``(E,)``, int64.
    holds
        Replicas of each expert on each GPU, shape ``(G, E)``, int32.
    replica_loads
        ``loads / counts``: load of each replica of an expert, shaped as `loads`.
    gpu_loads
        Load of each GPU, shape ``(G,)`` or ``(G, K)``.
    max_replicas
        Most replicas of an expert.
    distinct
        Whether a GPU may hold an expert only once.
    """

    loads: Floats
    slots: Ints
    counts: Ints
    holds: Any
    replica_loads: Floats
    gpu_loads: Floats
    max_replicas: int
    distinct: bool


@compiled
def state_of(loads: Floats, slots: Ints, max_replicas: int, distinct: bool) -> State:
    """The state of a table of slots, which it holds itself: changes of the state are changes of `slots`."""
    num_gpus, size = slots.shape
    num_experts = loads.shape[0]
    counts = np.zeros(num_experts, dtype=np.int64)
    holds = np.zeros((num_gpus, num_experts), dtype=np.int32)
    for gpu in range(num_gpus):
        for place in range(size):
            counts[slots[gpu, place]] += 1
            holds[gpu, slots[gpu, place]] += 1
    replica_loads, gpu_loads = loads.copy(), np.zeros((num_gpus, *loads.shape[1:]))
    state = State(loads, slots, counts, holds, replica_loads, gpu_loads, max_replicas, distinct)
    add_up(state)
    return state


@compiled
def add_up(state: State) -> None:
    """Loads of replicas and GPUs from slots and counts: sums of increments drift."""
    for expert in range(state.counts.size):
        _share(state.loads, state.counts, state.replica_loads, expert)
    for gpu in range(state.slots.shape[0]):
        _fill(state.slots, state.replica_loads, state.gpu_loads, gpu)


# Below, numbers of one window and rows of several in the words of each, as rows in the words of numpy take the compiler
# seconds. Only the words for the arrays given are compiled.


@compiled
def _share(loads: Floats, counts: Ints, replica_loads: Floats, expert: Index) -> None:
    """What each replica of an expert carries."""
    if loads.ndim == 1:
        replica_loads[expert] = loads[expert] / counts[expert]
    else:
        for k in range(loads.shape[1]):
            replica_loads[expert, k] = loads[expert, k] / counts[expert]


@compiled
def _fill(slots: Ints, replica_loads: Floats, gpu_loads: Floats, gpu: Index) -> None:
    """Add up what a GPU carries."""
    if gpu_loads.ndim == 1:
        gpu_loads[gpu] = 0.0
        for place in range(slots.shape[1]):
            gpu_loads[gpu] += replica_loads[slots[gpu, place]]
    else:
        for k in range(gpu_loads.shape[1]):
            gpu_loads[gpu, k] = 0.0
        for place in range(slots.shape[1]):
            for k in range(gpu_loads.shape[1]):
                gpu_loads[gpu, k] += replica_loads[slots[gpu, place], k]


@compiled
def _replace(replica_loads: Floats, gpu_loads: Floats, gpu: Index, new: Index, old: Index) -> None:
    """A GPU carries a replica of an expert instead of one of another."""
    if gpu_loads.ndim == 1:
        gpu_loads[gpu] += replica_loads[new] - replica_loads[old]
    else:
        for k in range(gpu_loads.shape[1]):
            gpu_loads[gpu, k] += replica_loads[new, k] - replica_loads[old, k]


@compiled
def _share_again(
    loads: Floats, counts: Ints, holds: Any, replica_loads: Floats, gpu_loads: Floats, expert: Index
) -> None:
    """Replicas of an expert carry what its new count says."""
    if gpu_loads.ndim == 1:
        new = loads[expert] / counts[expert]
        for gpu in range(gpu_loads.shape[0]):
            if holds[gpu, expert]:
                gpu_loads[gpu] += holds[gpu, expert] * (new - replica_loads[expert])
        replica_loads[expert] = new
    else:
        for gpu in range(gpu_loads.shape[0]):
            if holds[gpu, expert]:
                for k in range(gpu_loads.shape[1]):
                    more = loads[expert, k] / counts[expert] - replica_loads[expert, k]
                    gpu_loads[gpu, k] += holds[gpu, expert] * more
        _share(loads, counts, replica_loads, expert)


@compiled
def exchange(state: State, g: Index, i: Index, h: Index, j: Index) -> None:
    """Slot i of GPU g and slot j of GPU h change experts."""
    slots, holds, replica_loads, gpu_loads = state.slots, state.holds, state.replica_loads, state.gpu_loads
    a, b = slots[g, i], slots[h, j]
    slots[g, i], slots[h, j] = b, a
    holds[g, a] -= 1
    holds[g, b] += 1
    holds[h, b] -= 1
    holds[h, a] += 1
    _replace(replica_loads, gpu_loads, g, b, a)
    _replace(replica_loads, gpu_loads, h, a, b)


@compiled
def transfer(state: State, g: Index, i: Index, expert: Index) -> None:
    """Slot i of GPU g becomes one more replica of `expert`."""
    counts, holds, replica_loads, gpu_loads = state.counts, state.holds, state.replica_loads, state.gpu_loads
    other = state.slots[g, i]
    state.slots[g, i] = expert
    _replace(replica_loads, gpu_loads, g, expert, other)
    holds[g, other] -= 1
    holds[g, expert] += 1
    counts[other] -= 1
    counts[expert] += 1
    for changed in (other, expert):
        _share_again(state.loads, counts, holds, replica_loads, gpu_loads, changed)
