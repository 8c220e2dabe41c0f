"""Annealing of a layer from its old row: a plan with few moves whose GPUs are at most as hot as asked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.few_moves import Ints, OldRow
from eplb_opt.kernels.moving import Cooling, anneal_moves, origin_of
from eplb_opt.kernels.placement import placement_of
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, sources_of

# Which shares compiled code takes: where a program splits, as if it were even; where ranks draw, what they expect.
_SHARES = {"even": EVEN, "nearest": NEAREST, "sglang-static": NEAREST, "by-rank": BY_RANK, "optimal": EVEN}


def annealed(layer: OldRow, start: Ints, targets: NDArray[np.float64], most: int, cooling: Cooling, seed: int) -> Ints:
    """The row with at most `most` moves that is least above `targets`, the max loads of the windows in mean loads.

    From the row `start`; the best row of one annealing, see `eplb_opt.kernels.moving.anneal_moves`. Same arguments,
    same row. `start` itself where nothing has as few moves.
    """
    deployment, rule = layer.instance.deployment, _SHARES[layer.instance.deployment.dispatch]
    row, best = start.copy(), np.empty_like(start)
    placement = placement_of(_loads(layer), row, sources_of(rule, deployment), layer.instance.max_replicas)
    anneal_moves(
        placement,
        origin_of(placement, layer.before),
        targets,
        best,
        (deployment.gpus_per_node, deployment.distinct, most),
        cooling,
        np.random.default_rng(seed % 2**64),
    )
    return best


@lru_cache(maxsize=256)
def _loads(layer: OldRow) -> NDArray[np.float64]:
    """Loads of experts in mean loads of each window, shape ``(experts, windows)``."""
    means = np.array([[float(mean)] for mean in layer.instance.mean_loads])
    return np.ascontiguousarray((layer.instance.tokens / means).T)
