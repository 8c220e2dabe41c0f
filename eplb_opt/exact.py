"""Exact numbers for people: the nearest float, and where floats are the same, all digits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from eplb_opt.certificates.exact import exact_text


def apart(one: Fraction, other: Fraction) -> tuple[str, str]:
    """Two numbers that differ, for a sentence: as floats, or exactly where these are the same."""
    floats = str(float(one)), str(float(other))
    return floats if floats[0] != floats[1] else (exact_text(one), exact_text(other))


def exact_number(value: Fraction) -> dict[str, Any]:
    """A fraction for machines and people: its exact text, and the nearest float."""
    return {"exact": exact_text(value), "float": float(value)}
