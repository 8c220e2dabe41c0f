"""Containers: bytes of NumPy files and of torch files become arrays and tensors."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePath
from typing import Any, Literal

import numpy as np

from eplb_opt.errors import FileFormatError, MissingPackageError
from eplb_opt.io.foreign import refuse_archive, refuse_foreign

_NUMPY = b"\x93NUMPY"
_ZIP = b"PK"
_LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9"


def container_of(data: bytes, name: str) -> Literal["numpy", "torch"] | None:
    """Which container bytes are in, if any; a `FileFormatError` for one that is damaged, or of another kind."""
    if data.startswith(_NUMPY):
        return "numpy"
    if data.startswith(_LEGACY_TORCH):
        return "torch"
    if data.startswith(_ZIP):
        members = _zip_members(data, name)
        if "data.pkl" in members:
            return "torch"
        refuse_archive(members, name)
        return "numpy"
    refuse_foreign(data, name)
    return None


def load_numpy(data: bytes, name: str) -> Any:
    """The array of a .npy file, or a mapping of names to the arrays of a .npz file.

    Raises
    ------
    FileFormatError
        A damaged file, pickled objects, or bytes behind the array.
    """
    stream = io.BytesIO(data)
    try:
        loaded = np.load(stream, allow_pickle=False)
        arrays = loaded if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except Exception as error:  # noqa: BLE001 (damaged headers raise a dozen types)
        raise FileFormatError(f"{name} is no readable NumPy file: {first_line(error)}") from None
    if isinstance(arrays, np.ndarray) and stream.read(1):
        raise FileFormatError(f"{name} goes on after its first array; save several arrays as .npz")
    return arrays


def load_torch(data: bytes, name: str) -> Any:
    """The object that torch saved, its tensors on the CPU.

    Raises
    ------
    FileFormatError
        A damaged file, or one with other objects than tensors, numbers and dictionaries: reading those runs code.
    MissingPackageError
        torch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingPackageError(f"reading {name} needs torch: pip install torch") from None
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 (torch raises a dozen types, with messages of many lines)
        raise FileFormatError(f"{name} is damaged, or holds more than tensors, numbers and dictionaries") from None


def first_line(error: Exception) -> str:
    """What an error of another package says, on one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _zip_members(data: bytes, name: str) -> set[str]:
    """Names in an intact zip archive, without their folders."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        # torch.load compares no checksums, and torch.save can be told to write zeros in their place.
        damaged = archive.testzip() if any(member.CRC for member in members) else None
    except Exception as error:  # noqa: BLE001 (damaged archives raise a dozen types)
        raise FileFormatError(f"{name} is a damaged zip archive: {first_line(error)}") from None
    if damaged:
        raise FileFormatError(f"{name} is a damaged zip archive: the checksum of {damaged!r} is wrong")
    return {PurePath(member.filename).name for member in members}
