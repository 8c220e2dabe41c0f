"""Shares: how many of a model's moves each layer gets.

Layers follow each other, so what counts is the sum of their values. Each takes one point of its frontier: a
multiple-choice knapsack. Moves are whole, so dynamic programming over the moves spent solves it (Sinha and Zoltners,
The multiple-choice knapsack problem, Operations Research 27, 503-515 (1979)). With bounds instead of plans it is a
bound on all plans of the model, however they share their moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Values are whole numbers of so small a part of their largest sum: 2**50, so that sums fit an int64 and floats.
_GRID = 2**50


class Point(NamedTuple):
    """What a layer is worth, or worth at least, once it has spent its moves."""

    moves: int
    value: Fraction


@dataclass(frozen=True)
class Shares:
    """The least sums over layers for each number of moves, 0 to the most.

    Attributes
    ----------
    sums
        Shape ``(most + 1,)``, in units of the `grid`; what cannot be reached is above ``2**60``.
    grid
        Values are multiples of it, rounded.
    chosen
        Place of the point that each layer takes, shape ``(layers, most + 1)``.
    points
        Of each layer.
    """

    sums: NDArray[np.int64]
    grid: Fraction
    chosen: NDArray[np.int16]
    points: Sequence[Sequence[Point]]

    @classmethod
    def of(cls, points: Sequence[Sequence[Point]], most: int, round_up: bool) -> Shares:
        """Exact but for values, which are rounded to a grid: up, or down where they are bounds.

        ``O(most x points)``. Points of a layer are in order of moves; nothing needs to be spent.
        """
        largest = sum((max(point.value for point in layer) for layer in points), Fraction(0)) or Fraction(1)
        grid, whole = largest / _GRID, ceil if round_up else floor
        sums = np.zeros(most + 1, dtype=np.int64)
        chosen = np.zeros((len(points), most + 1), dtype=np.int16)
        for row, layer in enumerate(points):
            best = np.full(most + 1, 2**61, dtype=np.int64)
            for place, point in enumerate(layer):
                if point.moves > most:
                    break
                value = whole(point.value / grid)
                spent = sums[: most + 1 - point.moves] + value
                better = spent < best[point.moves :]
                best[point.moves :][better] = spent[better]
                chosen[row, point.moves :][better] = place
            sums = np.minimum(best, 2**61)
        return cls(sums, grid, chosen, points)

    def value(self, moves: int) -> Fraction | None:
        """The least sum with at most so many moves, on the grid; ``None`` where there is none."""
        least = int(self.sums[min(moves, len(self.sums) - 1)])
        return None if least > 2**60 else least * self.grid

    def of_layers(self, moves: int) -> list[int]:
        """The moves of each layer in the least sum with at most so many."""
        left, spent = min(moves, len(self.sums) - 1), []
        for layer, chosen in zip(reversed(self.points), reversed(self.chosen), strict=True):
            spent.append(layer[chosen[left]].moves)
            left -= spent[-1]
        return spent[::-1]

    def fewest(self, value: Fraction) -> int | None:
        """The fewest moves whose least sum is at most this; ``None`` where none is."""
        reached = np.flatnonzero(self.sums <= min(floor(value / self.grid), 2**60))
        return int(reached[0]) if reached.size else None
