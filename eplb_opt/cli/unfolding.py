"""Groups of options: a command takes a dataclass where the command line has an option for each of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """The command as typer reads it: with a parameter for each field of the dataclasses that it takes.

    Fields are annotated as parameters of typer are, and may be dataclasses themselves. Names are those of options, so
    no two of them are the same.
    """
    given = signature(command, eval_str=True).parameters
    groups = {name: parameter.annotation for name, parameter in given.items() if is_dataclass(parameter.annotation)}
    flat = [option for parameter in given.values() for option in _unfolded(parameter)]

    @wraps(command)
    def run(**values: Any) -> int:
        folded = {name: _folded(group, values) for name, group in groups.items()}
        return command(**folded, **{name: values[name] for name in given if name not in groups})

    run.__signature__ = Signature(flat, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {option.name: option.annotation for option in flat}
    return run


def _unfolded(parameter: Parameter) -> Iterator[Parameter]:
    """The parameter itself, or those that the fields of a group stand for."""
    group = parameter.annotation
    if not is_dataclass(group):
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = Parameter.empty if field.default is MISSING else field.default
        option = Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name])
        yield from _unfolded(option)


def _folded(group: Any, values: Mapping[str, Any]) -> Any:
    """The group made of the values of its options."""
    hints = get_type_hints(group)
    return group(
        **{
            field.name: _folded(hints[field.name], values) if is_dataclass(hints[field.name]) else values[field.name]
            for field in fields(group)
        }
    )
