"""Search where the split over replicas is not even, or GPUs differ: the two steps of `window_search`."""

from __future__ import annotations

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.segment import Segment, Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.dispatched import anneal_dispatched
from eplb_opt.kernels.placement import Placement, placement_of
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, sources_of
from eplb_opt.kernels.singles import reassign_singles
from eplb_opt.objective import Windows

# As compiled code knows them.
RULES = {"even": EVEN, "nearest": NEAREST, "by-rank": BY_RANK}
# Seconds of work of a proposal: on top, for each GPU, for each window, for each of both. And of a node of reassignment.
_PER_PROPOSAL, _PER_NODE = (5.3e-7, 5e-10, 1.3e-8, 6e-11), 5e-8
# Temperature of reassignment, of what the plan is above the bound.
_SHAKEN, _LEAST_SHAKEN = 0.05, 1e-9
# A round of it begins with so many proposals of annealing, which end so much colder and count for so many nodes, and
# reassigns with so many.
_PROPOSALS, _COLDER, _NODES_ON_TOP, _NODES_PER_ROUND = 1_000, 1 / 30, 40_000, 200_000


def annealed(instance: Instance, windows: Windows, segment: Segment) -> tuple[Slots, Slots]:
    """The best plan of one segment, and the one where it ends; same arguments, same plans."""
    deployment = instance.deployment
    last = segment.slots.copy()
    best = np.empty_like(last)
    anneal_dispatched(
        _placement(instance, windows, last),
        _weights(windows),
        _nearest(windows, last, deployment),
        best,
        deployment.gpus_per_node,
        deployment.distinct,
        segment.transfers,
        segment.hot,
        segment.cold,
        segment.proposals,
        np.random.default_rng(segment.seed % 2**64),
    )
    return best, last


def reassigned(instance: Instance, windows: Windows, slots: Slots, above: float, seconds: float, seed: int) -> Slots:
    """The best plan of about so many `seconds` of reassignment from `slots`; same arguments, same plan.

    A round is a short annealing, hardly warm, and then the reassignment of experts with one replica; the first only
    reassigns, and each begins with the best plan so far. `above` is what the plan is above the bound, in what `windows`
    makes cool.
    """
    deployment, row = instance.deployment, slots.copy()
    random = np.random.default_rng(seed % 2**64)
    hot = max(_LEAST_SHAKEN, _SHAKEN * above)
    best, least, left = row, np.inf, int(seconds / _PER_NODE)
    while left > 0:
        row = best.copy()
        if least < np.inf:
            # Where it ends, not the best on the way: that would be the plan that it begins with.
            seed = int(random.integers(2**63))
            _, row = annealed(instance, windows, Segment(row, hot, hot * _COLDER, _PROPOSALS, seed))
        p = _placement(instance, windows, row)
        part = min(left, _NODES_PER_ROUND)
        reassign_singles(p, weights_of_several(windows), deployment.gpus_per_node, np.array([part]), random)
        left -= part + _NODES_ON_TOP
        tops = p.gpu_loads.max(axis=0)
        value = float(tops.max() if windows.worst else windows.shares @ tops)
        if value <= least:
            best, least = row, value
    return best


def reassignment_applies(instance: Instance) -> bool:
    """Whether there can be something to reassign: it takes the GPUs for alike."""
    return instance.deployment.alike and instance.deployment.gpus_per_node > 1


def seconds_per_proposal(instance: Instance, windows: Windows) -> float:
    """Work of a proposal of annealing."""
    on_top, per_gpu, per_window, per_both = _PER_PROPOSAL
    gpus, number = instance.deployment.num_gpus, len(windows.loads)
    return on_top + per_gpu * gpus + (per_window + per_both * gpus) * number


def reassigns_widely(instance: Instance, windows: Windows) -> bool:
    """It does not."""
    return False


def placement(windows: Windows, slots: Slots, deployment: Deployment, rule: int, max_replicas: int) -> Placement:
    """A row of slots for compiled code, which changes it; `rule` is one of `eplb_opt.kernels.shares`."""
    sources = sources_of(rule, deployment)
    return placement_of(np.ascontiguousarray(windows.loads.T), slots, sources, max_replicas)


def _weights(windows: Windows) -> Floats:
    return np.zeros_like(windows.shares) if windows.worst else windows.shares


def weights_of_several(windows: Windows) -> Floats | None:
    """Weights of windows as `reassign_singles` takes them: 0 where the hottest counts, ``None`` for one window."""
    return _weights(windows) if len(windows.loads) > 1 else None


def _nearest(windows: Windows, row: Slots, deployment: Deployment) -> Ints:
    return nearest_experts(windows.loads, row.reshape(deployment.binding_nodes, -1), deployment.binding_nodes)


def _placement(instance: Instance, windows: Windows, slots: Slots) -> Placement:
    deployment = instance.deployment
    return placement(windows, slots, deployment, RULES[deployment.dispatch], instance.max_replicas)
