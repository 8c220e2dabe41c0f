"""Moving: a plan with few moves from an old one, whose GPUs are at most as hot as asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eplb_opt.heuristics.segment import Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats
from eplb_opt.kernels.few_moves import descend, descent_of
from eplb_opt.kernels.moving import ANYWHERE, Cooling, anneal_moves
from eplb_opt.kernels.origin import origin_of
from eplb_opt.kernels.placement import placement_of
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, sources_of

# Which shares compiled code takes: where a program splits, as if it were even; where ranks draw, what they expect.
SHARES = {"even": EVEN, "nearest": NEAREST, "sglang-static": NEAREST, "by-rank": BY_RANK, "optimal": EVEN}

# Seconds of a proposal of annealing, and what each window adds; of a pair of slots that a step of a descent looks at.
_PER_PROPOSAL, _PER_WINDOW, _PER_PAIR = 2e-6, 5e-8, 8e-8


def seconds_per_proposal(num_windows: int) -> float:
    """What a proposal of annealing counts for where work is limited."""
    return _PER_PROPOSAL + _PER_WINDOW * num_windows


def seconds_per_step(instance: Instance) -> float:
    """The same of a step of a descent, which looks at all that a slot of one GPU could be exchanged with."""
    deployment = instance.deployment
    pairs = max(deployment.gpus.slots) * deployment.slots_per_node
    return _PER_PAIR * pairs * instance.num_windows


def annealed(
    instance: Instance, rows: tuple[Slots, Slots], targets: Floats, most: int, cooling: Cooling, seed: int
) -> Slots:
    """The row with at most `most` moves that is least above `targets`, the max loads of the windows in mean loads.

    `rows` are the old one, with -1 for an empty slot, and the one to begin with, which is what is returned where
    nothing has as few moves. One annealing, see `eplb_opt.kernels.moving.anneal_moves`. Same arguments, same row.
    """
    deployment, (before, start) = instance.deployment, rows
    row, best = start.copy(), np.empty_like(start)
    sources = sources_of(SHARES[deployment.dispatch], deployment)
    placement = placement_of(_loads(instance), row, sources, instance.max_replicas)
    anneal_moves(
        placement,
        origin_of(placement, before),
        targets,
        best,
        (deployment.gpus_per_node, deployment.distinct, most, ANYWHERE),
        cooling,
        np.random.default_rng(seed % 2**64),
    )
    return best


def descended(
    instance: Instance, rows: tuple[Slots, Slots], targets: Floats, most: int, steps: int
) -> Iterator[tuple[int, Slots]]:
    """Moves and row after each of at most so many steps of `eplb_opt.kernels.few_moves.descend`.

    Arguments as of `annealed`; loads split evenly, whatever the dispatch. Same arguments, same rows.
    """
    deployment, (before, start) = instance.deployment, rows
    found, moves = np.empty((steps, start.size), dtype=np.int64), np.empty(steps, dtype=np.int64)
    descent = descent_of(_loads(instance), targets, start.copy(), before, sources_of(EVEN, deployment))
    rules = (deployment.gpus_per_node, deployment.distinct, instance.max_replicas, most)
    made = descend(descent, rules, found, moves)
    yield from zip(moves[:made].tolist(), found[:made], strict=True)


def _loads(instance: Instance) -> Floats:
    """Load of each expert in mean loads of each window, shape ``(experts, windows)``."""
    means = np.array([[float(mean)] for mean in instance.mean_loads])
    return np.ascontiguousarray((instance.tokens / means).T)
