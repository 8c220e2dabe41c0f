"""Exact numbers for people: the nearest float."""

from __future__ import annotations

from fractions import Fraction
from math import inf


def nearest_float(value: Fraction) -> float:
    """The nearest float to a number that is not negative; infinity where floats end, at 1.8e308."""
    try:
        return float(value)
    except OverflowError:
        return inf
