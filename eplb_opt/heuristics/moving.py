"""Moving: a plan with few moves from an old one, whose GPUs are at most as hot as asked."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.segment import Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats
from eplb_opt.kernels.moving import Cooling, anneal_moves, origin_of
from eplb_opt.kernels.placement import placement_of
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, sources_of

# Which shares compiled code takes: where a program splits, as if it were even; where ranks draw, what they expect.
_SHARES = {"even": EVEN, "nearest": NEAREST, "sglang-static": NEAREST, "by-rank": BY_RANK, "optimal": EVEN}


def annealed(
    instance: Instance, rows: tuple[Slots, Slots], targets: Floats, most: int, cooling: Cooling, seed: int
) -> Slots:
    """The row with at most `most` moves that is least above `targets`, the max loads of the windows in mean loads.

    `rows` are the old one, with -1 for an empty slot, and the one to begin with, which is what is returned where
    nothing has as few moves. One annealing, see `eplb_opt.kernels.moving.anneal_moves`. Same arguments, same row.
    """
    deployment, (before, start) = instance.deployment, rows
    row, best = start.copy(), np.empty_like(start)
    means = np.array([[float(mean)] for mean in instance.mean_loads])
    loads = np.ascontiguousarray((instance.tokens / means).T)
    sources = sources_of(_SHARES[deployment.dispatch], deployment)
    placement = placement_of(loads, row, sources, instance.max_replicas)
    anneal_moves(
        placement,
        origin_of(placement, before),
        targets,
        best,
        (deployment.gpus_per_node, deployment.distinct, most),
        cooling,
        np.random.default_rng(seed % 2**64),
    )
    return best
