"""Parting: plans of others, whose doubled replicas are exchanged where a deployment wants them distinct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.heuristics.batch import Placement
from eplb_opt.heuristics.refinement import num_doubled, part_doubles
from eplb_opt.kernels.state import state_of


def parted(slots: NDArray[np.int64], loads: NDArray[np.float64], deployment: Deployment) -> Placement:
    """The same plans without an expert twice on a GPU where replicas must be distinct, and how many there were.

    `slots` of shape ``(layers, slots)`` obey all other rules; `loads` of shape ``(layers, experts)``, in any unit,
    decide which slots are exchanged: those that leave the heavier of two GPUs the lightest, as for published
    heuristics. Replica counts, and the nodes of replicas under bound groups, stay as they are. For GPUs of equally many
    slots.

    Raises
    ------
    InvalidPlanError
        An expert with more replicas than GPUs can hold apart.
    """
    found = np.array(slots, dtype=np.int64)
    doubled = np.zeros(len(found), dtype=np.int64)
    gpus = deployment.gpus_per_node
    for layer, row in enumerate(found):
        for part in row.reshape(-1, gpus * deployment.slots_per_gpu):
            experts, counts = np.unique(part, return_counts=True)
            table = np.searchsorted(experts, part).reshape(gpus, deployment.slots_per_gpu)
            state = state_of(loads[layer][experts], table, gpus, deployment.distinct)
            here = num_doubled(state)
            doubled[layer] += here
            if not deployment.distinct or not here:
                continue
            if counts.max() > gpus:
                raise InvalidPlanError(
                    f"layer {layer}: expert {experts[counts.argmax()]} has {counts.max()} replicas for {gpus} GPUs, "
                    "and no GPU may hold it twice; distinct=False allows that (on the command line --no-distinct)"
                )
            part_doubles(state)
            part[:] = experts[table.ravel()]
    return Placement(found, doubled)
