"""Methods as a command line names them: names, and functions of files of Python."""

from __future__ import annotations

from eplb_opt.cli.lists import names_of
from eplb_opt.io.method_file import read_methods
from eplb_opt.methods import Method


def named_method(word: str) -> Method:
    """A name as it is, or the function that ``my_rule.py:balance`` stands for."""
    return read_methods([word])[0]


def named_methods(text: str | None) -> list[Method] | None:
    """``"lpt, my_rule.py:balance"`` as the name and the function, each once."""
    words = names_of(text)
    return None if words is None else read_methods(words)
