"""Neighbours: the experts whose replicas are most alike in every window, worth trying to exchange."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Neighbours of each expert: with all others, or twice as many, annealing ends no better.
_MOST = 32
# Windows that are compared: of many, some tell well enough which experts are alike.
_WINDOWS = 8


def nearest_experts(loads: NDArray[np.float64], table: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """The experts of the same node whose replica loads differ least from each expert's, nearest first.

    ``loads[k, e]`` is the load of expert e in window k, `table` holds a row of slots for each GPU, or each node. The
    difference is
    summed over at most 8 windows. Shape ``(experts, n)``, n at most 32, and less where a node has fewer experts.
    """
    counts = np.bincount(table.ravel(), minlength=loads.shape[1])
    shares = loads / counts
    node = np.empty(loads.shape[1], dtype=np.int64)
    node[table] = np.arange(len(table))[:, np.newaxis] * num_nodes // len(table)
    away = np.where(node[:, np.newaxis] == node, 0.0, np.inf)
    np.fill_diagonal(away, np.inf)
    for window in shares[:: -(-len(shares) // _WINDOWS)]:
        away += np.abs(window[:, np.newaxis] - window)
    most = min(_MOST, loads.shape[1] // num_nodes - 1)
    if most < 1:
        return np.empty((loads.shape[1], 0), dtype=np.int64)
    nearest = np.argpartition(away, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(away, nearest, axis=1), axis=1, kind="stable")
    return np.take_along_axis(nearest, order, axis=1)
