"""Results on stdout: aligned tables for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isnan
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

# A format specification, or what makes a value words.
Format = str | Callable[[Any], str]


def show(text: str) -> None:
    """Print a line of results."""
    typer.echo(text)


def show_table(frame: pd.DataFrame, formats: Mapping[str, Format]) -> None:
    """Print a data frame as an aligned table; `formats` has columns that are not printed as they are."""
    columns = {name: [cell(value, formats.get(name, "")) for value in frame[name]] for name in map(str, frame.columns)}
    widths = {name: max(len(name), *map(len, cells)) for name, cells in columns.items()}
    show("  ".join(name.rjust(widths[name]) for name in columns))
    for row in zip(*columns.values(), strict=True):
        show("  ".join(text.rjust(width) for text, width in zip(row, widths.values(), strict=True)))


def show_json(content: Any) -> None:
    """Print JSON; numbers that JSON has no word for, NaN and infinity, are an error and not a guess."""
    show(json.dumps(content, indent=1, allow_nan=False))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A data frame as JSON content, one object per row; numbers to the last digit, ``null`` where there is none."""
    return [as_json(row) for row in frame.to_dict(orient="records")]


def as_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Values by name, ``null`` where there is none: without load there is no balance."""
    return {str(name): None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}


def gap_cell(gap: Fraction | float) -> str:
    """A gap as tables show it: in per cent, with three digits; only an exact 0 is ``0 %``."""
    return f"{100 * float(gap):.3g} %"


def cell(value: Any, form: Format) -> str:
    """A value as a table shows it; ``-`` where there is none."""
    if value is None or value != value:
        return "-"
    return format(value, form) if isinstance(form, str) else form(value)
