"""Plans for replicas that ranks draw at start: others that are as good by expectation, mended for what is drawn.

What ranks draw follows from where experts with several replicas are, and nothing of it changes when experts with one
replica change places. So these are dealt again, for the loads that GPUs have by the draws. And where replicas are on
unlucky GPUs, so that others cannot make up for it, GPUs of a node or whole nodes change places: by expectation the plan
is the same, and the draws are others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.streams import BLOCK, words
from eplb_opt.heuristics.dispatched_search import placement, weights_of_several
from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.segment import COOLING, Slots, warm
from eplb_opt.instance import Instance
from eplb_opt.kernels.draws import draw_row
from eplb_opt.kernels.shares import NEAREST, sources_of
from eplb_opt.kernels.singles import exchange_singles, reassign_singles
from eplb_opt.objective import Windows

# Work of reassignment, and proposals of exchanges, in one attempt: some ten milliseconds.
_WORK, _PROPOSALS = 200_000, 40_000


def attempt(instance: Instance, windows: Windows, slots: Slots, number: int, seed: int) -> tuple[Slots, float]:
    """A plan for what ranks draw, and what it is worth in `windows`; attempt 0 leaves replicas where they are.

    `instance` has the streams of the ranks. Same arguments, same plan.
    """
    deployment = instance.deployment
    random = np.random.default_rng((seed % 2**64, number))
    row = shuffled(slots, deployment, random) if number else slots.copy()
    p = placement(windows, row, deployment, NEAREST, instance.max_replicas)
    carried = windows.loads[:, row] * asked(row, instance) / deployment.num_gpus
    p.gpu_loads[:] = carried.reshape(len(windows.loads), deployment.num_gpus, -1).sum(axis=2).T
    weights = np.zeros_like(windows.shares) if windows.worst else windows.shares
    nearest = nearest_experts(windows.loads, row.reshape(deployment.num_gpus, -1), deployment.binding_nodes)
    cold = warm(instance) * COOLING
    exchange_singles(p, weights, nearest, deployment.gpus_per_node, warm(instance), cold, _PROPOSALS, random)
    reassign_singles(p, weights_of_several(windows), deployment.gpus_per_node, np.array([_WORK]), random)
    tops = p.gpu_loads.max(axis=0)
    return row, float(tops.max() if windows.worst else windows.shares @ tops)


def shuffled(slots: Slots, deployment: Deployment, random: np.random.Generator) -> Slots:
    """The same plan with nodes, and GPUs of each node, in another order."""
    nodes = slots.reshape(deployment.num_nodes, deployment.ranks_per_node, -1)
    order = [random.permutation(deployment.ranks_per_node) for _ in nodes]
    moved = [node[gpus] for node, gpus in zip(nodes[random.permutation(len(nodes))], order, strict=True)]
    return np.concatenate(moved).ravel()


def asked(row: Slots, instance: Instance) -> NDArray[np.int64]:
    """How many sources ask each slot, by what ranks draw."""
    deployment = instance.deployment
    sources = sources_of(NEAREST, deployment)
    counts = np.bincount(row, minlength=instance.num_experts)
    found = np.empty(len(row), dtype=np.int64)
    blocks = 1 + max(instance.streams) // BLOCK
    while not draw_row(_words(blocks), np.array(instance.streams), sources, row, counts, found):
        blocks += 1
    return found


def _words(blocks: int) -> NDArray[np.uint32]:
    return np.array(words(blocks), dtype=np.uint32)
