"""Exact numbers for people: the nearest float, and where floats are the same, all digits."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from eplb_opt.certificates.exact import exact_text


def nearest_float(value: Fraction) -> float:
    """The nearest float to a number that is not negative; infinity where floats end, at 1.8e308."""
    try:
        return float(value)
    except OverflowError:
        return inf


def apart(one: Fraction, other: Fraction) -> tuple[str, str]:
    """Two numbers that differ, for a sentence: as floats, or exactly where these are the same."""
    floats = str(nearest_float(one)), str(nearest_float(other))
    return floats if floats[0] != floats[1] else (exact_text(one), exact_text(other))


def exact_number(value: Fraction) -> dict[str, Any]:
    """A fraction for machines and people: its exact text, and the nearest float (null where none is near)."""
    try:
        nearest: float | None = float(value)
    except OverflowError:
        nearest = None
    return {"exact": exact_text(value), "float": nearest}
