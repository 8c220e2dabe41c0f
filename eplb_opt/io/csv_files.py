"""CSV: loads as a table, a row per layer or a row per count, whose header is believed or refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from eplb_opt.columns import LongColumns, WideColumns, columns_of, layer_ids_of
from eplb_opt.errors import FileFormatError
from eplb_opt.files import naming
from eplb_opt.io.content import Content
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads
from eplb_opt.long_table import LongTable, require_no_order

# Number of a line in the file, and its cells.
Line = tuple[int, list[str]]
# From so many numbers on, what counts is taken for labels, and not for loads that happen to count.
_COUNTING = 4
# What separates cells elsewhere.
_OTHER_MARKS = ";\t|"


def holds_table(content: Content) -> bool:
    """Whether this is text, in a file that is called a table: text alone does not tell."""
    return content.kind == "text" and content.suffix in (".csv", ".txt")


def parse_table(content: Content) -> Recording:
    """Recording of comma-separated text.

    Without a header, rows are MoE layers counted from 0 and columns are experts in order. A header names the columns
    as `eplb_opt.columns.columns_of` says. A row per layer: one step; ids of a layer column are decoder layers, and
    so is a first column without a name unless it counts the rows from 0. A row per count: a step for each number in
    the column ``step``; layers are decoder layers, a count without a row is 0, and experts behind the largest that
    has a row are not known. All rows are kept.

    Raises
    ------
    FileFormatError
        A header that names other columns, a line of another length, or a cell that is no number; the message names
        the line. Numbers without a header that may be labels, and blocks of rows that nothing numbers.
    InvalidLoadsError
        Values that are no loads.
    """
    name = content.name
    lines = list(_lines(content.value, name))
    if not lines:
        raise FileFormatError(f"{name} is empty")
    header = lines[0][1]
    if not _is_header(header):
        numbers = [_numbers(line, len(header), name) for line in lines]
        _require_one_block(lines, name)
        _require_no_labels(numbers, name)
        return Recording.of(numbers, name, numbering="moe")
    if len(lines) == 1:
        raise FileFormatError(f"{name} has a header and no loads")
    columns = _columns(lines[0], name)
    rows = [_numbers(line, len(header), name) for line in lines[1:]]
    if isinstance(columns, LongColumns):
        table = _long(columns, rows, lines[1:], name)
        return Recording.of(table.values, name, table.layer_ids, open_ended=True)
    return _wide(columns, rows, lines[1:], name)


def parse_counts(content: Content) -> dict[str, list[Any]]:
    """Columns ``layer``, ``expert``, ``count`` and maybe ``step`` of a table with a row per count, for one of many.

    Raises
    ------
    FileFormatError
        Another table; one without any count is fine.
    """
    name = content.name
    lines = list(_lines(content.value, name)) if content.kind == "text" else []
    if not lines or not _is_header(lines[0][1]):
        raise FileFormatError(f"{name} has no header such as layer_id,expert_id,count")
    columns = _columns(lines[0], name)
    if not isinstance(columns, LongColumns):
        raise FileFormatError(f"{name} is no table with a row per count, such as layer_id,expert_id,count")
    rows = [_numbers(line, len(lines[0][1]), name) for line in lines[1:]]
    if rows:
        # What is wrong with a row is told by its line here.
        _long(columns, rows, lines[1:], name)
    return _cells(columns, rows)


def _columns(header: Line, name: str) -> WideColumns | LongColumns:
    line, cells = header
    for cell in cells:
        if any(mark in cell for mark in _OTHER_MARKS):
            raise FileFormatError(f"{name} line {line} holds {cell[:40]!r}; cells are separated by commas")
    with naming(f"{name} line {line}"):
        return columns_of(cells, FileFormatError)


def _long(columns: LongColumns, rows: list[list[Any]], lines: list[Line], name: str) -> LongTable:
    _layer_ids(columns, rows, name)
    cells = _cells(columns, rows)
    with naming(name):
        require_no_order(cells, FileFormatError)
    return LongTable.of(cells, lambda row: f"{name} line {lines[row][0]}", FileFormatError)


def _cells(columns: LongColumns, rows: list[list[Any]]) -> dict[str, list[Any]]:
    places = {key: getattr(columns, key) for key in ("layer", "expert", "count", "step", "rank")}
    return {key: [row[place] for row in rows] for key, place in places.items() if place is not None}


def _wide(columns: WideColumns, rows: list[list[Any]], lines: list[Line], name: str) -> Recording:
    values = [[row[place] for place in columns.experts] for row in rows]
    ids = _layer_ids(columns, rows, name)
    if ids is None:
        _require_one_block(lines, name)
        return Recording.of(values, name, numbering="moe")
    for number, (line, _) in zip(ids, lines, strict=True):
        if type(number) is not int:
            raise FileFormatError(f"{name} line {line} has layer id {number}, not an integer")
    return Recording.of(values, name, ids)


def _layer_ids(columns: WideColumns | LongColumns, rows: list[list[Any]], name: str) -> list[Any] | None:
    layers, index = (
        None if place is None else [row[place] for row in rows] for place in (columns.layer, columns.index)
    )
    with naming(name):
        return layer_ids_of(layers, index, FileFormatError)


def _is_header(cells: list[str]) -> bool:
    """Whether cells are names: one of them has a letter and is no number such as 1e5, or the first has none."""
    return any(map(_is_name, cells)) or (len(cells) > 1 and not cells[0])


def _is_name(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and any(_number(part) is None for part in _parts(cell))


def _parts(cell: str) -> list[str]:
    """What other marks than commas separate in a cell."""
    return re.split(rf"[\s{_OTHER_MARKS}]+", cell)


def _require_no_labels(rows: list[list[Any]], name: str) -> None:
    """Refuse numbers that are labels of experts or layers as likely as loads, as nothing names the columns."""
    way_out = "name the columns in a first line, such as layer_id,expert_0,expert_1"
    first, size = rows[0], len(rows[0])
    if size == 1 and len(rows) > 1:
        raise FileFormatError(f"{name} has one column, the experts of a layer or one expert of each layer; {way_out}")
    permuted = size >= _COUNTING and sorted(first) == list(range(size))
    counts = len(rows) > 1 and _counts(first)
    if counts or permuted or (size >= _COUNTING and first == list(range(1, size + 1))):
        raise FileFormatError(
            f"{name} begins with the numbers {min(first)} to {max(first)}, a header or the loads of a layer; {way_out}"
        )
    column = [row[0] for row in rows]
    if len(rows) >= _COUNTING and _counts([number - column[0] for number in column]):
        raise FileFormatError(
            f"{name} has the numbers {column[0]} to {column[-1]} in its first column, layers or the loads of an "
            f"expert; {way_out}"
        )


def _require_one_block(lines: list[Line], name: str) -> None:
    """Refuse blocks of rows that nothing numbers: tables of several steps would count as more layers."""
    gaps = [after for (before, _), (after, _) in pairwise(lines) if after > before + 1]
    # Some programs leave every second line blank.
    if 0 < len(gaps) < len(lines) - 1:
        raise FileFormatError(
            f"{name} has a blank line before line {gaps[0]}, between rows without a layer_id: tables of several steps "
            "are saved as .npy, of shape (steps, layers, experts)"
        )


def _counts(numbers: list[Any]) -> bool:
    return numbers == list(range(len(numbers))) and all(type(number) is int for number in numbers)


def format_table(loads: Loads, name: str) -> str:
    """Text with the header ``layer_id,expert_0,expert_1,...``, for MoE layers counted from 0 without ``layer_id``.

    Raises
    ------
    FileFormatError
        Several windows, or layers of the model without a row here, which a table cannot hold.
    """
    if loads.num_windows > 1:
        raise FileFormatError(f"{name} cannot hold {loads.num_windows} windows, .csv is one table; write .npz")
    if loads.num_model_layers != loads.layer_ids[-1] + 1:
        raise FileFormatError(
            f"{name} cannot say that the model has {loads.num_model_layers} layers and the last recorded one is "
            f"{loads.layer_ids[-1]}; write .npz"
        )
    if loads.labels.moe_layer_ids != loads.layer_ids:
        raise FileFormatError(f"{name} cannot say that other layers than those with a row have experts; write .npz")
    header = [f"expert_{expert}" for expert in range(loads.num_experts)]
    rows = loads.values[0].tolist()
    if loads.numbering == "decoder":
        header = ["layer_id", *header]
        rows = [[layer, *row] for layer, row in zip(loads.layer_ids, rows, strict=True)]
    return "".join(",".join(map(str, row)) + "\n" for row in [header, *rows])


def _lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Number and stripped cells of each line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) or len(cells) > 1:
                yield reader.line_num, cells
    except csv.Error as error:
        raise FileFormatError(f"{name} line {reader.line_num} is not valid CSV: {error}") from None


def _number(cell: str) -> int | float | None:
    """A number as exactly as its text says, or nothing. Python's own digit groups (``1_000``) are no CSV."""
    for kind in (int, float):
        try:
            return kind(cell) if "_" not in cell else None
        except ValueError:
            continue
    return None


def _numbers(line: Line, size: int, name: str) -> list[int | float]:
    number, cells = line
    if len(cells) != size:
        raise FileFormatError(f"{name} line {number} has {len(cells)} cells, the first line {size}")
    return [_number_at(cell, name, number, column) for column, cell in enumerate(cells, 1)]


def _number_at(cell: str, name: str, line: int, column: int) -> int | float:
    number = _number(cell)
    if number is None:
        hint = "; cells are separated by commas" if len(_parts(cell)) > 1 else ""
        raise FileFormatError(f"{name} line {line}, column {column} holds {cell[:40]!r}, not a number{hint}")
    return number
