"""Shares of replicas under each dispatch, from where they are: what `eplb_opt.dispatch` states, in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.kernels.compiler import Floats, Ints, compiled

EVEN, NEAREST, BY_RANK = 0, 1, 2


class Sources(NamedTuple):
    """Who asks, and by which rule.

    Attributes
    ----------
    rule
        `EVEN`, `NEAREST` or `BY_RANK`.
    gpus
        Sources: all GPUs.
    gpus_per_node
        Of a node as sources know it, whatever the policy.
    gpu_of, node_of
        Where each slot is: looked up, as divisions are most of the time that shares take.
    starts
        First slot of each GPU, and behind them the number of slots.
    slowness
        1 / speed of each GPU.
    """

    rule: int
    gpus: int
    gpus_per_node: int
    gpu_of: Ints
    node_of: Ints
    starts: Ints
    slowness: Floats


def sources_of(rule: int, deployment: Deployment) -> Sources:
    """The sources of a deployment under a rule; only rules that know nodes need them to divide the GPUs."""
    gpus, per_node = deployment.num_gpus, deployment.ranks_per_node or deployment.num_gpus
    each, gpu_of = deployment.gpus, deployment.gpus.of_slot.copy()
    starts = np.append(each.starts, deployment.num_slots)
    return Sources(rule, gpus, per_node, gpu_of, gpu_of // per_node, starts, each.slowness.copy())


@compiled
def share_out(sources: Sources, places: Ints, parts: Ints) -> None:
    """Shares of the replicas of an expert in the slots `places`, increasing: ``parts / (gpus n)``."""
    count = places.size
    if sources.rule == BY_RANK:
        for i in range(count):
            parts[i] = count * (sources.gpus // count + (i < sources.gpus % count))
    elif sources.rule == EVEN or count == 1:
        for i in range(count):
            parts[i] = sources.gpus
    else:
        _share_to_the_nearest(sources, places, parts)


@compiled
def _share_to_the_nearest(sources: Sources, places: Ints, parts: Ints) -> None:
    count, far = places.size, sources.gpus
    i = 0
    while i < count:
        node = sources.node_of[places[i]]
        first, gpus = i, 0
        while i < count and sources.node_of[places[i]] == node:
            # The first one on a GPU serves it.
            parts[i] = 0
            if i == first or sources.gpu_of[places[i]] != sources.gpu_of[places[i - 1]]:
                parts[i] = count
                gpus += 1
            i += 1
        far -= gpus
        if i - first < count:
            parts[first] += count * (sources.gpus_per_node - gpus)
            far -= sources.gpus_per_node - gpus
    # Far sources ask all alike.
    for i in range(count):
        parts[i] += far
