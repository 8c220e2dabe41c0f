"""Methods: ways to plan, by the names that they have, or functions of the caller's own."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from eplb_opt.arguments import one_of
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.own_method import OwnMethod

# What `str` turns into the name that tables show.
Method = str | OwnMethod


def method_of(given: Any, known: Iterable[str], argument: str = "method") -> Method:
    """One of the `known` names, or an own method around a function; else an `InvalidArgumentError`."""
    if isinstance(given, OwnMethod):
        return given
    if callable(given):
        return OwnMethod(_name(given), given)
    if not isinstance(given, str):
        raise InvalidArgumentError(f"{argument}={reprlib.repr(given)} is neither a name nor a function")
    return one_of(argument, given, known)


def methods_of(
    given: Sequence[Any] | None, known: Sequence[str], argument: str = "method", reserved: Iterable[str] = ()
) -> tuple[Method, ...]:
    """Names and functions, each once and each with a name of its own; all the `known` ones where none are given.

    `reserved` are names that a table has for something else: a function called so gets another one.

    Raises
    ------
    InvalidArgumentError
        A single name in the place of a list, one that is not known, or what is neither a name nor a function.
    """
    if given is None:
        return tuple(known)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"methods={reprlib.repr(given)} is no list; give a list of names and functions")
    found: list[Method] = []
    taken = {*known, *reserved}
    for method in (method_of(each, known, argument) for each in given):
        if isinstance(method, str):
            found += [method] * (method not in found)
        elif not any(isinstance(other, OwnMethod) and other.function is method.function for other in found):
            # A function may be called as a published heuristic is, and two lambdas are always called alike.
            found.append(replace(method, name=_free(method.name, taken)))
            taken.add(str(found[-1]))
    return tuple(found)


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def _name(function: Callable[..., Any]) -> str:
    """What people call a function: its own name, or that of its class."""
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__)).strip("<>")
