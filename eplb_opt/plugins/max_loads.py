"""Max loads of many layers at once, and which of two plans of a layer is cooler."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.plugins.plain import Floats, Ints
from eplb_opt.verify import max_loads, verify

# More than floats lose in the load of a GPU.
_ROUNDING = 1e-9


def hottest_loads(values: NDArray[Any], rows: Ints, num_gpus: int) -> Floats:
    """Load of the hottest GPU of each layer in tokens, shape ``(layers,)``, where replicas share equally.

    `values` of shape ``(layers, experts)``, `rows` of shape ``(layers, slots)``. Slots without an expert carry nothing.
    """
    num_layers, num_experts = values.shape
    held = (rows >= 0) & (rows < num_experts)
    experts = np.where(held, rows, 0)
    keys = (np.arange(num_layers)[:, np.newaxis] * num_experts + experts)[held]
    counts = np.bincount(keys, minlength=values.size).reshape(values.shape)
    shares = np.take_along_axis(values / counts.clip(1), experts, axis=1) * held
    loads: Floats = shares.reshape(num_layers, num_gpus, rows.shape[1] // num_gpus).sum(axis=2).max(axis=1)
    return loads


def strictly_cooler(values: NDArray[Any], rows: Ints, others: Ints, deployment: Deployment) -> NDArray[np.bool_]:
    """In which layers the max load of `rows` is less than that of `others`, exactly; both are complete plans."""
    here, there = (hottest_loads(values, plan, deployment.num_gpus) for plan in (rows, others))
    cooler = here < there
    # Exact arithmetic takes a hundred times longer, and decides where floats cannot tell.
    for layer in np.flatnonzero(np.abs(here - there) <= _ROUNDING * there):
        one = slice(layer, layer + 1)
        exact, limit = (exact_max_loads(values[one], plan[one], deployment) for plan in (rows, others))
        cooler[layer] = exact < limit
    return cooler


def exact_max_loads(values: NDArray[Any], rows: Ints, deployment: Deployment) -> list[Fraction]:
    """The same as `hottest_loads` of complete plans, exactly: half a millisecond a layer."""
    layers = zip(values, rows.tolist(), strict=True)
    return [max_loads(row, Instance.from_loads(layer, deployment))[0] for layer, row in layers]


def valid_layers(rows: Ints, deployment: Deployment, num_experts: int) -> NDArray[np.bool_]:
    """Which rows obey the rules of the deployment."""
    if not verify(Plan(rows, deployment, num_experts)):
        return np.ones(len(rows), dtype=np.bool_)
    # What an engine begins with is the same in all layers.
    different, which = np.unique(rows, axis=0, return_inverse=True)
    valid = np.array([not verify(Plan(row[np.newaxis], deployment, num_experts)) for row in different])
    return valid[which.ravel()]
