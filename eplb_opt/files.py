"""Files: read as bytes or text, written whole or not at all, every failure one sentence."""

from __future__ import annotations

import json
import os
import reprlib
import secrets
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eplb_opt.errors import EplbOptError, FileFormatError


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put `name` in front of the message of an `EplbOptError` raised inside."""
    try:
        yield
    except EplbOptError as error:
        raise type(error)(f"{name}: {error}") from None


def distinct_names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Names of files or folders for people: without their folders, but where that would be the same name twice."""
    names = [Path(path).name or str(path) for path in paths]
    shared = Counter(names)
    return [name if shared[name] == 1 else str(path) for path, name in zip(paths, names, strict=True)]


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Content of a file.

    Raises
    ------
    FileFormatError
        The path does not exist, is a folder, or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise FileFormatError(f"{path} is a folder, not a file") from None
    except (OSError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path} cannot be read: {_reason(error)}") from None


def read_text(path: str | os.PathLike[str]) -> str:
    """Content of a UTF-8 file; a `FileFormatError` if it cannot be read or is not UTF-8."""
    return decode(read_bytes(path), str(path))


def decode(data: bytes, name: str) -> str:
    """UTF-8 bytes as text, without a byte order mark; a `FileFormatError` names the first wrong byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise FileFormatError(f"{name} is not UTF-8 text: byte 0x{byte:02x} at offset {error.start}") from None


def parse_json(text: str, name: str, *, infinity: bool = False) -> Any:
    """Value of a JSON text; with `infinity` also of what Python writes in place of JSON, NaN and Infinity.

    Raises
    ------
    FileFormatError
        Invalid or truncated JSON (with line and column), NaN or Infinity, nesting without end, or an object with a key
        twice, of which only one value would be kept.
    """

    def refuse(constant: str) -> float:
        if infinity:
            return float(constant)
        raise FileFormatError(f"{name} holds {constant}, which is no JSON number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            doubled = next(key for place, key in enumerate(keys) if key in keys[:place])
            raise FileFormatError(f"{name} has the key {reprlib.repr(doubled)} twice in one object")
        return values

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise FileFormatError(
            f"{name} is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:
        raise FileFormatError(f"{name} is not valid JSON: it is nested too deeply") from None
    except FileFormatError:
        raise
    except ValueError:
        raise FileFormatError(f"{name} is not valid JSON: it holds an integer of too many digits") from None


def write_whole(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write a file so that it appears complete or not at all.

    A link stays a link and its target is replaced; a stream such as ``/dev/stdout`` is written to directly. A new
    file gets the mode that `open` would give it, an existing one keeps its own.

    Raises
    ------
    FileFormatError
        The file cannot be written; nothing is left behind, and an old file of that name is untouched.
    """
    content = data.encode() if isinstance(data, str) else data
    with _refusals_in_words(path):
        target = Path(path)
        if is_stream(target):
            with target.open("ab") as stream:
                stream.write(content)
        else:
            _replace(target.resolve(), content)


def make_folder(path: Path) -> None:
    """Make a folder that is not there yet.

    Raises
    ------
    FileFormatError
        It cannot be made.
    """
    with _refusals_in_words(path):
        path.mkdir(exist_ok=True)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise what `write_whole` would, before hours of work and not after; the file itself is left alone."""
    with _refusals_in_words(path):
        target = Path(path)
        if is_stream(target):
            return
        if target.is_dir():
            raise IsADirectoryError
        # A file without a name, which a signal at any moment leaves none of.
        with tempfile.TemporaryFile(dir=target.resolve().parent):
            pass


@contextmanager
def _refusals_in_words(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        # A link may lead to a folder that does not exist.
        named = Path(path).parent
        folder = Path(path).resolve().parent if named.exists() else named
        raise FileFormatError(f"{path} cannot be written: the folder {folder} does not exist") from None
    except IsADirectoryError:
        raise FileFormatError(f"{path} cannot be written: it is a folder, not a file") from None
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise FileFormatError(f"{path} cannot be written: {_reason(error)}") from None


def is_stream(path: Path) -> bool:
    """Whether bytes go through `path` to somewhere else, so that no file can take its place."""
    if not path.exists() or path.is_dir():
        return False
    # A shell may have opened a regular file for /dev/stdout: replacing it would lose what was written before.
    return not path.is_file() or str(path.parent) in ("/dev", "/dev/fd", "/proc/self/fd")


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
