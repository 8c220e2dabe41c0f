"""Nested lists: where they are no array of numbers, in words."""

from __future__ import annotations

import reprlib
from numbers import Real
from typing import Any

import numpy as np


def misfit(values: Any) -> str:
    """Why nested lists are no array of loads: an entry that is no number, or the first that is longer or deeper."""
    return no_number(values) or f"loads are ragged, every layer needs the same number of experts: {_ragged(values)}"


def no_number(values: Any, place: str = "") -> str:
    """The first entry of nested lists that is no number, with its place; empty where all are numbers."""
    if isinstance(values, list | tuple):
        return next(filter(None, (no_number(entry, f"{place}[{i}]") for i, entry in enumerate(values))), "")
    if isinstance(values, Real) or hasattr(values, "shape"):
        return ""
    return f"{f'entry {place}' if place else 'it'} is {reprlib.repr(values)}, no number"


def _ragged(values: Any, place: str = "") -> str:
    lengths = [len(entry) if hasattr(entry, "__len__") else None for entry in values]
    for i, length in enumerate(lengths):
        if length != lengths[0]:
            here, first = ("is no list" if size is None else f"has length {size}" for size in (length, lengths[0]))
            return f"entry {place}[{i}] {here}, and {place}[0] {first}"
    deeper = next((i for i, entry in enumerate(values) if isinstance(entry, list | tuple) and _is_ragged(entry)), None)
    return "entries differ in depth" if deeper is None else _ragged(values[deeper], f"{place}[{deeper}]")


def _is_ragged(values: Any) -> bool:
    try:
        np.asarray(values)
    except ValueError:
        return True
    return False
