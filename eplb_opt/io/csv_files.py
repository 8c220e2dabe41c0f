"""CSV: loads as a table, rows are layers and columns are experts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from eplb_opt.errors import FileFormatError
from eplb_opt.io.content import Content
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads

_ID_COLUMNS = ("layer", "layer_id")


def holds_table(content: Content) -> bool:
    """Whether this is text, in a file that is called a table: text alone does not tell."""
    return content.kind == "text" and content.suffix in (".csv", ".txt")


def parse_table(content: Content) -> Recording:
    """Recording of one step from comma-separated text; all rows are kept.

    The first row is a header if no cell of it is a number, or if its first cell is ``layer`` or ``layer_id``: then
    the first column gives the decoder layers. A first column whose header is empty, the index of a data frame, does
    so too unless it counts from 0. Rows without ids are MoE layers counted from 0.

    Raises
    ------
    FileFormatError
        A line of another length, or a cell that is no number; the message names the line.
    InvalidLoadsError
        Values that are no loads.
    """
    name = content.name
    lines = list(_lines(content.value, name))
    if not lines:
        raise FileFormatError(f"{name} is empty")
    header = lines[0][1]
    # A first cell without a name is the index of a data frame.
    has_ids = header[0].lower() in (*_ID_COLUMNS, "")
    if not has_ids and len(lines) > 1 and header == [str(column) for column in range(len(header))]:
        raise FileFormatError(
            f"{name} begins with 0 to {len(header) - 1}, a header or the loads of a layer; name the experts otherwise, "
            "or begin with a column layer_id"
        )
    if has_ids or all(cell and _number(cell) is None for cell in header):
        del lines[0]
    if not lines:
        raise FileFormatError(f"{name} has a header and no loads")
    values = []
    ids = []
    for number, cells in lines:
        if len(cells) != len(header):
            raise FileFormatError(f"{name} line {number} has {len(cells)} cells, the first line {len(header)}")
        row = [_number_at(cell, name, number, column) for column, cell in enumerate(cells, 1)]
        if has_ids:
            ids.append(_layer_id(row.pop(0), name, number))
        values.append(row)
    if has_ids and (header[0] or ids != list(range(len(ids)))):
        return Recording.of(values, name, ids)
    return Recording.of(values, name, numbering="moe")


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


def _number_at(cell: str, name: str, line: int, column: int) -> int | float:
    number = _number(cell)
    if number is None:
        raise FileFormatError(f"{name} line {line}, column {column} holds {cell[:40]!r}, not a number")
    return number


def _layer_id(number: int | float, name: str, line: int) -> int:
    if not isinstance(number, int):
        raise FileFormatError(f"{name} line {line} has layer id {number}, not an integer")
    return number
