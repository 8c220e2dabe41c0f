"""Files of methods: a function of a Python file, as a command line names it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
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
    source = read_bytes(path)
    module = _run(path, str(path.resolve()), source)
    function = getattr(module, attribute, None)
    if not callable(function):
        own = [key for key, value in vars(module).items() if _is_of(value, module.__name__)]
        has = f"it has {list_few(own)}" if own else "it has none"
        raise InvalidArgumentError(f"{path} has no function {attribute!r}; {has}")
    return OwnMethod(f"{path.name}:{attribute}", _quietly(function), hashlib.sha256(source).hexdigest())


@cache
def _run(path: Path, file: str, source: bytes) -> ModuleType:
    """The module that a file of this source is, run once; nothing is cached beside the file, which may change."""
    module = ModuleType(f"eplb_opt_method_{path.stem}")
    module.__file__ = file
    if (folder := str(Path(file).parent)) not in sys.path:
        # Last: what is installed keeps its names.
        sys.path.append(folder)
    # Data classes and pickles look for it there.
    sys.modules[module.__name__] = module
    try:
        with redirect_stdout(sys.stderr):
            exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:  # what is not ours may raise anything
        del sys.modules[module.__name__]
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
