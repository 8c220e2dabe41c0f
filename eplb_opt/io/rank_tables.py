"""Tables of ranks: a folder with a CSV of each rank, a row per count, whose counts are summed.

SGLang up to 0.4.6 writes ``expert_distribution_rank{RANK}_timestamp{TIME}.csv`` with the columns ``layer_id``,
``expert_id`` and ``count``; experts without a token have no row. Layers are decoder layers. Loggers of other projects
write the same under names of their own. Source: ``srt/managers/expert_distribution.py`` of SGLang 0.4.6.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from eplb_opt.errors import FileFormatError, InvalidLoadsError
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.csv_files import parse_counts
from eplb_opt.io.recording import Recording
from eplb_opt.long_table import LongTable

_FILE = re.compile(r"(?:.*[^a-z0-9])?rank[_-]?([0-9]{1,6})(?:[^0-9].*)?\.csv(?:\.gz)?", re.IGNORECASE)


def rank_of(name: str) -> int | None:
    """The rank that the name of a CSV file says, if it says one."""
    match = _FILE.fullmatch(PurePath(name).name)
    return int(match[1]) if match else None


def holds_ranks(content: Content) -> bool:
    """Whether this is a folder with the CSV of a rank."""
    return content.kind == "folder" and any(rank_of(name) is not None for name in content.value)


def parse_ranks(content: Content) -> Recording:
    """Recording of all files whose names say a rank, summed; a step for each number in a column ``step``.

    Raises
    ------
    FileFormatError
        A rank without a file or with two, another table than one with a row per count, or damage; the message names
        the file and the line.
    InvalidLoadsError
        No count at all.
    """
    name = content.name
    if not holds_ranks(content):
        raise FileFormatError(f"{name} is {content}; tables of ranks are called such as expert_distribution_rank0.csv")
    files: dict[int, str] = {}
    for file in content.value:
        rank = rank_of(file)
        if rank is not None and rank in files:
            raise FileFormatError(f"{name} has two files of rank {rank}, {files[rank]} and {file}; keep one recording")
        if rank is not None:
            files[rank] = file
    if missing := set(range(len(files))) - set(files):
        raise FileFormatError(f"{name} has no file of rank {min(missing)}; the files of all ranks are needed")
    cells: dict[str, list[Any]] = {}
    for rank in sorted(files):
        content_of_rank = read_content(PurePath(name) / files[rank])
        counts = parse_counts(content_of_rank)
        other = next((found for found in counts.get("rank", ()) if found != rank), None)
        if other is not None:
            raise FileFormatError(f"{content_of_rank.name} is called rank {rank}, and its column says rank {other}")
        counts["rank"] = [rank] * len(counts["count"])
        if cells and set(counts) != set(cells):
            raise FileFormatError(f"{content_of_rank.name} has other columns than {files[0]}; all ranks need the same")
        for key, values in counts.items():
            cells.setdefault(key, []).extend(values)
    if not cells["count"]:
        raise InvalidLoadsError(f"{name}: no token was recorded, no file has a count")
    table = LongTable.of(cells, lambda row: f"{name}, row {row} of all ranks", FileFormatError)
    return Recording.of(table.values, name, table.layer_ids, open_ended=True)
