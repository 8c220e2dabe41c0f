"""Arguments, checked where a call begins."""

from __future__ import annotations

import operator
import reprlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf, isfinite
from numbers import Real
from typing import Any

from eplb_opt.errors import EplbOptError, InvalidArgumentError


def positive_int(name: str, value: object, error: type[EplbOptError] = InvalidArgumentError) -> int:
    """`value` as an integer of at least 1, else an `error` that names it."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise error(f"{name}={reprlib.repr(value)} is not a positive integer")
    return number


def positive_seconds(name: str, value: object) -> None:
    """Refuse what is no finite, positive number of seconds with an `InvalidArgumentError` that names it."""
    if not isinstance(value, Real):
        raise InvalidArgumentError(f"{name}={reprlib.repr(value)} is not a number")
    number: Any = value
    if not 0 < number < inf:
        raise InvalidArgumentError(f"{name}={value} is not a positive number of seconds")


def finite_number(name: str, value: object) -> float:
    """`value` as a float, else an `InvalidArgumentError` that names it."""
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise InvalidArgumentError(f"{name}={reprlib.repr(value)} is not a finite number")
    return float(value)


def natural_int(name: str, value: object) -> int:
    """`value` as an integer of at least 0, else an `InvalidArgumentError` that names it."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if number < 0:
        raise InvalidArgumentError(f"{name}={reprlib.repr(value)} is not an integer of at least 0")
    return number


def effort(time_limit: object, target_gap: object, seed: object, workers: object) -> None:
    """Refuse what cannot be said of a call of `eplb_opt.solve`, as it does, with an `InvalidArgumentError`."""
    positive_seconds("time_limit", time_limit)
    if not isinstance(target_gap, Real):
        raise InvalidArgumentError(f"target_gap={target_gap!r} is not a number")
    gap: Any = target_gap
    if not 0 <= gap < 1:
        raise InvalidArgumentError(f"target_gap={target_gap} is not in [0, 1)")
    natural_int("seed", seed)
    if workers is not None:
        positive_int("workers", workers)


def one_of(name: str, value: str, options: Iterable[str], error: type[EplbOptError] = InvalidArgumentError) -> str:
    """`value` if it is one of `options`, else an `error` that lists them."""
    known = tuple(options)
    if value not in known:
        raise error(f"{name}={reprlib.repr(value)} is not one of {', '.join(known)}")
    return value


def list_few(words: Sequence[str], most: int = 8) -> str:
    """Words of a sentence, of which a long list shows the first ones and says how many more there are."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def nearest(value: int, possible: Sequence[int], name: str = "") -> str:
    """The possible numbers on both sides of a value that is none, as the end of a sentence; nothing if there is none.

    `possible` increases; `name` is what the numbers are for, such as ``"num_slots="``.
    """
    above = bisect_left(possible, value)
    numbers = possible[max(above - 1, 0) : above + 1]
    return f"; nearest: {name}{' or '.join(map(str, numbers))}" if numbers else ""
