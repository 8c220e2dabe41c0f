"""Content: a file or a folder with its container opened, before anyone asks what it means."""

from __future__ import annotations

import io
import os
import re
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Literal

from eplb_opt.errors import FileFormatError
from eplb_opt.files import decode, parse_json, read_bytes
from eplb_opt.io.containers import container_of, load_numpy, load_torch
from eplb_opt.io.foreign import unpacked
from eplb_opt.io.json_lines import json_lines

Kind = Literal["json", "json lines", "json stream", "numpy", "torch", "text", "folder"]

# Documents of hundreds of megabytes, which are not read as a whole.
_STREAMED = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"load_history"\s*:\s*\[')
_HEAD = 4096
# An object whose first key has no quotes: YAML in flow style, and never JSON.
_FLOW_YAML = re.compile(r"\s*\{\s*[A-Za-z_]\w*\s*:")


@dataclass(frozen=True)
class Content:
    """What a file or a folder holds, recognised by its first bytes and never by its name.

    Attributes
    ----------
    name
        The path, for messages.
    kind
        ``"json"``, ``"json lines"``, ``"json stream"`` (a large document), ``"numpy"`` (.npy or .npz), ``"torch"``
        (.pt), ``"folder"``, else ``"text"``.
    value
        The parsed JSON; its `JsonLines`; a function that opens the bytes of a stream; an array, or a mapping of names
        to arrays; the saved object; the names in a folder, sorted; or the text.
    """

    name: str
    kind: Kind
    value: Any

    @property
    def suffix(self) -> str:
        """Suffix of the name in lower case, with its dot; of a packed file the one below ``.gz``."""
        return PurePath(self.name.lower().removesuffix(".gz")).suffix

    def has_key(self, key: str) -> bool:
        """Whether the content is a dictionary with `key`."""
        return isinstance(self.value, dict) and key in self.value

    def __str__(self) -> str:
        if self.kind == "folder":
            return f"a folder with {list_names(self.value)}" if self.value else "an empty folder"
        if self.kind == "json lines":
            first = self.value.first
            keys = f"with keys {list_names(first)}" if isinstance(first, dict) and first else reprlib.repr(first)
            return f"JSON lines, the first {keys}"
        if self.kind == "json stream":
            return "a large JSON document"
        if self.kind == "text":
            return "text"
        if isinstance(self.value, dict):
            return f"{self.kind} with keys {list_names(self.value)}" if self.value else "an empty dict"
        return f"{self.kind} ({type(self.value).__name__})"


def list_names(names: Iterable[Any]) -> str:
    """Names found in a file, for a message: quoted, on one line, the first five."""
    quoted = [reprlib.repr(name) for name in names]
    return ", ".join(quoted[:5]) + ", ..." * (len(quoted) > 5)


def read_content(path: str | os.PathLike[str]) -> Content:
    """Open the container of a file, or list a folder; a `FileFormatError` if it cannot be read or is damaged."""
    if _is(path, os.path.isdir):
        return Content(str(path), "folder", _names_in(path))
    # What is no regular file, such as a pipe, can be read only once.
    if _is(path, os.path.isfile) and (streamed := _streamed(partial(_open, path), str(path))):
        return streamed
    return parse_content(read_bytes(path), str(path))


def parse_content(data: bytes, name: str) -> Content:
    """Open the container of bytes read from the file `name`, and unpack it first where gzip has packed it.

    Raises
    ------
    FileFormatError
        An empty or damaged file, invalid JSON, a key twice in one object, or bytes that are neither a known container
        nor UTF-8 text.
    """
    data = unpacked(data, name)
    if not data.strip():
        raise FileFormatError(f"{name} is empty")
    if container := container_of(data, name):
        return Content(name, container, (load_numpy if container == "numpy" else load_torch)(data, name))
    if streamed := _streamed(partial(io.BytesIO, data), name):
        return streamed
    text = decode(data, name)
    if _begins_json(data) and not _FLOW_YAML.match(text):
        return Content(name, "json", parse_json(text, name))
    return Content(name, "text", text)


def _streamed(open_bytes: Callable[[], BinaryIO], name: str) -> Content | None:
    """Content that is read piece by piece, if it is such."""
    with open_bytes() as stream:
        head = stream.read(_HEAD)
    if _STREAMED.match(head):
        return Content(name, "json stream", open_bytes)
    lines = json_lines(open_bytes, name) if _begins_json(head) else None
    return None if lines is None else Content(name, "json lines", lines)


def _begins_json(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _is(path: Any, kind: Callable[[Any], bool]) -> bool:
    """Whether there is a path of this kind; numbers, which could be open files, are none."""
    return isinstance(path, str | os.PathLike) and kind(path)


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror}") from None


def _names_in(path: str | os.PathLike[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(path)))  # noqa: PTH208 (names alone)
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror}") from None
