"""Moves: what has to be copied to get from one plan to another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.plan import Plan


def moves_between(old: Plan, new: Plan) -> int:
    """Experts on GPUs that the old plan did not have there, over all layers: so many replicas have to be copied.

    Slots of a GPU may be exchanged for free; no GPU is renamed. Both plans are of the same layers, experts and GPUs.
    """
    return sum(
        int(np.count_nonzero(_held(after, new) & ~_held(before, old)))
        for before, after in zip(old.physical_to_logical, new.physical_to_logical, strict=True)
    )


def _held(row: NDArray[np.int64], plan: Plan) -> NDArray[np.bool_]:
    """Which GPU holds which expert, shape ``(gpus, experts)``."""
    held = np.zeros((plan.deployment.num_gpus, plan.num_experts), dtype=bool)
    held[np.arange(row.size) // plan.deployment.slots_per_gpu, row] = True
    return held
