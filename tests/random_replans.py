"""Seeded random tiny layers with an old row: what ran before, and what is to be planned now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.moves_oracle import enumerated
from tests.placements import TooManyError
from tests.random_instances import dispatched, random_instance, random_loads

OBJECTIVES = ("total", "mean", "worst")
# Layers of one deployment in a row, whose placements are enumerated once.
EACH = 25

# Placements that leave little to decide: most of such deployments are left out.
FEW = 40


@dataclass(frozen=True)
class Replan:
    """A layer to plan again from its old row, whose empty slots are -1, for one of `OBJECTIVES`."""

    instance: Instance
    old: tuple[int, ...]
    objective: str


def random_replans(seed: int, dispatch: bool = False, each: int = EACH) -> Iterator[Replan]:
    """Layers without end, of up to 4 GPUs, 3 slots per GPU and 6 experts, all of which have a `frontier`.

    Every combination of policy and distinct, with one to three windows; `dispatch`: under another rule than the even
    split. `each` layers in a row are of one deployment.
    """
    random = np.random.default_rng(seed)
    while True:
        like = random_instance(random, max_experts=6, max_gpus=4, max_slots=12, max_size=3)
        if dispatch:
            like = dispatched(random, like)
        try:
            choices = len(enumerated(like.deployment, like.num_experts).copies)
        except TooManyError:
            continue
        if choices < FEW and random.random() < 0.9:
            continue
        for _ in range(each):
            yield random_replan(random, like)


def random_replan(random: np.random.Generator, like: Instance) -> Replan:
    """One layer with as many experts on the same deployment.

    The old row is any valid one, or one for which the new loads are nearly even; some of its slots may be empty or
    hold any expert.
    """
    windows, experts = int(random.integers(1, 4)), like.num_experts
    ran = random_row(random, like.deployment, experts)
    loads = random_loads(random, (windows, experts))
    if random.random() < 0.3:
        # About as many tokens for each replica, so that the old row is good and few moves make it better.
        loads = np.bincount(ran, minlength=experts) * random.integers(6, 15, (windows, experts))
    if windows > 1 and random.random() < 0.2:
        loads[random.integers(windows)] = 0
    new = Instance.from_loads(loads, like.deployment, like.streams)
    old = _worn(random, ran, like.deployment.num_gpus, experts)
    return Replan(new, tuple(old.tolist()), str(random.choice(OBJECTIVES)))


def random_row(random: np.random.Generator, deployment: Deployment, experts: int) -> NDArray[np.int64]:
    """A valid row with random counts: replicas of an expert are neighbours, and slot i is dealt to GPU i modulo all."""
    nodes, gpus, size = deployment.binding_nodes, deployment.gpus_per_node, deployment.slots_per_gpu
    per_group = experts // deployment.binding_groups
    groups = random.permutation(deployment.binding_groups).reshape(nodes, -1)
    rows: list[Sequence[int]] = []
    for chosen in groups.tolist():
        members = random.permutation([group * per_group + i for group in chosen for i in range(per_group)])
        counts = np.ones(len(members), dtype=np.int64)
        while counts.sum() < gpus * size:
            spare = np.flatnonzero(counts < gpus) if deployment.distinct else np.arange(len(members))
            counts[random.choice(spare)] += 1
        dealt = np.repeat(members, counts)
        if not deployment.distinct:
            dealt = random.permutation(dealt)
        rows += [random.permutation(dealt[gpu::gpus]).tolist() for gpu in random.permutation(gpus)]
    return np.array(rows).ravel()


def _worn(random: np.random.Generator, row: NDArray[np.int64], num_gpus: int, experts: int) -> NDArray[np.int64]:
    """The row itself, or without a GPU, or with some empty slots, or with any experts in some of them."""
    old, kind = row.copy(), random.integers(6)
    some = random.random(len(old)) < 0.3
    if kind == 0:
        old.reshape(num_gpus, -1)[random.integers(num_gpus)] = -1
    elif kind == 1:
        old[some] = -1
    elif kind == 2:
        old[some] = random.integers(0, experts, int(some.sum()))
    return old
