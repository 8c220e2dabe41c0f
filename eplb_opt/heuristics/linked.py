"""Linked: plans for the optimal split, where as many GPUs as can be share experts in a chain; and their search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import Slots, groups_of_slots, place_groups
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints
from eplb_opt.kernels.linked_singles import settle

# Pairs of singles that are looked at in a second of work.
EXCHANGED_PER_SECOND = 20_000_000
# Standard deviation of the logarithms of the factors of loads, for starts that differ.
_VARIATION = 0.05


def linked(instance: Instance, slots: Slots, seed: int = 0) -> Slots:
    """A plan with the groups of `slots`, Adams' counts, and its GPUs linked; from loads that are varied by a `seed`.

    The first replica of an expert goes to a GPU that is linked already, the others to GPUs that are not. So a spare
    slot links one more GPU, as long as there are any, and linked GPUs are as hot as each other.
    """
    loads = instance.kernel_loads
    if seed:
        random = np.random.default_rng(seed % 2**64)
        loads = loads * np.exp(_VARIATION * random.standard_normal(instance.num_experts))

    deployment = instance.deployment
    num_gpus, size = deployment.gpus_per_node, deployment.slots_per_gpu

    def place(experts: NDArray[np.int64], counts: Ints) -> Ints:
        table = _chained(loads[experts], counts, num_gpus, size)
        return pack(loads[experts], counts, num_gpus, size, deployment.distinct) if table is None else table

    return place_groups(instance, groups_of_slots(instance, slots), place)


def settled(instance: Instance, slots: Slots, seed: int, target: float, work: int) -> Slots:
    """A plan from `slots` by exchanges between linked GPUs; not worse than `slots`, which stays as it is, in floats.

    `target`, in the unit of `Instance.kernel_loads`, is good enough; `work` counts pairs of singles looked at. Same
    arguments, same plan.
    """
    deployment = instance.deployment
    row = np.array(slots, dtype=np.int64)
    random = np.random.default_rng(seed % 2**64)
    settle(
        instance.kernel_loads,
        row,
        deployment.num_gpus,
        deployment.gpus_per_node,
        target,
        np.array([work]),
        random,
    )
    return row


def _chained(loads: NDArray[np.float64], counts: Ints, num_gpus: int, size: int) -> Ints | None:
    """A table of GPUs: experts with several replicas as a chain, then the others, each to the coolest GPU with room.

    ``None`` where GPUs are full that an expert needs.
    """
    room, carried = np.full(num_gpus, size), np.zeros(num_gpus)
    linked = np.zeros(num_gpus, dtype=bool)
    table: list[list[int]] = [[] for _ in range(num_gpus)]
    for expert in np.lexsort((-loads, counts == 1)).tolist():
        chosen = _chosen(int(counts[expert]), room, carried, linked)
        if len(chosen) < counts[expert]:
            return None
        for gpu in chosen:
            table[gpu].append(expert)
        room[chosen] -= 1
        carried[chosen] += loads[expert] / counts[expert]
        linked[chosen] |= counts[expert] > 1
    return np.array(table)


def _chosen(num: int, room: Ints, carried: NDArray[np.float64], linked: NDArray[np.bool_]) -> list[int]:
    """GPUs for the replicas of an expert; of several, one that is linked, the others not, as far as there are any."""
    coolest = [int(gpu) for gpu in np.argsort(carried, kind="stable") if room[gpu] > 0]
    if num == 1:
        return coolest[:1]
    # Of a linked GPU, one slot stays for a single.
    joint = [gpu for gpu in coolest if linked[gpu] and room[gpu] > 1][:1]
    return (joint + sorted((gpu for gpu in coolest if gpu not in joint), key=lambda gpu: bool(linked[gpu])))[:num]
