"""Exact numbers as text, and back, of any length: Python itself stops at some thousands of digits."""

from __future__ import annotations

from fractions import Fraction

# Python turns no more digits than this into a number, or a number into text, at once: 4,300 by default, 640 at least.
_DIGITS = 600
# Far more than the mean over thousands of windows has, and soon read.
_MOST_DIGITS = 200_000
# Of a number inside an argument: one that is calculated with again and again.
ARGUMENT_DIGITS = 4_000


def exact_text(value: Fraction) -> str:
    """A number that is not negative as ``str`` writes it, however long; means of many windows are."""
    numerator, denominator = map(_text_of, value.as_integer_ratio())
    return numerator if denominator == "1" else f"{numerator}/{denominator}"


def exact_value(text: str, most_digits: int = _MOST_DIGITS) -> Fraction:
    """The number that `exact_text` wrote.

    Raises
    ------
    ValueError, ZeroDivisionError
        Anything else than digits, or digits, a slash and digits, or a 0 below the slash. Nor is a text such as
        1e999999999 read, which would take all memory.
    """
    numerator, slash, denominator = text.partition("/")
    return Fraction(_number_of(numerator, most_digits), _number_of(denominator, most_digits) if slash else 1)


def _text_of(number: int) -> str:
    parts, base = [], 10**_DIGITS
    while number >= base:
        number, low = divmod(number, base)
        parts.append(str(low).zfill(_DIGITS))
    return "".join([str(number), *reversed(parts)])


def _number_of(digits: str, most_digits: int) -> int:
    if not (digits.isascii() and digits.isdigit()) or len(digits) > most_digits:
        raise ValueError(f"{digits[:20]!r} is no number of at most {most_digits} digits")
    number = 0
    for begin in range(0, len(digits), _DIGITS):
        part = digits[begin : begin + _DIGITS]
        number = number * 10 ** len(part) + int(part)
    return number
