"""Seeded random tiny instances of all four combinations, for loops that are too long for Hypothesis."""

from __future__ import annotations

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance


def random_instance(
    random: np.random.Generator, max_experts: int = 5, max_gpus: int = 4, max_slots: int = 8, max_size: int = 4
) -> Instance:
    """A random instance; every combination of policy and distinct is as likely as the others."""
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
    return Instance.from_loads(random_loads(random, node_experts * nodes), deployment)


def random_loads(random: np.random.Generator, num_experts: int) -> np.ndarray:
    """Loads with ties, with zeros, skewed, huge or fractional, in turn by chance."""
    kind = random.integers(6)
    if kind == 0:
        return random.integers(0, 5, num_experts)
    if kind == 1:
        return random.integers(1, 200, num_experts) * (random.random(num_experts) < 0.7)
    if kind == 2:
        return random.integers(0, 10**6, num_experts)
    if kind == 3:
        return random.integers(2**55, 2**62, num_experts)
    if kind == 4:
        return np.round(10 ** random.uniform(-2, 4, num_experts), 2)
    return np.full(num_experts, random.integers(0, 1000))
