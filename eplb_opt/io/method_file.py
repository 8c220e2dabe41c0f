"""Files of methods: a function of a Python file, as a command line names it."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache, wraps
from pathlib import Path
from typing import Any

from eplb_opt.arguments import list_few
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import read_bytes
from eplb_opt.own_method import OwnMethod, in_words

_EXAMPLE = "my_rule.py:balance"


def names_file(word: str) -> bool:
    """Whether a word is a file of Python with a function, or a file whose function is missing."""
    path, _, _ = word.rpartition(":")
    return path.endswith(".py") or word.endswith(".py")


def read_method(word: str) -> OwnMethod:
    """The function that ``"folder/my_rule.py:balance"`` names, as ``my_rule.py:balance``.

    The file is run once, with its folder last among those that Python imports from. What the function prints goes to
    stderr, as a command's results are on stdout.

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
    path = Path(name)
    code = hashlib.sha256(read_bytes(path)).hexdigest()
    module = _imported(path, code)
    function = getattr(module, attribute, None)
    if not callable(function):
        own = [key for key, value in vars(module).items() if _is_of(value, module.__name__)]
        has = f"it has {list_few(own)}" if own else "it has none"
        raise InvalidArgumentError(f"{path} has no function {attribute!r}; {has}")
    return OwnMethod(f"{path.name}:{attribute}", _quietly(function), code)


@cache
def _imported(path: Path, code: str) -> Any:
    """The module that a file of this fingerprint is, run once."""
    name, file = f"eplb_opt_method_{path.stem}", str(path.resolve())
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FileFormatError(f"{path} cannot be imported: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    if (folder := str(path.resolve().parent)) not in sys.path:
        # Last: what is installed keeps its names.
        sys.path.append(folder)
    # Data classes and pickles look for it there.
    sys.modules[name] = module
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # what is not ours may raise anything
        del sys.modules[name]
        raise FileFormatError(f"{path} cannot be imported: {in_words(error, file)}") from error
    return module


def _is_of(value: Any, module: str) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module


def _quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its prints on stderr."""

    @wraps(function, updated=())
    def call(*arguments: Any) -> Any:
        with redirect_stdout(sys.stderr):
            return function(*arguments)

    return call
