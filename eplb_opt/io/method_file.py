"""Files of methods: a function of a Python file, as a command line names it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from eplb_opt.arguments import list_few
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import distinct_names, read_bytes
from eplb_opt.io.method_folder import MethodFolder, fingerprint, method_folder
from eplb_opt.own_method import OwnMethod, in_words

_EXAMPLE = "my_rule.py:balance"


def names_file(word: str) -> bool:
    """Whether a word is a file of Python with a function, or a file whose function is missing."""
    path, _, _ = word.rpartition(":")
    return path.endswith(".py") or word.endswith(".py")


def read_methods(words: Iterable[str]) -> list[str | OwnMethod]:
    """Names as they are, and the functions that files of Python have; each word once.

    Files of the same name in two folders are told apart by their paths: ``old/my_rule.py:balance``.

    Raises
    ------
    InvalidArgumentError, FileFormatError
        As of `read_method`.
    """
    found: dict[str, str | OwnMethod] = {word: read_method(word) if names_file(word) else word for word in words}
    own = {word: method for word, method in found.items() if isinstance(method, OwnMethod)}
    files = list(dict.fromkeys(Path(word.rpartition(":")[0]) for word in own))
    shown = dict(zip(files, distinct_names(files), strict=True))
    for word, method in own.items():
        file, _, attribute = word.rpartition(":")
        found[word] = replace(method, name=f"{shown[Path(file)]}:{attribute}")
    return list(found.values())


def read_method(word: str) -> OwnMethod:
    """The function that ``"folder/my_rule.py:balance"`` names, as ``my_rule.py:balance``.

    The file is run once. It imports from its folder last, and what it finds there is found by files of this folder
    alone (`eplb_opt.io.method_folder`). What the function prints goes to stderr, as a command's results are on stdout.

    Raises
    ------
    InvalidArgumentError
        No function is named, or the file has none of that name.
    FileFormatError
        The file is not there, or cannot be imported.
    """
    name, colon, attribute = word.rpartition(":")
    if not colon or not attribute:
        raise InvalidArgumentError(f"{word} names no function of the file: write it as {_EXAMPLE}")
    path = _path_of(name)
    source = read_bytes(path)
    folder = method_folder(str(path.resolve().parent))
    module = _run(path, str(path.resolve()), source, folder)
    function = getattr(module, attribute, None)
    if not callable(function):
        own = [key for key, value in vars(module).items() if _is_of(value, module.__name__)]
        has = f"it has {list_few(own)}" if own else "it has none"
        raise InvalidArgumentError(f"{path} has no function {attribute!r}; {has}")
    return OwnMethod(f"{path.name}:{attribute}", _quietly(function, folder), fingerprint(path, source))


def _path_of(name: str) -> Path:
    """The path of a file; a shell leaves a ``~`` in the middle of a list as it is."""
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:
        # Nobody has that home.
        return path


@cache
def _run(path: Path, file: str, source: bytes, folder: MethodFolder) -> ModuleType:
    """The module that a file of this source is, run once; nothing is cached beside the file, which may change."""
    module = ModuleType(f"eplb_opt_method_{path.stem}")
    module.__file__ = file
    # Data classes and pickles look for it there.
    folder.modules[module.__name__] = module
    try:
        with folder.entered(), redirect_stdout(sys.stderr):
            exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what is not ours may raise anything
        del folder.modules[module.__name__]
        raise FileFormatError(f"{path} cannot be imported: {in_words(error, file)}") from error
    return module


def _is_of(value: Any, module: str) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module


def _quietly(function: Callable[..., Any], folder: MethodFolder) -> Callable[..., Any]:
    """The function with its prints on stderr and the imports of its folder."""

    @wraps(function, updated=())
    def call(*arguments: Any) -> Any:
        with folder.entered(), redirect_stdout(sys.stderr):
            return function(*arguments)

    return call
