"""Recipes: how the generated instances of the library are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from eplb_opt.bench.skewed_groups import skewed_groups
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance

# Family and skew of `generate_loads`, experts, slots, GPUs: one slot per GPU to 40.
_LAYERS = (
    ("rank", 1.2, 64, 96, 96),
    ("lognormal", 1, 32, 48, 24),
    ("lognormal", 0.5, 128, 160, 80),
    ("rank", 1, 256, 288, 144),
    ("lognormal", 1, 256, 512, 256),
    ("rank", 1.5, 32, 48, 16),
    ("lognormal", 0.5, 64, 96, 32),
    ("lognormal", 1, 256, 288, 96),
    ("rank", 1, 128, 160, 40),
    ("dominant", 0.2, 128, 160, 40),
    ("lognormal", 1, 256, 288, 72),
    ("lognormal", 1, 256, 320, 64),
    ("rank", 1.2, 256, 288, 32),
    ("lognormal", 1.5, 60, 72, 4),
    ("lognormal", 1, 128, 160, 4),
    ("lognormal", 1, 896, 1024, 256),
    ("rank", 1, 896, 1280, 256),
)
# The same with nodes and groups.
_HIERARCHICAL = (
    ("lognormal", 1, 64, 80, 16, 2, 8),
    ("rank", 1, 256, 288, 32, 4, 8),
    ("lognormal", 1, 256, 288, 144, 4, 8),
    ("lognormal", 0.5, 896, 1280, 256, 16, 64),
)
# Experts, slots, GPUs, nodes, groups, windows, objective.
_WINDOWS = (
    (32, 48, 48, 1, 1, 3, "worst"),
    (64, 80, 16, 1, 1, 3, "mean"),
    (64, 96, 32, 1, 1, 4, "worst"),
    (256, 288, 32, 4, 8, 3, "worst"),
    (256, 288, 72, 1, 1, 3, "mean"),
)


def recipes() -> Iterator[NamedInstance]:
    """Every generated instance, without anything that is known of it; always the same."""
    for number, (family, skew, experts, slots, gpus) in enumerate(_LAYERS):
        loads = generate_loads(num_experts=experts, num_layers=1, family=_any(family), skew=skew, seed=number)
        yield _named(f"{family}-{skew:g}", loads, Deployment(gpus, slots))
    for number, (family, skew, experts, slots, gpus, nodes, groups) in enumerate(_HIERARCHICAL):
        loads = generate_loads(num_experts=experts, num_layers=1, family=_any(family), skew=skew, seed=100 + number)
        yield _named(f"{family}-{skew:g}", loads, Deployment(gpus, slots, nodes, groups))
    for number, (experts, slots, gpus, nodes, groups, windows, objective) in enumerate(_WINDOWS):
        loads = generate_loads(
            num_experts=experts, num_layers=1, num_windows=windows, skew=1, shift=0.3, seed=200 + number
        )
        yield _named(f"{objective}-of-{windows}", loads, Deployment(gpus, slots, nodes, groups), objective)
    for nodes in (2, 4):
        yield _named(
            "skewed-groups", skewed_groups(nodes, seed=nodes), Deployment(8 * nodes, 40 * nodes, nodes, 2 * nodes)
        )
    yield from _plain()


def _plain() -> Iterator[NamedInstance]:
    """Loads that need no family."""
    yield _named("equal", Loads(np.full(64, 100), source="equal loads"), Deployment(16, 80))
    yield _named("equal-7", Loads(np.full(12, 7), source="equal loads, slots for a third more"), Deployment(8, 16))
    yield _named("no-load", Loads(np.zeros(16, dtype=np.int64), source="no load at all"), Deployment(4, 20))
    random = np.random.default_rng(300)
    near = 1000 + random.integers(0, 2, 32)
    yield _named("near-ties", Loads(near, source="1000 or 1001 tokens, seed 300"), Deployment(16, 48))
    half = random.integers(1, 1000, 64) * (np.arange(64) % 2)
    yield _named("zero-loads", Loads(half, source="every second expert without load, seed 300"), Deployment(24, 72))


def _named(family: str, loads: Loads, deployment: Deployment, objective: str = "total") -> NamedInstance:
    name = f"{family}-{loads.num_experts}x{deployment.num_slots}x{deployment.num_gpus}"
    if deployment.binding_nodes > 1:
        name += f"-{deployment.num_nodes}nodes-{deployment.num_groups}groups"
    return NamedInstance(name, loads, deployment, objective, None, (), loads.source)


def _any(word: str) -> Any:
    """A word of the tables above, which `mypy` cannot see the kind of."""
    return word
