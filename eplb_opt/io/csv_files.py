"""CSV: loads as a table, a row per layer or a row per count, whose header is believed or refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from eplb_opt.columns import LongColumns, WideColumns, columns_of
from eplb_opt.errors import FileFormatError
from eplb_opt.files import naming
from eplb_opt.io.content import Content
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads
from eplb_opt.long_table import LongTable

# Number of a line in the file, and its cells.
Line = tuple[int, list[str]]
# From so many numbers on, a first line that counts is taken for a header, and not for loads that happen to count.
_COUNTING = 4


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
        the line.
    InvalidLoadsError
        Values that are no loads.
    """
    name = content.name
    lines = list(_lines(content.value, name))
    if not lines:
        raise FileFormatError(f"{name} is empty")
    header = lines[0][1]
    if not _is_header(header):
        _require_no_count(lines, name)
        return Recording.of([_numbers(line, len(header), name) for line in lines], name, numbering="moe")
    if len(lines) == 1:
        raise FileFormatError(f"{name} has a header and no loads")
    with naming(f"{name} line {lines[0][0]}"):
        columns = columns_of(header, FileFormatError)
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
    with naming(f"{name} line {lines[0][0]}"):
        columns = columns_of(lines[0][1], FileFormatError)
    if not isinstance(columns, LongColumns):
        raise FileFormatError(f"{name} is no table with a row per count, such as layer_id,expert_id,count")
    rows = [_numbers(line, len(lines[0][1]), name) for line in lines[1:]]
    if rows:
        # What is wrong with a row is told by its line here.
        _long(columns, rows, lines[1:], name)
    return _cells(columns, rows)


def _long(columns: LongColumns, rows: list[list[Any]], lines: list[Line], name: str) -> LongTable:
    if columns.index is not None:
        _require_counting([row[columns.index] for row in rows], name)
    return LongTable.of(_cells(columns, rows), lambda row: f"{name} line {lines[row][0]}", FileFormatError)


def _cells(columns: LongColumns, rows: list[list[Any]]) -> dict[str, list[Any]]:
    places = {key: getattr(columns, key) for key in ("layer", "expert", "count", "step", "rank")}
    return {key: [row[place] for row in rows] for key, place in places.items() if place is not None}


def _wide(columns: WideColumns, rows: list[list[Any]], lines: list[Line], name: str) -> Recording:
    values = [[row[place] for place in columns.experts] for row in rows]
    ids = None
    if columns.layer is not None:
        ids = [_layer_id(row[columns.layer], name, line) for row, (line, _) in zip(rows, lines, strict=True)]
        if columns.index is not None:
            _require_counting([row[columns.index] for row in rows], name)
    elif columns.index is not None and not _counts_rows([row[columns.index] for row in rows]):
        ids = [_layer_id(row[columns.index], name, line) for row, (line, _) in zip(rows, lines, strict=True)]
    return Recording.of(values, name, numbering="moe") if ids is None else Recording.of(values, name, ids)


def _is_header(cells: list[str]) -> bool:
    """Whether cells are names: one of them has a letter and is no number such as 1e5, or the first has none."""
    named = any(_number(cell) is None and any(map(str.isalpha, cell)) for cell in cells)
    return named or (len(cells) > 1 and not cells[0])


def _require_no_count(lines: list[Line], name: str) -> None:
    """Refuse a first line of numbers that are names of experts as likely as loads."""
    cells = [_number(cell) for cell in lines[0][1]]
    if len(lines) == 1 or not all(type(cell) is int for cell in cells):
        return
    size = len(cells)
    permuted = size >= _COUNTING and sorted(cells, key=int) == list(range(size))  # type: ignore[arg-type]
    if cells == list(range(size)) or permuted or (size >= _COUNTING and cells == list(range(1, size + 1))):
        raise FileFormatError(
            f"{name} begins with the numbers {min(map(int, cells))} to {max(map(int, cells))}, "  # type: ignore[arg-type]
            "a header or the loads of a layer; name the experts otherwise, or begin with a column layer_id"
        )


def _require_counting(values: list[Any], name: str) -> None:
    if not _counts_rows(values):
        raise FileFormatError(f"{name} column 1 has no name and does not count the rows; name it or leave it out")


def _counts_rows(values: list[Any]) -> bool:
    return values == list(range(len(values)))


def format_table(loads: Loads, name: str) -> str:
    """Text with the header ``layer_id,0,1,...``, or ``expert_0,expert_1,...`` for MoE layers counted from 0.

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
    rows: list[list[object]] = [[*row] for row in loads.values[0].tolist()]
    header: list[object] = [f"expert_{expert}" for expert in range(loads.num_experts)]
    if loads.numbering == "decoder":
        rows = [[layer, *row] for layer, row in zip(loads.layer_ids, rows, strict=True)]
        header = ["layer_id", *range(loads.num_experts)]
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
        hint = "; cells are separated by commas" if any(mark in cell for mark in ";\t|") else ""
        raise FileFormatError(f"{name} line {line}, column {column} holds {cell[:40]!r}, not a number{hint}")
    return number


def _layer_id(number: Any, name: str, line: int) -> int:
    if type(number) is not int:
        raise FileFormatError(f"{name} line {line} has layer id {number}, not an integer")
    return int(number)
