"""Stand-ins for packages that an engine's parser imports and does not ask anything, in a process of its own."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any


class Anything(type):
    """A class whose attributes, items and values are all classes like it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(name)

    def __getitem__(cls, key: object) -> Any:
        return cls


def stand_in(name: str) -> Any:
    """A class that can be inherited, called, used as a decorator, and is any value to pydantic."""

    def new(cls: type, *arguments: Any, **_: Any) -> Any:
        # A decorator leaves what it decorates as it is.
        if len(arguments) == 1 and isinstance(arguments[0], types.FunctionType | type):
            return arguments[0]
        return object.__new__(cls)

    def schema(cls: type, source: object, handler: object) -> Any:
        from pydantic_core import core_schema

        return core_schema.any_schema()

    body = {
        "__new__": new,
        "__init__": lambda self, *_, **__: None,
        "__getattr__": lambda self, attribute: getattr(type(self), attribute),
        "__call__": lambda self, *arguments, **_: new(type(self), *arguments),
        "__get_pydantic_core_schema__": classmethod(schema),
    }
    return Anything(name, (), body)


class Module(types.ModuleType):
    """A module that has whatever is asked of it."""

    __version__ = "99"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the named packages and all their modules, where they are not installed."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in self.names:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Module:
        return Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


def install(*names: str) -> None:
    """Have stand-ins for packages that are not installed."""
    sys.meta_path.append(Finder(set(names)))
