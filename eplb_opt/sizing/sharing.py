"""Sharing: plans and bounds of one deployment that are of use to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.evaluate import objective_values
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.sizing.extension import extended_row
from eplb_opt.sizing.points import Point
from eplb_opt.verify import require_valid


def shared(points: Sequence[Point], loads: Loads) -> list[Point]:
    """The same deployments, each with the best plans and bounds that follow from those of the others.

    A plan under the hierarchical policy is one under the global, and a bound of the latter holds for it. A plan becomes
    one for more slots by more replicas, which may make it worse: no bound follows.
    """
    known = {_key(point.deployment): point for point in points}
    for (gpus, size, hierarchical), kept in list(known.items()):
        free = known.get((gpus, size, False))
        if hierarchical and free is not None:
            known[gpus, size, True] = replace(kept, bounds=tuple(map(max, kept.bounds, free.bounds)))
            known[gpus, size, False] = _with_better_rows(free, kept, loads)
    by_size = sorted(known, key=lambda key: (key[0], key[2], key[1]))
    for smaller, larger in pairwise(by_size):
        if smaller[::2] == larger[::2]:
            known[larger] = _with_better_rows(known[larger], known[smaller], loads)
    return list(known.values())


def _key(deployment: Deployment) -> tuple[int, int, bool]:
    return deployment.num_gpus, deployment.slots_per_gpu, deployment.hierarchical


def _with_better_rows(point: Point, other: Point, loads: Loads) -> Point:
    """The plan with rows of another one, extended where it has fewer slots, in layers where that has smaller values."""
    rows = point.plan.physical_to_logical.copy()
    for layer in np.flatnonzero([ours > theirs for ours, theirs in zip(point.values, other.values, strict=True)]):
        rows[layer] = extended_row(other.plan.physical_to_logical[layer], loads.values[:, layer], point.deployment)
    tried = require_valid(replace(point.plan, physical_to_logical=rows))
    values = objective_values(tried, loads, point.objective)
    better = [new < old for new, old in zip(values, point.values, strict=True)]
    merged = np.where(np.array(better)[:, np.newaxis], rows, point.plan.physical_to_logical)
    plan: Plan = replace(point.plan, physical_to_logical=merged)
    # Again, as rows of a dispatch that draws depend on those before them.
    values = objective_values(plan, loads, point.objective)
    return replace(point, plan=plan, values=values) if sum(values) < sum(point.values) else point
