"""Parting: plans of others, whose doubled replicas are exchanged where a deployment wants them distinct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.batch import Placement
from eplb_opt.heuristics.refinement import num_doubled, part_doubles
from eplb_opt.kernels.state import state_of

Table = NDArray[np.int64]


def parted(slots: NDArray[np.int64], loads: NDArray[np.float64], deployment: Deployment) -> Placement:
    """The same plans without an expert twice on a GPU where replicas must be distinct, and how many there were.

    `slots` of shape ``(layers, slots)`` obey all other rules; `loads` of shape ``(layers, experts)``, in any unit,
    decide which slots are exchanged: those that leave the heavier of two GPUs the lightest, as for published
    heuristics. Replica counts stay as they are, but for those that are more than the GPUs of a node: as published
    heuristics are held to them, further replicas go to the experts with the largest load per replica. For GPUs of
    equally many slots, in a deployment with room for the experts.
    """
    found = np.array(slots, dtype=np.int64)
    doubled = np.zeros(len(found), dtype=np.int64)
    gpus, size = deployment.gpus_per_node, deployment.slots_per_gpu
    for layer, row in enumerate(found):
        for part in row.reshape(-1, gpus * size):
            experts = np.unique(part)
            table = np.searchsorted(experts, part).reshape(gpus, size)
            of_experts = loads[layer][experts]
            here = num_doubled(state_of(of_experts, table, gpus, deployment.distinct))
            doubled[layer] += here
            if deployment.distinct and here:
                _cap(table, of_experts)
                part_doubles(state_of(of_experts, table, gpus, deployment.distinct))
                part[:] = experts[table.ravel()]
    return Placement(found, doubled)


def _cap(table: Table, loads: NDArray[np.float64]) -> None:
    """Give on replicas beyond one for each GPU, those first that share a GPU; there is room as slots are no more."""
    gpus = len(table)
    counts = np.bincount(table.ravel(), minlength=len(loads))
    for expert in np.flatnonzero(counts > gpus).tolist():
        for gpu, place in _shared(table, expert)[: counts[expert] - gpus]:
            per_replica = np.where(counts < gpus, loads / counts, -1.0)
            other = int(per_replica.argmax())
            table[gpu, place] = other
            counts[other] += 1
        counts[expert] = gpus


def _shared(table: Table, expert: int) -> list[tuple[int, int]]:
    """Places of an expert on GPUs that hold it already."""
    return [(gpu, place) for gpu, row in enumerate(table) for place in np.flatnonzero(row == expert)[1:]]
