"""Numbers as people read them: few digits, none of them a promise too much."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import groupby

from eplb_opt.arguments import list_few

# Parts of a whole below this are not told from nothing.
_LEAST = 1e-6
# Gains and losses below this are not worth a number.
_SAME = 1e-4
# Characters of a name in a legend.
_LONGEST_NAME = 28
# After the point, of per cent.
_MOST_DIGITS = 4


def percent(part: float) -> str:
    """A part of a whole in per cent with two or three digits: ``0.247`` is ``"24.7 %"``; only 0 is ``"0 %"``."""
    return "under 0.0001 %" if 0 < part < _LEAST else _percent(part, ROUND_HALF_EVEN)


def percent_at_most(part: float) -> str:
    """``"at most 24.7 %"``, rounded up, or that it is less than can be told."""
    return f"at most {_percent(part, ROUND_CEILING)}" if part == 0 or part >= _LEAST else f"less than {percent(_LEAST)}"


def percent_at_least(part: float) -> str:
    """As `percent`, but rounded down, for what is proven."""
    return _percent(part, ROUND_FLOOR)


def change(before: float, after: float) -> tuple[str, str]:
    """By what part of it a max load changes, with its sign, and the unit: excess 1 to 0.5 is ``"-25.0"``, ``"%"``."""
    part = (1 + after) / (1 + before) - 1
    sign = "" if abs(part) < _LEAST else "-" if part < 0 else "+"
    return (f"{sign}{percent(abs(part)).removesuffix(' %')}" if sign else "0"), "%"


def gain_words(least: float, most: float) -> str:
    """What lies between a least and a most gain, rounded outwards; losses are negative."""
    if max(abs(least), abs(most)) < _SAME:
        return f"the same, to within {percent(_SAME)}"
    if least < 0 < most:
        return f"{_percent(-least, ROUND_CEILING)} hotter to {_percent(most, ROUND_CEILING)} cooler"
    low, high, words = (least, most, "cooler") if most > 0 else (-most, -least, "hotter")
    if low < _LEAST:
        return f"at most {_percent(high, ROUND_CEILING)} {words}"
    floor, ceiling = _percent(low, ROUND_FLOOR), _percent(high, ROUND_CEILING)
    return f"{floor} {words}" if floor == ceiling else f"{floor} to {ceiling} {words}"


def value_and_bound(value: float, bound: float) -> tuple[str, str]:
    """Both in per cent, with the digits that show how far they are apart; the bound rounded down, and so are both where
    they are the same."""
    # A unit of the last digit is at most about as much as the difference.
    digits = -Decimal(repr(200 * float(value - bound))).adjusted() if value - bound > _LEAST else 0
    least = _percent(bound, ROUND_FLOOR, digits)
    if 0 < value < _LEAST:
        return "under 0.0001 %", least
    return (least if value == bound else _percent(value, ROUND_HALF_EVEN, digits)), least


def runs_of(values: Iterable[object]) -> str:
    """A list of which many that follow each other are the same: ``"16 x 1, 16 x 7/10"``."""
    return list_few([f"{len(list(run))} x {value}" for value, run in groupby(values)])


def in_percent(part: float) -> str:
    """A cell of a table of per cent, with three decimals; ``-`` where a layer has no load."""
    return f"{100 * part:,.3f}" if part == part else "-"


def count(number: float) -> str:
    """A number of things, such as tokens: thousands apart, no decimals where there are many."""
    return f"{number:,.0f}" if number >= 1000 or number == int(number) else f"{number:,.1f}"


def shortened(name: str) -> str:
    """A name that fits a legend: long ones without their middle."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[: half - 2]}...{name[1 - half :]}"


def plural(number: int, noun: str) -> str:
    """``1 layer``, ``2 layers``; numbers with thousands apart."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _percent(part: float, rounding: str, digits: int = 0) -> str:
    # Not 100 times a float, which may be a little more or less.
    value = 100 * Decimal(repr(float(part)))
    rounded = value.quantize(_last_digit(value, digits), rounding)
    if rounded.adjusted() > value.adjusted():
        # 0.00999 has become 0.0100, which is 0.010.
        rounded = rounded.quantize(_last_digit(rounded, digits))
    return f"{rounded:,f} %" if rounded else "0 %"


def _last_digit(value: Decimal, digits: int) -> Decimal:
    """A unit of the last digit: two digits below one, else three and all of those before the point; or `digits`."""
    usual = 1 - value.adjusted() if value < 1 else max(0, 2 - value.adjusted())
    return Decimal(1).scaleb(-min(max(usual, digits), _MOST_DIGITS))
