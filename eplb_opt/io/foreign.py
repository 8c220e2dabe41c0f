"""Foreign files: containers that are no recording and no plan, known by their first bytes and told with the way out."""

from __future__ import annotations

import gzip
import io
import zlib

from eplb_opt.errors import FileFormatError

_GZIP = b"\x1f\x8b"
# Bytes of a packed file, once unpacked, beyond which it is unpacked by whoever has the disk for it.
_MOST_UNPACKED = 2**32

_UNPACK = "unpack it"
_PANDAS = "save the table with pandas as .csv, or its numbers as .npy"
# First bytes, what they are, and what to do.
_KINDS = (
    (b"version https://git-lfs", "a pointer of Git LFS and not the file itself", "fetch it with git lfs pull"),
    (b"/annex/objects/", "a pointer of git-annex and not the file itself", "fetch it with git annex get"),
    (b"PAR1", "a Parquet file", _PANDAS),
    (b"ARROW1", "an Arrow file", _PANDAS),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _PANDAS),
    (b"SQLite format 3\x00", "an SQLite database", _PANDAS),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file", _PANDAS),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\x00", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"%PDF-", "a PDF file", "give the recording itself"),
    (b"\x89PNG", "a picture", "give the recording itself"),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
)


def refuse_foreign(data: bytes, name: str) -> None:
    """Raise a `FileFormatError` for the bytes of a container that holds no recording and no plan."""
    for begin, what, way_out in _KINDS:
        if data.startswith(begin):
            raise FileFormatError(f"{name} is {what}; {way_out}")
    if data[257:262] == b"ustar":
        raise FileFormatError(f"{name} is a tar archive; {_UNPACK}")
    if data[8:9] == b"{" and 2 <= int.from_bytes(data[:8], "little") <= len(data) - 8:
        raise FileFormatError(
            f"{name} is a safetensors file; give the folder of a TensorRT-LLM statistic, or save the array as .npy"
        )
    # Protocols of pickle from 2 on begin with a byte of their own.
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise FileFormatError(f"{name} is a pickle, which runs code when it is read; save the array as .npy")


def refuse_archive(members: set[str], name: str) -> None:
    """Raise a `FileFormatError` for a zip archive whose members are no arrays of NumPy."""
    if "workbook.xml" in members:
        raise FileFormatError(f"{name} is an Excel file; {_PANDAS}")
    others = sorted(member for member in members if not member.endswith(".npy"))
    if others:
        raise FileFormatError(f"{name} is a zip archive of {others[0]!r} and no arrays; {_UNPACK}")


def unpacked(data: bytes, name: str) -> bytes:
    """What gzip has packed; other bytes as they are.

    Raises
    ------
    FileFormatError
        Damage, or more than four gigabytes.
    """
    if not data.startswith(_GZIP):
        return data
    try:
        whole = gzip.GzipFile(fileobj=io.BytesIO(data)).read(_MOST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{name} is a damaged gzip file: {error}") from None
    if len(whole) > _MOST_UNPACKED:
        raise FileFormatError(f"{name} holds more than {_MOST_UNPACKED} bytes; {_UNPACK}")
    return whole
