"""Files of loads: every format by name, recognised by content."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

from eplb_opt.arguments import one_of
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.io import arrays, csv_files, instances, load_history, per_pass, rank_tables, sglang, trtllm, vllm
from eplb_opt.io.content import Content, Kind, read_content
from eplb_opt.io.doubts import doubts_of
from eplb_opt.io.expected import Expected
from eplb_opt.io.recognition import plan_engine
from eplb_opt.io.recording import Recording, stack
from eplb_opt.io.windowing import Windowing
from eplb_opt.loads import Loads

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadFormat:
    """How recorded loads of one kind are read.

    Attributes
    ----------
    name
        The format that is asked for; several kinds of recordings may share it.
    what
        What people call the kind.
    kinds
        Containers that it comes in.
    holds
        Whether a file or a folder is of this kind.
    parse
        Recording of a file in one of `kinds`, or an error that says what does not fit.
    """

    name: str
    what: str
    kinds: tuple[Kind, ...]
    holds: Callable[[Content], bool]
    parse: Callable[[Content], Recording]


FORMATS = (
    LoadFormat("sglang", "SGLang logical_count", ("json", "torch"), sglang.holds_loads, sglang.parse_loads),
    LoadFormat("sglang", "SGLang per_pass", ("folder", "torch"), per_pass.holds_passes, per_pass.parse_passes),
    LoadFormat("sglang", "expert counts per rank", ("folder",), rank_tables.holds_ranks, rank_tables.parse_ranks),
    LoadFormat("vllm", "vLLM expert loads", ("json lines", "json"), vllm.holds_loads, vllm.parse_loads),
    LoadFormat("trtllm", "TensorRT-LLM expert statistic", ("folder",), trtllm.holds_loads, trtllm.parse_loads),
    LoadFormat(
        "load_history",
        "load_history",
        ("json stream", "json"),
        load_history.holds_history,
        load_history.parse_history,
    ),
    LoadFormat("numpy", "NumPy array", ("numpy",), arrays.holds_arrays, arrays.parse_arrays),
    LoadFormat("csv", "CSV table", ("text",), csv_files.holds_table, csv_files.parse_table),
    LoadFormat("torch", "torch tensor", ("torch",), arrays.holds_tensor, arrays.parse_tensor),
    LoadFormat("instance", "instance", ("json",), instances.holds_instance, instances.parse_loads),
)

FORMAT_NAMES = tuple(dict.fromkeys(known.name for known in FORMATS))

WRITERS: dict[str, Callable[[Loads, str], bytes | str]] = {
    ".npz": arrays.format_npz,
    ".npy": arrays.format_npy,
    ".json": sglang.format_loads,
    ".csv": csv_files.format_table,
}


def read_loads(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    format: str = "auto",
    windows: int = 1,
    window_length: int | None = None,
    *,
    experts: int | None = None,
    layers: int | None = None,
) -> Loads:
    """Loads of one model from its recordings.

    What looks like something else than loads, such as ids of experts, or files of ranks that are taken for workloads,
    is told in the log.

    Parameters
    ----------
    paths
        One file or several, each of which gives windows, in the given order; a folder where the format says so.
    format
        ``"auto"`` recognises the format by content, and refuses what is of two. By name:

        - ``"sglang"``: ``logical_count`` as JSON or .pt, or the folder of a recording per pass. A row per decoder
          layer; rows without a token in all files are layers without experts and dropped. Or the folder of versions
          up to 0.4.6, a CSV per rank.
        - ``"vllm"``: JSON lines of load stats, or JSON of snapshots. MoE layers counted from 0.
        - ``"trtllm"``: the folder with ``meta_info.json`` and ``rank*.safetensors``. Decoder layers.
        - ``"load_history"``: JSON with a table per step, of any size. MoE layers counted from 0.
        - ``"instance"``: a named instance, of `eplb_opt.read_library`. One layer; its windows stay windows.
        - ``"numpy"``: .npy, or .npz with labels; ``"torch"``: a saved tensor, also that of vLLM-Ascend. Without labels,
          MoE layers counted from 0.
        - ``"csv"``: a row per layer, or a row per count with columns ``layer``, ``expert``, ``count``. Decoder layers
          where a column names them, else MoE layers counted from 0.
    windows
        Contiguous parts, as equal as possible, into which the steps of each file are summed.
    window_length
        In place of `windows`: recorded steps of a window. A shorter rest at the end of a file is left out.
    experts, layers
        What is meant: experts of a layer; layers with experts, or all decoder layers of the model where the recording
        counts these. Other recordings are refused, nothing that they say is in doubt, and experts behind the last one
        that has a row in a table of counts get no load.

    Raises
    ------
    FileFormatError
        A file that cannot be read, is damaged, of no known format or of two.
    InvalidLoadsError, InvalidPlanError
        Values that are no loads, a map of slots that is none, a recording without a token, or files that do not agree
        in experts and layers, with each other or with `experts` and `layers`.
    InvalidArgumentError
        No path, tables of ranks one by one, an unknown format, both `windows` and `window_length`, or more than there
        are steps.
    """
    one_of("format", format, ("auto", *FORMAT_NAMES))
    Windowing.of(windows, window_length)
    names = list(paths) if isinstance(paths, Iterable) and not isinstance(paths, str) else [paths]
    if not names:
        raise InvalidArgumentError("paths is empty; give at least one file of recorded loads")
    expected = Expected.of(experts, layers)
    _require_no_ranks(names)
    recordings = (expected.completed(parse_recording(read_content(name), format)) for name in names)
    loads = stack(recordings, windows, window_length)
    expected.require(loads)
    if not expected.said:
        for doubt in doubts_of(loads):
            logger.warning("%s: %s", loads.source, doubt)
    return loads


def parse_recording(content: Content, format: str = "auto") -> Recording:
    """Recording in the content of one file; a `FileFormatError` if it is not of the format, of none, or of two."""
    if (engine := plan_engine(content)) is not None:
        raise FileFormatError(
            f"{content.name} is a plan (engine {engine!r}) and not loads: give the recording, on which evaluate and "
            "report score plans"
        )
    known = [each for each in FORMATS if format in ("auto", each.name) and content.kind in each.kinds]
    holding = [each for each in known if each.holds(content)]
    if len(holding) > 1:
        both = " and ".join(f"{each.what} (format={each.name!r})" for each in holding[:2])
        raise FileFormatError(f"{content.name} holds {both}; say which with format, or --format")
    # A format that is asked for says itself what does not fit.
    found = holding or (known if format != "auto" else [])
    if not found and format != "auto":
        raise FileFormatError(f"{content.name} is {content}, not a file of format={format!r}")
    if not found:
        names = ", ".join(FORMAT_NAMES)
        names += "; a table of text is called .csv, or read with --format csv" * (content.kind == "text")
        raise FileFormatError(f"{content.name} is {content}, not loads of a known format; formats: {names}")
    return replace(found[0].parse(content), what=found[0].what)


def _require_no_ranks(names: list[str | os.PathLike[str]]) -> None:
    """Refuse several tables of ranks, which would be taken for windows; one may be all there is."""
    ranks = [rank_tables.rank_of(str(name)) for name in names]
    if len(names) > 1 and None not in ranks and len(set(ranks)) == len(ranks):
        raise InvalidArgumentError(
            f"{names[0]} and {names[1]} are tables of ranks by their names; give their folder, and they are summed"
        )
    if len(names) == 1 and ranks[0] is not None:
        logger.warning("%s is what rank %d counted; give its folder if there are others", names[0], ranks[0])


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
