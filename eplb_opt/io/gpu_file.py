"""A table of GPUs that differ: a row for each, with its slots or its speed or both."""

from __future__ import annotations

import csv
import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from eplb_opt.errors import FileFormatError
from eplb_opt.files import parse_json, read_text

# Columns of the table, and arguments of `Deployment`.
_COLUMNS = {"slots": "gpu_slots", "speed": "gpu_speeds"}


def read_gpus(path: str | os.PathLike[str]) -> dict[str, list[Any]]:
    """What a file says of GPUs one by one, as arguments of `Deployment`: ``gpu_slots``, ``gpu_speeds`` or both.

    A CSV table with a header ``slots,speed``, or one of the two, and a row for each GPU; or a JSON list of objects
    with these keys. What the numbers have to be, `Deployment` says.

    Raises
    ------
    FileFormatError
        A file that cannot be read, no such table, or a row that has not what the first one has.
    """
    name, text = str(path), read_text(path)
    rows = _json_rows(text, name) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, name)
    found: dict[str, list[Any]] = {}
    for where, row in rows:
        known = set(row) & set(_COLUMNS)
        if not known or set(row) - known:
            raise FileFormatError(f"{where} has {', '.join(map(reprlib.repr, row)) or 'nothing'}, not slots and speed")
        if found and known != set(found):
            raise FileFormatError(f"{where} has {' and '.join(sorted(known))}, the first has {' and '.join(found)}")
        for column, value in row.items():
            found.setdefault(column, []).append(value)
    return {_COLUMNS[column]: values for column, values in found.items()}


def _json_rows(text: str, name: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    rows = parse_json(text, name)
    if not isinstance(rows, list) or not rows:
        raise FileFormatError(f"{name} is no list with an object for each GPU, such as {{'slots': 9, 'speed': 0.7}}")
    for gpu, row in enumerate(rows):
        if not isinstance(row, dict):
            raise FileFormatError(f"{name}: GPU {gpu} is {reprlib.repr(row)}, not an object with slots and speed")
    return [(f"{name}: GPU {gpu}", row) for gpu, row in enumerate(rows)]


def _csv_rows(text: str, name: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    lines = [
        (number, [cell.strip() for cell in cells])
        for number, cells in enumerate(csv.reader(text.splitlines()), start=1)
        if any(cell.strip() for cell in cells)
    ]
    if len(lines) < 2:
        raise FileFormatError(f"{name} has no header slots,speed with a row for each GPU")
    header = lines[0][1]
    if not set(header) <= set(_COLUMNS) or len(set(header)) < len(header):
        raise FileFormatError(f"{name} line {lines[0][0]} is {','.join(header)[:40]!r}, not a header slots,speed")
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise FileFormatError(f"{name} line {number} has {len(cells)} cells, the header {len(header)}")
        row: dict[str, Any] = dict(zip(header, cells, strict=True))
        if "slots" in row and row["slots"].isascii() and row["slots"].isdigit() and len(row["slots"]) < 10:
            row["slots"] = int(row["slots"])
        rows.append((f"{name} line {number}", row))
    return rows
