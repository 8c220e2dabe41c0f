"""SGLang per pass: what the recorder mode ``per_pass`` writes, one file of counts of slots per rank.

Source: ``srt/eplb/expert_distribution.py`` and ``srt/eplb/eplb_simulator/reader.py`` of SGLang.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import FileFormatError, InvalidLoadsError
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.folding import added, fold, slot_map
from eplb_opt.io.record import Record
from eplb_opt.io.recording import Recording, block_of, no_token

_FILE = re.compile(r"expert_distribution_recorder_[0-9.]+_[0-9]+\.pt")
_RECORDS, _MAP = "records", "last_physical_to_logical_map"
_COUNTS, _TOKENS = "global_physical_count", "topk_ids_of_layer"


@dataclass
class _Pass:
    """A forward pass: the ranks that have recorded it, and the counts so far of those with tokens.

    Attributes
    ----------
    ranks, with_tokens
        Ranks with a record, and those of them that counted a token.
    mapping, file
        The map by which slots are folded, and the file that has it, once a rank counted a token.
    counts
        Tokens of each expert, shape ``(layers, experts)``, or none so far.
    """

    ranks: set[int] = field(default_factory=set)
    with_tokens: set[int] = field(default_factory=set)
    mapping: NDArray[np.int64] | None = None
    file: str = ""
    counts: NDArray[Any] | None = None


def holds_passes(content: Content) -> bool:
    """Whether this is a folder with ``expert_distribution_recorder_{time}_{rank}.pt``, or one such file."""
    if content.kind == "folder":
        return any(map(_FILE.fullmatch, content.value))
    return content.kind == "torch" and content.has_key(_RECORDS) and content.has_key(_MAP)


def parse_passes(content: Content) -> Recording:
    """Recording of a folder: a step per forward pass, the sum of all ranks, a row per decoder layer.

    A folder is taken to be whole, so that its ranks are 0 and on; the file of one rank is refused, as it holds only
    the tokens, or only the slots, of that rank.

    SGLang writes the map of slots to experts when the recording ends, and all passes of a file are folded by it: if
    the engine moved experts while it recorded, passes before that are attributed to wrong experts.

    Raises
    ------
    FileFormatError
        The file of one rank, a file of another mode, a pass that a rank recorded twice or not at all, or ranks that
        have different maps for a pass.
    InvalidLoadsError, InvalidPlanError
        Counts that are no loads, or a map that is none.
    """
    name = content.name
    if not holds_passes(content):
        raise FileFormatError(f"{name} is {content}; a recording per pass has expert_distribution_recorder_*_RANK.pt")
    if content.kind == "torch":
        raise FileFormatError(f"{name} holds what one rank recorded; give the folder with the files of all ranks")
    passes: dict[int, _Pass] = {}
    for file in filter(_FILE.fullmatch, content.value):
        _add_file(passes, read_content(PurePath(name) / file))
    _require_ranks(passes, name)
    if not passes:
        raise InvalidLoadsError(f"{name} holds no recorded forward pass")
    counted = {number: known.counts for number, known in sorted(passes.items()) if known.counts is not None}
    if not counted:
        raise no_token(name)
    blocks = [block_of(counts, f"{name}, forward pass {number}") for number, counts in counted.items()]
    return Recording(name, blocks, every_decoder_layer=True)


def _add_file(passes: dict[int, _Pass], content: Content) -> None:
    if not holds_passes(content):
        raise FileFormatError(f"{content.name} is {content}; a recording per pass has the keys {_RECORDS!r}, {_MAP!r}")
    mapping = slot_map(content.value[_MAP], f"{content.name}: {_MAP}")
    for record in Record(content.name, content.value).records(_RECORDS):
        number, rank = record.get("forward_pass_id", int), record.get("rank", int)
        known = passes.setdefault(number, _Pass())
        known.ranks.add(rank)
        counts = fold(_counts(record), mapping, record.name)
        if not counts.any():
            continue
        if rank in known.with_tokens:
            raise FileFormatError(f"{content.name}: rank {rank} recorded forward pass {number} twice")
        if known.mapping is None:
            known.mapping, known.file = mapping, content.name
        if not np.array_equal(mapping, known.mapping):
            raise FileFormatError(
                f"{content.name} and {known.file} have different maps of slots for forward pass {number}"
            )
        known.counts = added(known.counts, counts, record.name)
        known.with_tokens.add(rank)


def _counts(record: Record) -> NDArray[Any]:
    """Tokens of each slot, shape ``(layers, slots)``."""
    if _COUNTS not in record.values and _TOKENS in record.values:
        raise FileFormatError(f"{record.name} is recorded per token; record in the mode per_pass or stat")
    if _COUNTS not in record.values:
        raise FileFormatError(f"{record.name} has no key {_COUNTS!r}")
    steps = block_of(record.values[_COUNTS], f"{record.name}, {_COUNTS!r}")
    if steps.num_windows > 1:
        raise InvalidLoadsError(f"{record.name}: {_COUNTS} is no table of layers and slots")
    counts: NDArray[Any] = steps.values[0]
    return counts


def _require_ranks(passes: dict[int, _Pass], name: str) -> None:
    ranks = set[int]().union(*(known.ranks for known in passes.values()))
    if missing := set(range(len(ranks))) - ranks:
        raise FileFormatError(f"{name} has no recording of rank {min(missing)}; the files of all ranks are needed")
    for number, known in passes.items():
        if missing := ranks - known.ranks:
            raise FileFormatError(f"{name} has no recording of forward pass {number} by rank {min(missing)}")
