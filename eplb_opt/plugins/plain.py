"""Plain: plans in NumPy, for layers without load and for when compiled code cannot be had."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def even_row(num_experts: int, deployment: Deployment) -> Ints:
    """A valid plan of a layer that says nothing about its loads: slot -> expert, shape ``(slots,)``.

    Groups are bound to nodes in order, counts on a node differ by at most one, and replicas, one expert after the
    other, are dealt to the node's GPUs in turn, so that those of an expert, which are neighbours, part.
    """
    size = num_experts // deployment.binding_nodes
    least, more = divmod(deployment.slots_per_node, size)
    replicas = np.repeat(np.arange(size, dtype=np.int64), least + (np.arange(size) < more))
    node = replicas.reshape(deployment.slots_per_gpu, deployment.gpus_per_node).T.ravel()
    return (np.arange(deployment.binding_nodes)[:, np.newaxis] * size + node).ravel()


def even_rows(values: NDArray[Any], deployment: Deployment) -> Ints:
    """`even_row` for each layer of `values`, of shape ``(layers, experts)``: shape ``(layers, slots)``."""
    return np.tile(even_row(values.shape[1], deployment), (len(values), 1))


def published_rows(values: NDArray[Any], deployment: Deployment) -> Ints:
    """Plans of the policy that engines ship, for loads of shape ``(layers, experts)``: ``(layers, slots)``.

    Heuristic ``"lpt"`` of `eplb_opt.heuristics.registry` again, without compiled code: an engine is given a plan where
    none can be had. Both give every slot the same load; which of several experts with equal loads has it may differ.
    Milliseconds for a model, as all layers go step by step together.
    """
    loads = np.asarray(values, dtype=np.float64)
    num_layers, num_experts = loads.shape
    nodes, size = deployment.binding_nodes, num_experts // deployment.binding_groups
    groups = _packed(loads.reshape(num_layers, -1, size).sum(axis=2), nodes)
    experts = (groups[..., np.newaxis] * size + np.arange(size)).reshape(num_layers, -1)
    local = np.take_along_axis(loads, experts, axis=1).reshape(num_layers * nodes, -1)
    owner, share = _replicated(local, deployment.slots_per_node)
    packs = _packed(share, deployment.gpus_per_node).reshape(len(owner), -1)
    experts = experts.reshape(len(owner), -1)
    return np.take_along_axis(experts, np.take_along_axis(owner, packs, axis=1), axis=1).reshape(num_layers, -1)


def _replicated(loads: Floats, num_slots: int) -> tuple[Ints, Floats]:
    """Expert and load of each replica, both of shape ``(rows, slots)``."""
    rows, num_experts = loads.shape
    owner = np.tile(np.arange(num_slots, dtype=np.int64), (rows, 1))
    counts = np.ones((rows, num_experts), dtype=np.int64)
    every = np.arange(rows)
    for slot in range(num_experts, num_slots):
        hottest = np.argmax(loads / counts, axis=1)
        owner[:, slot] = hottest
        counts[every, hottest] += 1
    return owner, np.take_along_axis(loads / counts, owner, axis=1)


def _packed(loads: Floats, num_packs: int) -> Ints:
    """Items of each pack, heaviest first to the lightest pack with room: shape ``(rows, packs, items of a pack)``."""
    rows, num_items = loads.shape
    size = num_items // num_packs
    table = np.empty((rows, num_packs, size), dtype=np.int64)
    weight, used = np.zeros((rows, num_packs)), np.zeros((rows, num_packs), dtype=np.int64)
    every = np.arange(rows)
    for item in np.argsort(-loads, axis=1, kind="stable").T:
        pack = np.argmin(np.where(used < size, weight, np.inf), axis=1)
        table[every, pack, used[every, pack]] = item
        weight[every, pack] += loads[every, item]
        used[every, pack] += 1
    return table
