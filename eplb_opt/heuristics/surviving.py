"""Surviving: rows of slots with every expert in two failure domains, dealt and then annealed."""

from __future__ import annotations

import numpy as np

from eplb_opt.failure_domains import COPIES, domain_gpus
from eplb_opt.heuristics.apart import apart
from eplb_opt.heuristics.apportionment import divisor_method
from eplb_opt.heuristics.moving import SHARES
from eplb_opt.heuristics.parts import ADAMS
from eplb_opt.heuristics.segment import Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.moving import Cooling, anneal_moves
from eplb_opt.kernels.origin import origin_of
from eplb_opt.kernels.placement import placement_of
from eplb_opt.kernels.shares import sources_of


def dealt(instance: Instance, loads: Floats, like: Slots) -> Slots:
    """A row that survives: Adams' counts from two replicas on, the replicas of each expert on GPUs in a row.

    A cyclic deal puts as many consecutive replicas as there are GPUs on different ones, and any two in a row in
    different domains, as GPUs take turns node by node. Where groups are bound to nodes, they are where `like` has them,
    and each node is dealt by itself. `loads` of shape ``(experts,)`` decide who gets the replicas beyond two. Where
    GPUs have different numbers of slots, see `eplb_opt.heuristics.apart`.
    """
    deployment = instance.deployment
    if deployment.gpu_slots is not None:
        return apart(instance, loads, like)
    row = np.empty_like(like)
    for node in range(deployment.binding_nodes):
        span = slice(node * deployment.slots_per_node, (node + 1) * deployment.slots_per_node)
        experts = np.unique(like[span])
        counts = _counts(loads[experts], deployment.slots_per_node, instance.max_replicas)
        order = np.argsort(-loads[experts] / counts, kind="stable")
        size = domain_gpus(deployment)
        gpus = np.arange(deployment.gpus_per_node).reshape(-1, size).T.ravel()
        table = np.empty((deployment.gpus_per_node, deployment.slots_per_gpu), dtype=np.int64)
        table[gpus] = np.repeat(experts[order], counts[order]).reshape(deployment.slots_per_gpu, -1).T
        row[span] = table.ravel()
    return row


def annealed(instance: Instance, loads: Floats, start: Slots, targets: Floats, cooling: Cooling, seed: int) -> Slots:
    """The row that is least above `targets`, as in `eplb_opt.heuristics.moving.annealed`, of those that survive.

    `start` survives, and so does each row on the way. `loads` of the windows, shape ``(windows, experts)``, and
    targets, shape ``(windows,)``, are in mean loads. Any number of experts may move. Same arguments, same row.
    """
    deployment, row, best = instance.deployment, start.copy(), np.empty_like(start)
    sources = sources_of(SHARES[deployment.dispatch], deployment)
    placement = placement_of(np.ascontiguousarray(loads.T), row, sources, instance.max_replicas)
    anneal_moves(
        placement,
        # No expert has a place to go back to.
        origin_of(placement, np.full_like(start, -1)),
        targets,
        best,
        (deployment.gpus_per_node, deployment.distinct, row.size, domain_gpus(deployment)),
        cooling,
        np.random.default_rng(seed % 2**64),
    )
    return best


def hottest_slots(instance: Instance, loads: Floats) -> Floats:
    """Load of the hottest slot of each window that no row which survives is below, shape ``(windows,)``; on the fastest
    GPU.
    """
    slots, most = instance.deployment.num_slots, instance.max_replicas
    hottest: Floats = np.array([(window / _counts(window, slots, most)).max() for window in loads])
    return hottest / float(instance.deployment.gpus.fastest)


def _counts(loads: Floats, slots: int, most: int) -> Ints:
    """Replicas of each expert that make the hottest slot as cool as two of each allow, but for what floats round."""
    two = np.full(loads.size, COPIES, dtype=np.int64)
    return divisor_method(np.ascontiguousarray(loads), two, slots - COPIES * loads.size, most, ADAMS)
