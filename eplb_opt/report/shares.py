"""Loads as figures draw them: in floats, over a mean, mean over windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.verify import gpu_loads as exact_gpu_loads

Floats = NDArray[np.float64]


def expert_shares(loads: Loads) -> Floats:
    """Each expert's part of the load of its layer and window, shape of the loads; 0 where there is no load."""
    values = loads.values.astype(np.float64)
    sums = values.sum(axis=2, keepdims=True)
    shares: Floats = np.divide(values, sums, out=np.zeros_like(values), where=loads.loaded[:, :, np.newaxis])
    return shares


def expert_loads(loads: Loads) -> Floats:
    """Load of each expert over the mean of its layer, shape ``(layers, experts)``, mean over windows with any load.

    ``NaN`` in a layer without load.
    """
    return _over_windows(loads.num_experts * expert_shares(loads), loads)


def gpu_loads(plan: Plan, loads: Loads) -> Floats:
    """Load of each GPU over the mean, hottest first, shape ``(layers, gpus)``, mean over windows with any load.

    GPUs are sorted in each window by itself, so that the first column is the mean imbalance, under the plan's dispatch.
    ``NaN`` in a layer without load. The plan's rows are the layers of the loads.
    """
    by_gpu = np.stack([_ratios_of_gpus(slots, instance) for slots, instance in layers_of(plan, loads)], axis=1)
    hottest_first = -np.sort(-by_gpu, axis=2)
    return _over_windows(hottest_first, loads)


def _ratios_of_gpus(slots: Sequence[int], instance: Instance) -> Floats:
    """Load of each GPU over the mean, shape ``(windows, gpus)``; 0 in windows without load."""
    windows = zip(exact_gpu_loads(slots, instance), instance.mean_loads, strict=True)
    return np.array([[float(load / (mean or 1)) for load in loads] for loads, mean in windows])


def with_load(ratios: Floats) -> Floats:
    """The rows of layers that have load, of what `expert_loads` or `gpu_loads` returned."""
    rows: Floats = ratios[~np.isnan(ratios[:, 0])]
    return rows


def _over_windows(ratios: Floats, loads: Loads) -> Floats:
    """Mean over the windows in which a layer has load; `ratios` are 0 in the others."""
    windows = loads.loaded.sum(axis=0)[:, np.newaxis]
    means: Floats = np.full(ratios.shape[1:], np.nan)
    np.divide(ratios.sum(axis=0), windows, out=means, where=windows > 0)
    return means
