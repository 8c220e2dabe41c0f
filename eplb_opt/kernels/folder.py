"""Folder: where compiled code is stored if numba finds no place where it could last."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, _CacheLocator, _SourceFileBackedLocatorMixin

_NumbaFolders: Any = FunctionCache._impl_class

# What a process tells those that it starts: one of them compiles, and all have the code.
_VARIABLE = "_EPLB_OPT_KERNELS"


class TemporaryFolder(_SourceFileBackedLocatorMixin, _CacheLocator):
    """A folder that the processes of a tree share, and that is gone when the first of them ends.

    Numba looks for places that last, in this order: ``NUMBA_CACHE_DIR``, ``__pycache__`` beside the source, and the
    user's cache folder.
    """

    def __init__(self, function: Any, file: str) -> None:
        self._py_file = file
        self._lineno = function.__code__.co_firstlineno
        self._folder = shared_folder() / self.get_suitable_cache_subpath(file)

    @classmethod
    def from_function(cls, function: Any, file: str) -> TemporaryFolder | None:
        """The folder for kernels of a file that exists."""
        return cls(function, file) if Path(file).exists() else None

    def ensure_cache_path(self) -> None:
        """Make the folder; an `OSError` if the process that all of them belong to has ended."""
        self._folder.mkdir(exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder for kernels of this file."""
        return str(self._folder)


class KernelFolders(_NumbaFolders):  # type: ignore[misc]  # numba has no types
    """How numba stores kernels, with one more place where that finds none."""

    _locator_classes = (*_NumbaFolders._locator_classes, TemporaryFolder)


@cache
def shared_folder() -> Path:
    """The temporary folder of this process tree; one that cannot exist if none can be made."""
    inherited = os.environ.get(_VARIABLE)
    if inherited and Path(inherited).is_dir():
        return Path(inherited)
    try:
        folder = Path(tempfile.mkdtemp(prefix="eplb_opt-kernels-"))
    except OSError:
        return Path(os.devnull) / "eplb_opt"
    os.environ[_VARIABLE] = str(folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    # A fork of the owner ends earlier.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
