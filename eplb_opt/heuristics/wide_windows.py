"""Wide reassignment for several windows: the slots of many GPUs at once, often with a replica of another expert.

Near the mean load hardly any few GPUs have a better assignment. Of 20 or 30 GPUs there are so many assignments that
some are better, and so few patterns are within the limits of all windows that an exact cover by them is soon found. It
is found the sooner the more room there is on these GPUs: beside the hottest they are the coldest. GPUs that are covered
first end full, which leaves others cold for the next attempt. Where that is slow and there are more GPUs, most of them
are rebuilt (`eplb_opt.heuristics.rebuilding`).
"""

from __future__ import annotations

from math import factorial

import numpy as np

from eplb_opt.heuristics.rebuilding import LAST, rebuilt
from eplb_opt.heuristics.segment import Slots
from eplb_opt.heuristics.window_covers import DEPTH, Patterns
from eplb_opt.heuristics.window_draws import Table, draw_gpus
from eplb_opt.instance import Instance
from eplb_opt.kernels.pattern_cover import MOST_ITEMS
from eplb_opt.objective import Windows

# Slots of a GPU for which it is of use: of three there are too few patterns that fit, of six too many that do not. And
# GPUs at least: fewer are soon reassigned otherwise.
WIDE_WINDOW_SIZES, _LEAST_GPUS = (4, 5), 16
# Windows at most: a pattern has to fit all of them.
_MOST_WINDOWS = 5
# GPUs that are covered: as many as have so many patterns, by an estimate; by how much their number differs from that,
# at random; and how many at least. They are drawn in proportion to this power of their rank, the coldest being last.
_EXPECTED, _SPREAD, _FEWEST, _COLDNESS = 3_000, (0.85, 1.15), 5, 8
# GPUs that are rebuilt: such a part of all (above 1: all), so many at most, drawn in proportion to their rank. And of
# how many GPUs at least.
_PART, _MOST, _REBUILT_OF = (0.7, 1.15), 96, 2 * LAST
# Seconds of work of a turn of either. Where it takes less than this part of what the plan is above the mean, the other
# has the next turn. Seconds of work of a draw.
_TURN, _QUICK = 0.2, 0.05
_PER_DRAW = 5e-4


def reassigns_widely(instance: Instance, windows: Windows) -> bool:
    """Whether there are many GPUs with few slots, free of nodes, and few windows."""
    deployment = instance.deployment
    fits = deployment.slots_per_gpu in WIDE_WINDOW_SIZES and deployment.num_gpus >= _LEAST_GPUS
    return fits and deployment.distinct and deployment.binding_nodes == 1 and len(windows.loads) <= _MOST_WINDOWS


def reassigned_widely(instance: Instance, windows: Windows, slots: Slots, seconds: float, seed: int) -> Slots:
    """A plan that is at least as cool as `slots`, after about so many `seconds` of work; same arguments, same plan."""
    random = np.random.default_rng(seed % 2**64)
    table = Table(
        slots.reshape(instance.deployment.num_gpus, -1).copy(),
        np.ascontiguousarray(windows.loads.T),
        np.bincount(slots, minlength=instance.num_experts),
    )
    kinds = [_cover, _rebuild] if len(table.slots) >= _REBUILT_OF else [_cover]
    kind = 0
    while seconds > 0:
        above, end = _above(table, windows), max(0.0, seconds - _TURN)
        while seconds > end:
            seconds -= _PER_DRAW + kinds[kind](table, windows, instance.max_replicas, random)
        if _above(table, windows) > (1 - _QUICK) * above:
            kind = (kind + 1) % len(kinds)
    return table.slots.ravel()


def _above(table: Table, windows: Windows) -> float:
    """What the plan is above the mean load, in what is made cool."""
    above = table.tops / table.mean - 1
    return float(above.max() if windows.worst else windows.shares @ above)


def _cover(table: Table, windows: Windows, max_replicas: int, random: np.random.Generator) -> float:
    """Assign the slots of the hottest and the coldest GPUs anew by a cover, if there is one; seconds of work."""
    draw = draw_gpus(table, windows, _number(table, random), _COLDNESS, max_replicas, random)
    if draw is None or draw.experts.size > MOST_ITEMS:
        return 0.0
    patterns = Patterns.of(draw.loads, draw.experts, len(draw.members), draw.most, draw.slack)
    items, work = patterns.covered(np.ones(len(patterns.spare)))
    if items is not None:
        table.assign(draw, items)
    return patterns.work + work


def _rebuild(table: Table, windows: Windows, max_replicas: int, random: np.random.Generator) -> float:
    """Rebuild most GPUs, if that succeeds; seconds of work."""
    number = min(_MOST, len(table.slots), round(random.uniform(*_PART) * len(table.slots)))
    draw = draw_gpus(table, windows, number, 1.0, max_replicas, random)
    if draw is None:
        return 0.0
    items, work = rebuilt(draw, random)
    if items is not None:
        table.assign(draw, items)
    return work


def _number(table: Table, random: np.random.Generator) -> int:
    """Of how many GPUs slots are reassigned: of so many that about `_EXPECTED` patterns are within limits.

    By the density of a normal distribution at its mean, times the volume between the limits.
    """
    num_gpus, size = table.slots.shape
    room = (1 + DEPTH) * (table.tops - table.mean)
    gpu = size * np.atleast_2d(np.cov(table.replicas[table.slots.ravel()].T))
    share = float(np.prod(room) / np.sqrt(max(np.linalg.det(2 * np.pi * gpu), np.finfo(float).tiny)))
    items = (_EXPECTED * factorial(size) / max(share, 1e-9)) ** (1 / size) * random.uniform(*_SPREAD)
    return int(np.clip(items / size, min(_FEWEST, num_gpus), min(MOST_ITEMS // size, num_gpus)))
