"""Loads as figures draw them: in floats, over a mean, mean over windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

Floats = NDArray[np.float64]


def expert_loads(loads: Loads) -> Floats:
    """Load of each expert over the mean of its layer, shape ``(layers, experts)``, mean over windows with any load.

    1 everywhere in a layer without load.
    """
    values = loads.values.astype(np.float64)
    return _over_means(values)


def gpu_loads(plan: Plan, loads: Loads) -> Floats:
    """Load of each GPU over the mean, hottest first, shape ``(layers, gpus)``, mean over windows with any load.

    GPUs are sorted in each window by itself, so that the first column is the mean imbalance. The plan's rows are the
    layers of the loads.
    """
    shares = loads.values / plan.replica_counts
    slots = np.broadcast_to(plan.physical_to_logical, (loads.num_windows, *plan.physical_to_logical.shape))
    slot_loads = np.take_along_axis(shares, slots, axis=2)
    by_gpu = slot_loads.reshape(*slot_loads.shape[:2], plan.deployment.num_gpus, -1).sum(axis=3)
    return _over_means(-np.sort(-by_gpu, axis=2))


def _over_means(values: Floats) -> Floats:
    """Values over the mean of their row, shape ``(windows, layers, n)``; mean over the windows with any load."""
    means = values.mean(axis=2, keepdims=True)
    loaded = means > 0
    ratios = np.divide(values, means, out=np.zeros_like(values), where=loaded)
    windows = loaded.sum(axis=0)
    result: Floats = np.where(windows > 0, ratios.sum(axis=0) / np.maximum(windows, 1), 1.0)
    return result
