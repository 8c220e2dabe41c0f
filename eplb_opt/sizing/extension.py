"""Extension: a layer's row of slots for more slots on every GPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def extended_row(row: Ints, values: NDArray[np.generic], deployment: Deployment) -> Ints:
    """The row with more replicas on each GPU, as many slots as the deployment has; the same row where it has no more.

    `values` are the layer's loads, shape ``(windows, experts)``. All slots have to be filled, so that a plan can become
    worse by having more of them. GPUs choose one after the other, the coldest first: the expert that leaves the mean
    over windows of the hottest GPU smallest under the even split, and of those that do, the loads most even.
    O(windows x GPUs x experts) for each new slot.
    """
    gpus, experts = deployment.num_gpus, values.shape[1]
    table, loads = row.reshape(gpus, -1), _in_mean_loads(values, gpus)
    holds = np.zeros((gpus, experts))
    np.add.at(holds, (np.arange(gpus)[:, np.newaxis], table), 1.0)
    # Experts that a GPU may hold: those of its node, which somebody there holds.
    allowed = np.repeat(
        holds.reshape(deployment.binding_nodes, -1, experts).any(axis=1), deployment.gpus_per_node, axis=0
    )
    counts = holds.sum(axis=0)
    added: list[Ints] = []
    for _ in range(deployment.slots_per_gpu - table.shape[1]):
        column = np.empty(gpus, dtype=np.int64)
        carried = (loads / counts) @ holds.T
        for gpu in np.argsort(carried.mean(axis=0), kind="stable"):
            possible = allowed[gpu] & ((holds[gpu] == 0) if deployment.distinct else True)
            candidates = np.flatnonzero(possible)
            # What a GPU carries once a candidate has a replica more, shape (windows, GPUs, candidates).
            change = loads[:, candidates] * (1.0 / (counts[candidates] + 1.0) - 1.0 / counts[candidates])
            after = carried[:, :, np.newaxis] + holds[:, candidates] * change[:, np.newaxis, :]
            after[:, gpu] += loads[:, candidates] / (counts[candidates] + 1.0)
            hottest, uneven = after.max(axis=1).mean(axis=0), np.square(after).sum(axis=(0, 1))
            best = np.lexsort((uneven, hottest))[0]
            column[gpu] = candidates[best]
            carried = after[:, :, best]
            holds[gpu, column[gpu]] += 1.0
            counts[column[gpu]] += 1.0
        added.append(column)
    return np.column_stack([table, *added]).ravel()


def _in_mean_loads(values: NDArray[np.generic], num_gpus: int) -> Floats:
    """Windows in their mean GPU loads; those without load stay zero."""
    loads = values.astype(np.float64)
    means = loads.sum(axis=1, keepdims=True) / num_gpus
    found: Floats = np.divide(loads, means, out=np.zeros_like(loads), where=means > 0)
    return found
