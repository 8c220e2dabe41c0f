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
from math import ceil, floor, lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Values are whole numbers of a part that they have in common, if it is one in so many, or else of so small a part of
# their largest sum.
_MOST_PARTS, _PARTS = 2**200, 2**50


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
        Shape ``(most + 1,)``, whole numbers of the `grid`; `never` where nothing is possible.
    grid
        What values are multiples of, or are rounded to.
    chosen
        Place of the point that each layer takes, shape ``(layers, most + 1)``.
    points
        Of each layer.
    """

    sums: NDArray[Any]
    grid: Fraction
    never: int
    chosen: NDArray[np.int16]
    points: Sequence[Sequence[Point]]

    @classmethod
    def of(cls, points: Sequence[Sequence[Point]], most: int, round_up: bool) -> Shares:
        """Exact, but where values have too little in common: then they are rounded up, or down where they are bounds.

        ``O(most x points)``. Points of a layer are in order of moves; nothing needs to be spent.
        """
        largest = sum((max(point.value for point in layer) for layer in points), Fraction(0)) or Fraction(1)
        multiple, whole = (
            lcm(*(point.value.denominator for layer in points for point in layer)),
            ceil if round_up else floor,
        )
        grid = Fraction(1, multiple) if multiple < _MOST_PARTS else largest / _PARTS
        never = 2 * ceil(largest / grid) + 1
        kind = np.int64 if never < 2**61 else object
        sums = np.zeros(most + 1, dtype=kind)
        chosen = np.zeros((len(points), most + 1), dtype=np.int16)
        for row, layer in enumerate(points):
            best = np.full(most + 1, never, dtype=kind)
            for place, point in enumerate(layer):
                if point.moves > most:
                    break
                value = whole(point.value / grid)
                spent = sums[: most + 1 - point.moves] + value
                better = spent < best[point.moves :]
                best[point.moves :][better] = spent[better]
                chosen[row, point.moves :][better] = place
            sums = np.minimum(best, never)
        return cls(sums, grid, never, chosen, points)

    def value(self, moves: int) -> Fraction | None:
        """The least sum with at most so many moves, on the grid; ``None`` where there is none."""
        least = int(self.sums[min(moves, len(self.sums) - 1)])
        return None if least >= self.never else least * self.grid

    def of_layers(self, moves: int) -> list[int]:
        """The moves of each layer in the least sum with at most so many."""
        left, spent = min(moves, len(self.sums) - 1), []
        for layer, chosen in zip(reversed(self.points), reversed(self.chosen), strict=True):
            spent.append(layer[chosen[left]].moves)
            left -= spent[-1]
        return spent[::-1]

    def fewest(self, value: Fraction) -> int | None:
        """The fewest moves whose least sum is at most this; ``None`` where none is."""
        reached = np.flatnonzero(self.sums <= min(floor(value / self.grid), self.never - 1))
        return int(reached[0]) if reached.size else None
