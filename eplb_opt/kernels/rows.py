"""Rows: copies in a loop, as numpy's take the compiler seconds, most of them for what to say where shapes differ."""

from __future__ import annotations

from eplb_opt.kernels.compiler import Floats, Ints, compiled


@compiled
def copy_row(source: Floats | Ints, row: Floats | Ints) -> None:
    """Into `row` what `source` has, which has the same size."""
    for place in range(source.size):
        row[place] = source[place]


@compiled
def copy_table(source: Floats | Ints, table: Floats | Ints) -> None:
    """Into `table` what `source` has, which has the same shape."""
    for line in range(source.shape[0]):
        for place in range(source.shape[1]):
            table[line, place] = source[line, place]
