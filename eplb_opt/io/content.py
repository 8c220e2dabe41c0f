"""Content: a file with its container opened, before anyone asks what it means."""

from __future__ import annotations

import io
import os
import reprlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

import numpy as np

from eplb_opt.errors import FileFormatError, MissingPackageError
from eplb_opt.io.files import decode, parse_json, read_bytes

Kind = Literal["json", "numpy", "torch", "text"]

_LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9"


@dataclass(frozen=True)
class Content:
    """What a file holds, recognised by its first bytes and never by its name.

    Attributes
    ----------
    name
        The path, for messages.
    kind
        ``"json"``, ``"numpy"`` (.npy or .npz), ``"torch"`` (.pt), else ``"text"``.
    value
        The parsed JSON; an array, or a mapping of names to arrays; the saved object; or the text.
    """

    name: str
    kind: Kind
    value: Any

    @property
    def suffix(self) -> str:
        """Suffix of the name in lower case, with its dot."""
        return PurePath(self.name).suffix.lower()

    def has_key(self, key: str) -> bool:
        """Whether the content is a dictionary with `key`."""
        return isinstance(self.value, dict) and key in self.value

    def __str__(self) -> str:
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
    """Open the container of a file; a `FileFormatError` if it cannot be read or is damaged."""
    return parse_content(read_bytes(path), str(path))


def parse_content(data: bytes, name: str) -> Content:
    """Open the container of bytes read from the file `name`.

    Raises
    ------
    FileFormatError
        An empty or damaged file, invalid JSON, or bytes that are neither a known container nor UTF-8 text.
    """
    if not data.strip():
        raise FileFormatError(f"{name} is empty")
    if data.startswith(b"\x93NUMPY"):
        return Content(name, "numpy", _load_numpy(data, name))
    is_zip = data.startswith(b"PK")
    if data.startswith(_LEGACY_TORCH) or (is_zip and "data.pkl" in _zip_members(data, name)):
        return Content(name, "torch", _load_torch(data, name))
    if is_zip:
        return Content(name, "numpy", _load_numpy(data, name))
    text = decode(data, name)
    if text.lstrip()[:1] in ("{", "["):
        return Content(name, "json", parse_json(text, name))
    return Content(name, "text", text)


def _zip_members(data: bytes, name: str) -> set[str]:
    """Names in an intact zip archive, without their folders."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        # torch.load compares no checksums, and torch.save can be told to write zeros in their place.
        damaged = archive.testzip() if any(member.CRC for member in members) else None
    except Exception as error:  # noqa: BLE001 (damaged archives raise a dozen types)
        raise FileFormatError(f"{name} is a damaged zip archive: {_first_line(error)}") from None
    if damaged:
        raise FileFormatError(f"{name} is a damaged zip archive: the checksum of {damaged!r} is wrong")
    return {PurePath(member.filename).name for member in members}


def _load_numpy(data: bytes, name: str) -> Any:
    stream = io.BytesIO(data)
    try:
        loaded = np.load(stream, allow_pickle=False)
        arrays = loaded if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except Exception as error:  # noqa: BLE001 (damaged headers raise a dozen types)
        raise FileFormatError(f"{name} is no readable NumPy file: {_first_line(error)}") from None
    if isinstance(arrays, np.ndarray) and stream.read(1):
        raise FileFormatError(f"{name} goes on after its first array; save several arrays as .npz")
    return arrays


def _load_torch(data: bytes, name: str) -> Any:
    try:
        import torch
    except ImportError:
        raise MissingPackageError(f"reading {name} needs torch: pip install torch") from None
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 (torch raises a dozen types, with messages of many lines)
        raise FileFormatError(f"{name} is damaged, or holds more than tensors, numbers and dictionaries") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
