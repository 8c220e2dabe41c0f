"""Shares of replicas under each dispatch, from where they are: what `eplb_opt.dispatch` states, in closed form."""

from __future__ import annotations

from typing import NamedTuple

from eplb_opt.kernels.compiler import Ints, compiled

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
    slots_per_gpu
        Slots of one GPU.
    """

    rule: int
    gpus: int
    gpus_per_node: int
    slots_per_gpu: int


@compiled
def share_out(sources: Sources, places: Ints, parts: Ints) -> None:
    """Shares of the replicas of an expert in the slots `places`, increasing: ``parts / (gpus n)``."""
    count = places.size
    if sources.rule == BY_RANK:
        for i in range(count):
            parts[i] = count * (sources.gpus // count + (i < sources.gpus % count))
    elif sources.rule == EVEN or count == 1:
        parts[:count] = sources.gpus
    else:
        _share_to_the_nearest(sources, places, parts)


@compiled
def _share_to_the_nearest(sources: Sources, places: Ints, parts: Ints) -> None:
    count, size = places.size, sources.slots_per_gpu
    far = sources.gpus
    i = 0
    while i < count:
        node = places[i] // (size * sources.gpus_per_node)
        first, gpus = i, 0
        while i < count and places[i] // (size * sources.gpus_per_node) == node:
            # The first one on a GPU serves it.
            parts[i] = 0
            if i == first or places[i] // size != places[i - 1] // size:
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
