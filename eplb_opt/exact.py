"""Exact numbers for people and files: the nearest float, and text of any length."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any


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


# Python turns no more digits than this into a number, or a number into text, at once: 4,300 by default, 640 at least.
_DIGITS = 600
# Far more than the mean over thousands of windows has, and soon read.
_MOST_DIGITS = 200_000


def exact_text(value: Fraction) -> str:
    """A number that is not negative as ``str`` writes it, however long; means of many windows are."""
    numerator, denominator = map(_text_of, value.as_integer_ratio())
    return numerator if denominator == "1" else f"{numerator}/{denominator}"


def exact_number(value: Fraction) -> dict[str, Any]:
    """A fraction for machines and people: its exact text, and the nearest float (null where none is near)."""
    try:
        nearest: float | None = float(value)
    except OverflowError:
        nearest = None
    return {"exact": exact_text(value), "float": nearest}


def exact_value(text: str) -> Fraction:
    """The number that `exact_text` wrote.

    Raises
    ------
    ValueError, ZeroDivisionError
        Anything else than digits, or digits, a slash and digits, or a 0 below the slash.
    """
    numerator, slash, denominator = text.partition("/")
    return Fraction(_number_of(numerator), _number_of(denominator) if slash else 1)


def _text_of(number: int) -> str:
    parts, base = [], 10**_DIGITS
    while number >= base:
        number, low = divmod(number, base)
        parts.append(str(low).zfill(_DIGITS))
    return "".join([str(number), *reversed(parts)])


def _number_of(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
        raise ValueError(f"{digits[:20]!r} is no number of at most {_MOST_DIGITS} digits")
    number = 0
    for begin in range(0, len(digits), _DIGITS):
        part = digits[begin : begin + _DIGITS]
        number = number * 10 ** len(part) + int(part)
    return number
