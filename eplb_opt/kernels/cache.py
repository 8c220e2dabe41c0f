"""Cache: compiled code in files, believed only where its checksum is right, and never needed."""

from __future__ import annotations

import inspect
import logging
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from numba.core.caching import FunctionCache, IndexDataCacheFile

from eplb_opt.kernels.folder import KernelFolders, TemporaryFolder
from eplb_opt.kernels.loading import begin_compiling, cannot_store, raise_if_interrupted

logger = logging.getLogger(__name__)

_DIGEST_SIZE = sha256().digest_size
_told: set[str] = set()


class KernelCache(FunctionCache):  # type: ignore[misc]  # numba has no types
    """The files of one kernel.

    Numba takes what it finds in them for machine code and jumps into it, and fails where it cannot read or write them.
    Here files that are damaged, or cannot be read, are compiled again; where none can be written, the kernel lives as
    long as the process. Both are told in the log, once. Files beside the source are read too where no file can be
    written there, as an installation for all users is.
    """

    _impl_class = KernelFolders

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        beside = str(Path(inspect.getfile(function)).parent / "__pycache__")
        names = self._impl.filename_base, self._impl.locator.get_source_stamp()
        behind = None if beside == self._cache_path else _CheckedFiles(beside, *names)
        self._cache_file = _CheckedFiles(self._cache_path, *names, behind=behind)

    @property
    def lasts(self) -> bool:
        """Whether what is stored is still there when this process has ended."""
        return not isinstance(self._impl.locator, TemporaryFolder)

    @property
    def how_often(self) -> str:
        """How often a kernel that is not stored yet is compiled, in words."""
        if self.lasts:
            return "once per machine"
        return (
            f"at every start, as nothing can be stored in {Path(self._impl.locator._py_file).parent} or in the user's "
            "cache folder: set NUMBA_CACHE_DIR to a folder that can be written"
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel for a signature; ``None`` if it has to be compiled."""
        raise_if_interrupted()
        try:
            kernel = super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - bytes that mean nothing can raise anything
            _tell_once("stored kernels cannot be used, and are compiled again: %s: %s", self._cache_path, error)
            kernel = None
        if kernel is None:
            begin_compiling(self.how_often)
        return kernel

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store a compiled kernel, if that is possible."""
        try:
            super().save_overload(sig, data)
        except Exception as error:  # noqa: BLE001 - the kernel is there, whatever is wrong with its file
            cannot_store()
            _tell_once("kernels cannot be stored, and are compiled again next time: %s: %s", self._cache_path, error)


def lasting_folder(*kernels: Any) -> Path | None:
    """The folder below which the code of some kernels is stored; ``None`` where it is gone with this process."""
    caches = [kernel._cache for kernel in kernels]
    if not all(isinstance(cache, KernelCache) and cache.lasts for cache in caches):
        return None
    return Path(os.path.commonpath([cache.cache_path for cache in caches]))


class _CheckedFiles(IndexDataCacheFile):  # type: ignore[misc]  # numba has no types
    """Numba's index and data files with a checksum behind the content of each, and the key in the data.

    What they do not have is looked for in the files `behind` them.
    """

    def __init__(self, *arguments: Any, behind: _CheckedFiles | None = None) -> None:
        super().__init__(*arguments)
        self._behind = behind
        # Files without checksums, as numba writes them, are those of another version and not damaged ones.
        self._version = f"{self._version} with checksums"

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (key, data))

    def load(self, key: Any) -> Any:
        found, data = super().load(key) or (key, None)
        # Two processes that compile at once may give the same name to different kernels.
        if data is not None and found == key:
            return data
        return None if self._behind is None else self._behind.load(key)

    def _load_index(self) -> Any:
        head = pickle.dumps(self._version, protocol=-1)
        try:
            content = Path(self._index_path).read_bytes()
            stamp, names = _checked(content[len(head) :]) if content.startswith(head) else (None, {})
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as error:
            _tell_once("stored kernels cannot be used, and are compiled again: %s: %s", self._index_path, error)
            return {}
        return names if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        return _checked(Path(self._data_path(name)).read_bytes())

    def _dump(self, content: Any) -> bytes:
        data: bytes = super()._dump(content)
        return data + sha256(data).digest()

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BinaryIO]:
        temporary = Path(f"{filepath}.tmp.{token_hex(8)}")
        try:
            with temporary.open("xb") as file:
                yield file
            temporary.replace(filepath)
        finally:
            temporary.unlink(missing_ok=True)


def _checked(content: bytes) -> Any:
    """What `_CheckedFiles._dump` was given; a ``ValueError`` if the bytes are others."""
    data, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if sha256(data).digest() != digest:
        raise ValueError("the file is damaged")
    return pickle.loads(data)


def _tell_once(words: str, *values: object) -> None:
    # There are dozens of kernels, and what is wrong with one is mostly wrong with all.
    if words not in _told:
        _told.add(words)
        logger.warning(words, *values)
