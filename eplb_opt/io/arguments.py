"""Arguments shared by readers and writers, checked where a call begins."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from eplb_opt.errors import InvalidArgumentError


def positive_int(name: str, value: object) -> int:
    """`value` as an integer of at least 1, else an `InvalidArgumentError`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise InvalidArgumentError(f"{name}={value!r} is not a positive integer")
    return number


def one_of(name: str, value: str, options: Iterable[str]) -> str:
    """`value` if it is one of `options`, else an `InvalidArgumentError` that lists them."""
    known = tuple(options)
    if value not in known:
        raise InvalidArgumentError(f"{name}={value!r} is not one of {', '.join(known)}")
    return value
