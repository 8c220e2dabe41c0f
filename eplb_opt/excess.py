"""Excess: how far plans and bounds are above perfect balance, as a part of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import compress
from math import nan

# A value for each layer, exactly, in the unit of an objective.
Values = tuple[Fraction, ...]


def excess_of(value: Fraction, mean: Fraction, objective: str) -> float:
    """How far a layer's objective is above what perfect balance would give, as a part of that; ``NaN`` without load."""
    if not mean:
        return nan
    return float(value / mean - 1 if objective == "total" else value - 1)


def total_excess(values: Values, means: Values, objective: str) -> float:
    """The same for all layers with load: of the sums in tokens, as layers follow each other, or mean of imbalances."""
    return float(exact_excess(values, means, objective)) if any(means) else nan


def exact_excess(values: Values, means: Values, objective: str) -> Fraction:
    """`total_excess` as it is, of layers of which one has load."""
    loaded = list(compress(values, means))
    perfect = sum(means, Fraction(0)) if objective == "total" else len(loaded)
    return sum(loaded, Fraction(0)) / perfect - 1
