"""Seeded random tiny instances of all four combinations, for loops that are too long for Hypothesis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

# Rules that do not split evenly.
DISPATCHES = ("nearest", "sglang-static", "by-rank", "optimal")


def random_instance(
    random: np.random.Generator, max_experts: int = 5, max_gpus: int = 4, max_slots: int = 8, max_size: int = 4
) -> Instance:
    """A random instance; every combination of policy and distinct is as likely as the others."""
    deployment, experts = random_deployment(random, max_experts, max_gpus, max_slots, max_size)
    return Instance.from_loads(random_loads(random, experts), deployment)


def random_deployment(
    random: np.random.Generator, max_experts: int, max_gpus: int, max_slots: int, max_size: int
) -> tuple[Deployment, int]:
    """A random deployment, and how many experts it is for; `max_size` is the most slots of a GPU."""
    hierarchical, distinct = bool(random.integers(2)), bool(random.integers(2))
    while True:
        nodes = int(random.integers(1, 3)) if hierarchical else 1
        gpus = nodes * int(random.integers(1, max_gpus // nodes + 1))
        size = int(random.integers(1, max_size + 1))
        least, most = size if distinct else 1, min(max_experts // nodes, size * gpus // nodes)
        if gpus * size <= max_slots and least <= most:
            break
    node_experts = int(random.integers(least, most + 1))
    divisors = [d for d in range(1, node_experts + 1) if node_experts % d == 0]
    groups = nodes * int(random.choice(divisors)) if hierarchical else 1
    policy = "hierarchical" if hierarchical else "global"
    deployment = Deployment(gpus, gpus * size, nodes, groups, policy, distinct)
    return deployment, node_experts * nodes


def dispatched(random: np.random.Generator, instance: Instance) -> Instance:
    """The same layer under another rule than the even split, on any nodes where these bind nothing."""
    deployment = instance.deployment
    if not deployment.hierarchical:
        nodes = [nodes for nodes in range(1, deployment.num_gpus + 1) if deployment.num_gpus % nodes == 0]
        deployment = replace(deployment, num_nodes=int(random.choice(nodes)), policy="global")
    dispatch = str(random.choice(DISPATCHES))
    streams = (0,) * deployment.num_gpus if dispatch == "sglang-static" else ()
    return replace(instance, deployment=replace(deployment, dispatch=dispatch), streams=streams)


def random_loads(random: np.random.Generator, shape: int | tuple[int, ...]) -> NDArray[np.generic]:
    """Loads of one kind by chance, shape ``(..., experts)``.

    With ties, with zeros, skewed, even or huge, fractional with and without ties, or all nearly or exactly the same.
    """
    kind = random.integers(9)
    if kind == 0:
        return random.integers(0, 5, shape)
    if kind == 1:
        return random.integers(1, 200, shape) * (random.random(shape) < 0.7)
    if kind == 2:
        return np.floor(10 ** random.uniform(0, 6, shape)).astype(np.int64)
    if kind == 3:
        return random.integers(0, 10**6, shape)
    if kind == 4:
        return random.integers(2**36, 2**42, shape)
    if kind == 5:
        return np.round(10 ** random.uniform(-2, 4, shape), 2)
    if kind == 6:
        return random.integers(0, 9, shape) / 8
    *others, experts = np.atleast_1d(shape)
    same = np.repeat(random.integers(0, 1000, (*others, 1)), experts, axis=-1)
    return same if kind == 7 else same + random.integers(0, 2, shape)
