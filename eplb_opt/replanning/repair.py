"""Repair: a valid row from one whose experts are not all there, or whose slots are not all full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.few_moves import Ints
from eplb_opt.errors import InvalidPlanError
from eplb_opt.gpus import Gpus
from eplb_opt.instance import Instance


def repaired(before: Ints, instance: Instance) -> Ints:
    """The row with every expert in some slot and every slot full; experts that are there stay wherever possible.

    Shape ``(slots,)``, empty slots of `before` are -1. Experts that are missing come first, the hottest before the
    others, each to the coolest GPU that has an empty slot or a spare replica; then empty slots get a replica of what
    is hottest for each of its replicas. Under the global policy, as what is left of nodes after a loss has no groups.

    Raises
    ------
    InvalidPlanError
        Replicas have to be distinct, and no such row was found.
    """
    gpus, row = instance.deployment.gpus, before.copy()
    loads, gpu_of_slot = instance.tokens.sum(axis=0), gpus.of_slot
    missing = np.setdiff1d(np.arange(instance.num_experts), row)
    for expert in missing[np.argsort(-loads[missing], kind="stable")]:
        counts = np.bincount(row[row >= 0], minlength=instance.num_experts)
        spare = (row < 0) | (counts[row] > 1)
        row[_coolest(row, spare, counts, loads, gpus)] = expert
    for slot in np.flatnonzero(row < 0):
        counts = np.bincount(row[row >= 0], minlength=instance.num_experts)
        ratios = loads / counts
        if instance.deployment.distinct:
            ratios[row[gpu_of_slot == gpu_of_slot[slot]]] = -1.0
        row[slot] = ratios.argmax()
        if ratios[row[slot]] < 0:
            raise InvalidPlanError(f"GPU {gpu_of_slot[slot]} has no room for replicas that are distinct")
    return row


def _coolest(row: Ints, spare: NDArray[np.bool_], counts: Ints, loads: NDArray[np.float64], gpus: Gpus) -> int:
    """The slot with nothing to lose on the coolest GPU that has one: an empty one, else the replica with least load."""
    shares = np.where(row >= 0, loads[row] / np.maximum(counts[row], 1), 0.0)
    waiting, slots = gpus.rough_waiting(shares), np.flatnonzero(spare)
    return int(slots[np.lexsort((shares[slots], waiting[gpus.of_slot[slots]], row[slots] >= 0))[0]])
