"""Few moves: cool rows of all layers that leave most experts where they are.

Each layer is searched by itself, for rows of every number of moves, and all layers then share the moves so that the sum
of their max loads is least: `eplb_opt.replanning.shares`. Work is counted, not timed, so that all ranks stop at the
same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from eplb_opt.instance import Instance
from eplb_opt.plugins.changes import Changes
from eplb_opt.plugins.max_loads import hottest_loads
from eplb_opt.plugins.plain import Ints
from eplb_opt.replanning.shares import Point, Shares

# Descents are after these parts of the way from the bound to what runs.
_PARTS = (0.3, 0.1, 0.6, 0.03, 0.2, 0.45, 0.01, 0.8)
# Pairs of slots that a descent looks at in a second.
_LOOKS_PER_SECOND = 20_000_000
# Cooler by less than floats round is not cooler.
_ROUNDING = 1e-9
# Max loads are added up as whole numbers of so small parts of the mean loads of all layers.
_PARTS_OF_THE_MEAN = 2**40


class Reached(NamedTuple):
    """A row of a layer, its moves, and its max load in mean loads."""

    moves: int
    top: float
    row: Ints


@dataclass
class _Layer:
    """What is known of a layer: rows that are the cooler the more moves they have; the first is what runs.

    `most` moves are worth looking at, and what no row is cooler than is the `bound`.
    """

    instance: Instance
    before: Ints
    bound: float
    most: int
    reached: list[Reached] = field(default_factory=list)

    def offer(self, rows: Iterable[tuple[int, Ints]]) -> None:
        """Keep what is cooler than all rows with as few moves."""
        found = list(rows)
        if not found:
            return
        table = np.stack([row for _, row in found])
        loads = np.broadcast_to(self.instance.tokens[0], (len(found), self.instance.num_experts))
        tops = hottest_loads(loads, table, self.instance.deployment.num_gpus) / self.mean
        self.reached += [Reached(moves, top, row) for (moves, row), top in zip(found, tops.tolist(), strict=True)]
        kept: list[Reached] = []
        for one in sorted(self.reached, key=lambda one: one[:2]):
            if not kept or one.top < kept[-1].top * (1 - _ROUNDING):
                kept.append(one)
        self.reached = kept

    @property
    def mean(self) -> float:
        """Mean load in tokens."""
        return float(self.instance.mean_loads[0])

    def at(self, moves: int) -> Reached:
        """The coolest with at most so many moves."""
        return max((one for one in self.reached if one.moves <= moves), key=lambda one: one.moves)

    def descend(self, looks: int) -> None:
        """Steepest descents from what runs, with so many looks."""
        from eplb_opt.heuristics.moving import descended

        deployment = self.instance.deployment
        per_step = 2 * deployment.slots_per_gpu * deployment.slots_per_node
        self.offer([(0, self.before)])
        runs = self.reached[0].top
        for part in _PARTS:
            target = np.array([self.bound + part * (runs - self.bound)])
            steps = min(len(self.before), looks // per_step)
            rows = list(descended(self.instance, (self.before, self.before), target, self.most, steps))
            looks -= per_step * len(rows)
            self.offer(rows)


def few_moves(
    instances: Sequence[Instance],
    old: Ints,
    bounds: Sequence[Fraction],
    changes: Changes,
    seconds: float,
    threads: ThreadPoolExecutor,
) -> Ints:
    """The coolest rows that are found with as few moves as `changes` allow: shape ``(layers, slots)``.

    `old` are valid rows that run, `bounds` what no row is cooler than; layers have one window and load. `seconds` are
    those of search on one core, for all layers.
    """
    slots = old.shape[1]
    each = slots if changes.moves_per_layer is None else min(slots, changes.moves_per_layer)
    budget = each * len(old) if changes.moves is None else min(changes.moves, each * len(old))
    layers = [
        _Layer(instance, row, float(bound / instance.mean_loads[0]), min(each, budget))
        for instance, row, bound in zip(instances, old, bounds, strict=True)
    ]
    looks = int(seconds / len(old) * _LOOKS_PER_SECOND)
    list(threads.map(_Layer.descend, layers, [looks] * len(layers)))
    spent = _shared(layers, budget)
    return np.stack([layer.at(moves).row for layer, moves in zip(layers, spent, strict=True)])


def _shared(layers: Sequence[_Layer], budget: int) -> list[int]:
    """The moves of each layer for the least sum of max loads."""
    whole = sum(layer.mean for layer in layers) / _PARTS_OF_THE_MEAN
    points = [
        [Point(one.moves, Fraction(round(one.top * (layer.mean / whole)))) for one in layer.reached] for layer in layers
    ]
    return Shares.of(points, budget, round_up=True).of_layers(budget)
