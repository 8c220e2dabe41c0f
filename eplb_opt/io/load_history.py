"""Load history: the recording of the ADRS benchmark, one large JSON document with a table for each step.

Source: A. Cheng et al., "Barbarians at the Gate: How AI is Upending Systems Research", arXiv:2510.06189. Rows are MoE
layers counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from eplb_opt.errors import FileFormatError, MissingPackageError
from eplb_opt.io.containers import first_line
from eplb_opt.io.content import Content
from eplb_opt.io.record import Record
from eplb_opt.io.recording import Recording, block_of
from eplb_opt.loads import Loads

_HISTORY, _STEP = "load_history", "logical_expert_load"
_BUFFER = 2**18
# A load history is 5 deep. The parser's time grows with the square of the depth.
_DEEPEST = 1000
_DEEPER = np.zeros(256, dtype=np.int8)
_DEEPER[list(b"[{")], _DEEPER[list(b"]}")] = 1, -1


def holds_history(content: Content) -> bool:
    """Whether this is a load history: a JSON object with ``load_history``."""
    return content.kind == "json stream" or (content.kind == "json" and content.has_key(_HISTORY))


def parse_history(content: Content) -> Recording:
    """Recording of the ``logical_expert_load`` of each entry, shape ``(layers, experts)``.

    A document that begins with the list is never in memory as a whole: its steps are read when they are summed.

    Raises
    ------
    FileFormatError
        No list of entries. Damage further on is found when the steps are read.
    """
    if not holds_history(content):
        raise FileFormatError(f"{content.name} is {content}; a load history has the key {_HISTORY!r}")
    if content.kind == "json" and not isinstance(content.value[_HISTORY], list):
        raise FileFormatError(f"{content.name}: {_HISTORY!r} is not a list")
    return Recording(content.name, _Steps(content))


@dataclass(frozen=True)
class _Steps:
    """The steps of a load history, read anew whenever they are gone through."""

    content: Content

    def __iter__(self) -> Iterator[Loads]:
        name = self.content.name
        entries = _streamed(self.content) if self.content.kind == "json stream" else self.content.value[_HISTORY]
        for number, entry in enumerate(entries):
            where = f"{name}, {_HISTORY!r} {number}"
            step = block_of(Record(where, entry).get(_STEP, list), where, numbering="moe")
            if step.num_windows > 1:
                raise FileFormatError(f"{where} is no table of layers and experts")
            yield step


def _streamed(content: Content) -> Iterator[Any]:
    """Entries of the list, one after the other."""
    try:
        import ijson  # type: ignore[import-untyped]
    except ImportError:
        raise MissingPackageError(f"reading {content.name} needs ijson: pip install ijson") from None
    count = 0
    with content.value() as stream:
        if stream.read(3) != b"\xef\xbb\xbf":
            stream.seek(0)
        names = _Watched(stream, content.name)
        try:
            for entry in ijson.items(names, f"{_HISTORY}.item", use_float=True, buf_size=_BUFFER):
                count += 1
                yield entry
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise FileFormatError(
                f"{content.name} is not valid JSON behind step {count}: {first_line(error)}"
            ) from None
    # The stream tells nothing of a key that is there twice.
    if (names.histories, names.steps) != (1, count):
        raise FileFormatError(
            f"{content.name} names {_HISTORY!r} {names.histories} times and {_STEP!r} {names.steps} times, "
            f"and has {count} steps"
        )


class _Watched:
    """A stream that counts how often it names the keys of a load history, and refuses to be nested deeply."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.histories = self.steps = 0
        self._stream = stream
        self._name = name
        self._tail = b""
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        seen = self._tail + data
        history, step = f'"{_HISTORY}'.encode(), f'"{_STEP}"'.encode()
        self.histories += seen.count(history) - self._tail.count(history)
        self.steps += seen.count(step) - self._tail.count(step)
        self._tail = seen[-len(step) + 1 :]
        opening = data.count(b"[") + data.count(b"{")
        if self._depth + opening > _DEEPEST:
            depths = self._depth + np.cumsum(_DEEPER[np.frombuffer(data, dtype=np.uint8)], dtype=np.int64)
            if depths.max() > _DEEPEST:
                raise FileFormatError(f"{self._name} is not valid JSON: it is nested too deeply")
        self._depth += opening - data.count(b"]") - data.count(b"}")
        return data
