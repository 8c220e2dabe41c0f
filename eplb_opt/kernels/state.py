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
        state.replica_loads[expert] = state.loads[expert] / state.counts[expert]
    state.gpu_loads[:] = 0.0
    for gpu in range(state.slots.shape[0]):
        for place in range(state.slots.shape[1]):
            state.gpu_loads[gpu] += state.replica_loads[state.slots[gpu, place]]


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
    gpu_loads[g] += replica_loads[b] - replica_loads[a]
    gpu_loads[h] += replica_loads[a] - replica_loads[b]


@compiled
def transfer(state: State, g: Index, i: Index, expert: Index) -> None:
    """Slot i of GPU g becomes one more replica of `expert`."""
    counts, holds, replica_loads, gpu_loads = state.counts, state.holds, state.replica_loads, state.gpu_loads
    other = state.slots[g, i]
    state.slots[g, i] = expert
    gpu_loads[g] += replica_loads[expert] - replica_loads[other]
    holds[g, other] -= 1
    holds[g, expert] += 1
    counts[other] -= 1
    counts[expert] += 1
    for changed in (other, expert):
        new = state.loads[changed] / counts[changed]
        for gpu in range(gpu_loads.shape[0]):
            if holds[gpu, changed]:
                gpu_loads[gpu] += holds[gpu, changed] * (new - replica_loads[changed])
        replica_loads[changed] = new
