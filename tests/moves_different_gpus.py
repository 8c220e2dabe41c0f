"""The exact frontier of moves and value of a tiny layer on GPUs that differ, from every placement, and random layers.

Placements are worth what `tests.different_gpus` says, by the definition; a move is an expert on a GPU whose old
contents did not hold it. No GPU takes the place of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, combinations, combinations_with_replacement, product
from math import lcm

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidDeploymentError
from eplb_opt.instance import Instance
from tests import different_gpus
from tests.random_instances import random_loads
from tests.random_replans import OBJECTIVES, Replan

# Fillings of all GPUs that are looked at, valid or not.
MOST = 2_000
SPEEDS = ("1", "1", "7/10", "1/2", "2", "4/3", "0.35")
EACH = 25


def row_moves(row: Sequence[int], old: Sequence[int], deployment: Deployment) -> int:
    """Moves from one row of slots to another, by the definition; empty old slots are negative."""
    gpus = different_gpus.gpu_of_slot(deployment)
    return len(set(zip(gpus, row, strict=True)) - set(zip(gpus, old, strict=True)))


def frontier(instance: Instance, old: Sequence[int], objective: str) -> dict[int, Fraction]:
    """As `tests.moves_oracle.frontier`."""
    rows, shares, factor = placements(instance.deployment, instance.num_experts)
    values, unit = _values(shares, instance, objective)
    levels: list[int | None] = [None] * (instance.deployment.num_slots + 1)
    for row, value in zip(rows, values, strict=True):
        moves = row_moves(row, old, instance.deployment)
        known = levels[moves]
        levels[moves] = value if known is None else min(known, value)
    best = accumulate(levels, lambda a, b: b if a is None else a if b is None else min(a, b))
    return {level: value * unit / factor for level, value in enumerate(best) if value is not None}


@lru_cache(maxsize=8)
def placements(deployment: Deployment, num_experts: int) -> tuple[list[tuple[int, ...]], NDArray[np.object_], int]:
    """Every valid row but for the order of slots on a GPU; what each GPU waits for of a token of each expert, times a
    factor, shape ``(rows, GPUs, experts)``; and the factor.
    """
    choose = combinations if deployment.distinct else combinations_with_replacement
    each = deployment.num_slots // deployment.num_gpus
    sizes = deployment.gpu_slots or (each,) * deployment.num_gpus
    fillings = product(*(list(choose(range(num_experts), size)) for size in sizes))
    rows = [row for parts in fillings if different_gpus.is_valid(row := sum(parts, ()), deployment, num_experts)]
    single = [
        Instance(((0,) * expert + (1,) + (0,) * (num_experts - expert - 1),), Fraction(1), deployment)
        for expert in range(num_experts)
    ]
    exact = [[different_gpus.gpu_loads(row, one) for one in single] for row in rows]
    factor = lcm(*(load.denominator for row in exact for loads in row for load in loads))
    scaled = [[[int(load * factor) for load in loads] for loads in row] for row in exact]
    return rows, np.array(scaled, dtype=object).transpose(0, 2, 1), factor


def _values(shares: NDArray[np.object_], instance: Instance, objective: str) -> tuple[list[int], Fraction]:
    """The value of each placement as a whole number, times the factor of the shares, and its unit."""
    windows = [list(map(sum, zip(*instance.weights, strict=True)))] if objective == "total" else instance.weights
    windows = [window for window in windows if any(window) or objective == "total"]
    hottest = [(shares @ np.array(window, dtype=object)).max(axis=1) for window in windows]
    if objective == "total":
        return hottest[0].tolist(), instance.unit
    speeds = (different_gpus.speed_of(gpu, instance.deployment) for gpu in range(instance.deployment.num_gpus))
    common, speed = lcm(*map(sum, windows)), sum(speeds, Fraction(0))
    scaled = np.array([tops * (common // sum(window)) for tops, window in zip(hottest, windows, strict=True)])
    if objective == "worst":
        return scaled.max(axis=0).tolist(), speed / common
    return scaled.sum(axis=0).tolist(), speed / common / len(windows)


def random_replans(seed: int, dispatch: bool = False, each: int = EACH) -> Iterator[Replan]:
    """Layers without end, of up to 4 GPUs, 3 slots per GPU and 5 experts, whose GPUs differ in slots, speeds or both.

    `dispatch`: under another rule than the even split. `each` layers in a row are of one deployment.
    """
    random = np.random.default_rng(seed)
    while True:
        found = _deployment(random, dispatch)
        if found is None:
            continue
        deployment, experts = found
        rows, _, _ = placements(deployment, experts)
        if len(rows) < 4:
            continue
        for _ in range(each):
            loads = random_loads(random, (int(random.integers(1, 3)), experts))
            row = np.array(rows[random.integers(len(rows))])
            kind, some = random.integers(5), random.random(row.size) < 0.3
            if kind == 0:
                row[some] = -1
            elif kind == 1:
                row[some] = random.integers(0, experts, int(some.sum()))
            elif kind == 2:
                # About as many tokens for each replica, so that few moves make it better.
                loads = np.bincount(row, minlength=experts) * random.integers(6, 15, loads.shape)
            instance = Instance.from_loads(loads, deployment)
            yield Replan(instance, tuple(row.tolist()), str(random.choice(OBJECTIVES)))


def _deployment(random: np.random.Generator, dispatch: bool) -> tuple[Deployment, int] | None:
    """GPUs that differ, and a number of experts; nothing where they are alike, or there are too many placements."""
    nodes = int(random.choice([1, 1, 2]))
    gpus = nodes * int(random.integers(1 if nodes > 1 else 2, 4 // nodes + 1))
    node = random.integers(1, 4, gpus // nodes)
    sizes = [int(size) for _ in range(nodes) for size in random.permutation(node)]
    experts = nodes * int(random.integers(1, 5 // nodes + 1))
    try:
        deployment = Deployment(
            gpus,
            sum(sizes),
            nodes,
            nodes * int(random.choice([1, experts // nodes])),
            str(random.choice(["auto", "global"])),
            bool(random.random() < 0.7),
            str(random.choice(["nearest", "by-rank"])) if dispatch else "even",
            tuple(sizes),
            tuple(random.choice(SPEEDS, gpus)) if random.random() < 0.7 else None,
        )
        Instance(((1,) * experts,), Fraction(1), deployment)
    except InvalidDeploymentError:
        return None
    choices = np.prod([float(experts) ** size for size in sizes])
    return None if deployment.alike or choices > MOST * 2 ** sum(sizes) or experts < 2 else (deployment, experts)
