"""Files of loads: every format by name, recognised by content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePath

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.io import arrays, csv_files, sglang
from eplb_opt.io.content import Content, Kind, read_content
from eplb_opt.io.files import write_whole
from eplb_opt.io.recording import Recording, stack
from eplb_opt.loads import Loads


@dataclass(frozen=True)
class LoadFormat:
    """How recorded loads are read.

    Attributes
    ----------
    kinds
        Containers that the format comes in.
    holds
        Whether a file is of this format; at most one format says yes.
    parse
        Recording of a file in one of `kinds`, or an error that says what does not fit.
    """

    kinds: tuple[Kind, ...]
    holds: Callable[[Content], bool]
    parse: Callable[[Content], Recording]


FORMATS = {
    "sglang": LoadFormat(("json", "torch"), sglang.holds_loads, sglang.parse_loads),
    "numpy": LoadFormat(("numpy",), arrays.holds_arrays, arrays.parse_arrays),
    "csv": LoadFormat(("text",), csv_files.holds_table, csv_files.parse_table),
    "torch": LoadFormat(("torch",), arrays.holds_tensor, arrays.parse_tensor),
}

WRITERS: dict[str, Callable[[Loads, str], bytes | str]] = {
    ".npz": arrays.format_npz,
    ".npy": arrays.format_npy,
    ".json": sglang.format_loads,
    ".csv": csv_files.format_table,
}


def read_loads(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], format: str = "auto", windows: int = 1
) -> Loads:
    """Loads of one model from its recordings.

    Parameters
    ----------
    paths
        One file or several, each of which gives `windows` windows, in the given order.
    format
        ``"sglang"``: ``logical_count`` as JSON or .pt, a row per decoder layer; rows without a token in all files are
        layers without experts and dropped, the others keep their decoder ids. ``"numpy"``: .npy or .npz.
        ``"csv"``: rows are layers. ``"torch"``: a saved tensor. ``"auto"`` recognises them by content.
    windows
        Contiguous parts, as equal as possible, into which the steps of each file are summed.

    Raises
    ------
    FileFormatError
        A file that cannot be read, is damaged or of no known format.
    InvalidLoadsError
        Values that are no loads, a recording without a token, or files that do not agree in experts and layers.
    InvalidArgumentError
        No path, an unknown format, or more windows than steps.
    """
    one_of("format", format, ("auto", *FORMATS))
    windows = positive_int("windows", windows)
    names = list(paths) if isinstance(paths, Iterable) and not isinstance(paths, str) else [paths]
    if not names:
        raise InvalidArgumentError("paths is empty; give at least one file of recorded loads")
    return stack([parse_recording(read_content(name), format) for name in names], windows)


def parse_recording(content: Content, format: str = "auto") -> Recording:
    """Recording in the content of one file; a `FileFormatError` if it is not of the format, or of none."""
    if format != "auto":
        if content.kind not in FORMATS[format].kinds:
            raise FileFormatError(f"{content.name} is {content}, not a file of format={format!r}")
        return FORMATS[format].parse(content)
    for known in FORMATS.values():
        if known.holds(content):
            return known.parse(content)
    raise FileFormatError(f"{content.name} is {content}, not loads of a known format; formats: {', '.join(FORMATS)}")


def write_loads(loads: Loads, path: str | os.PathLike[str]) -> None:
    """Write loads so that `read_loads` with ``windows=loads.num_windows`` gives them back.

    The suffix decides: ``.npz`` holds everything; ``.npy`` one bare array; ``.json`` SGLang's ``logical_count`` with
    a row per decoder layer; ``.csv`` one window.

    Raises
    ------
    FileFormatError
        Another suffix, loads that the format cannot hold, or a file that cannot be written.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix not in WRITERS:
        raise FileFormatError(f"{path} has the suffix {suffix!r}; loads are written as {', '.join(WRITERS)}")
    write_whole(path, WRITERS[suffix](loads, str(path)))
