"""Nearest: a source asks a replica on its own GPU, else on its node, else any.

SGLang with an all-to-all backend, for a plan from a file (``init_by_mapping`` and ``_find_nearest_expert`` in
``sglang/srt/eplb/expert_location.py``, SGLang 0.5.23): each rank cuts its list of replicas down to the nearest one.
With ``--ep-dispatch-algorithm dynamic`` what is left is chosen from at random for every token, so these are shares of
the expected load.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.rule import Alike, FixedShares, Ints, Served, replicas
from eplb_opt.instance import Instance


def nearest_replica(places: Ints, deployment: Deployment) -> Ints:
    """Which replica each source asks, as an index into `places`, shape ``(sources,)``; -1 where it is far from all.

    The first on its GPU; else the first on its node, unless the node holds all replicas or none: then it is far.
    """
    sources = np.arange(deployment.num_gpus)[:, np.newaxis]
    gpus = deployment.gpus.of_slot[places]
    on_gpu = gpus == sources
    on_node = gpus // deployment.ranks_per_node == sources // deployment.ranks_per_node
    some = on_node.any(axis=1) & ~on_node.all(axis=1)
    nearest = np.where(some, on_node.argmax(axis=1), -1)
    return np.where(on_gpu.any(axis=1), on_gpu.argmax(axis=1), nearest)


def served_nearest(slots: Ints, instance: Instance) -> Iterator[Served]:
    """Far sources ask all replicas alike."""
    deployment = instance.deployment
    for places in replicas(slots):
        nearest, count = nearest_replica(places, deployment), len(places)
        parts = np.where(np.arange(count) == nearest[:, np.newaxis], count, 0)
        parts[nearest < 0] = 1
        yield Served(places, parts)


def alike(deployment: Deployment) -> Alike:
    """Nodes, as the first replica of a node serves all of its GPUs without one; GPUs where one node holds all."""
    return "gpus" if deployment.num_nodes == 1 else "nodes"


RULE = FixedShares(served_nearest, alike)
