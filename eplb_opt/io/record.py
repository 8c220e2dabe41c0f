"""Record: a JSON object whose values are read by key and type."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from eplb_opt.certificates.exact import exact_value
from eplb_opt.errors import FileFormatError
from eplb_opt.tokens import LIMIT, too_many

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """A JSON object; reading a missing key or a value of another type is a `FileFormatError` that names both.

    Attributes
    ----------
    name
        The file and the way to the object, for messages.
    values
        The parsed object.
    """

    name: str
    values: Any

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise FileFormatError(f"{self.name} is {reprlib.repr(self.values)}, not an object with keys")

    def get(self, key: str, kind: type[T]) -> T:
        """Value of `key`, which is exactly of the type `kind` (a bool is no int)."""
        value = self._value(key)
        if type(value) is not kind:
            raise self._wrong(key, kind.__name__)
        return value

    def get_or_null(self, key: str, kind: type[T]) -> T | None:
        """Value of `key`, which is of the type `kind`, or null."""
        return None if self._value(key) is None else self.get(key, kind)

    def seconds(self, key: str) -> float:
        """Value of `key` as a finite number that is not negative."""
        value = self._value(key)
        if type(value) not in (int, float) or not 0 <= value < math.inf:
            raise self._wrong(key, "a number of seconds")
        return float(value)

    def choice(self, key: str, options: Sequence[T]) -> T:
        """Value of `key`, which is one of `options`."""
        value = self._value(key)
        for option in options:
            if type(value) is type(option) and value == option:
                return option
        raise self._wrong(key, f"one of {', '.join(map(str, options))}")

    def exact(self, key: str) -> Fraction:
        """Value of `key` written by `eplb_opt.exact.exact_number`: a fraction that is not negative, as tokens are."""
        value = self.record(key)._exact(self._wrong(key, "an exact number such as 590/3"))
        if value >= LIMIT:
            raise FileFormatError(too_many(f"{self.name}: {key!r}"))
        return value

    def exacts(self, key: str) -> tuple[Fraction, ...]:
        """The list under `key` of numbers written by `eplb_opt.exact.exact_number`."""
        wrong = self._wrong(key, "a list of exact numbers such as 590/3")
        return tuple(number._exact(wrong) for number in self.records(key))

    def _exact(self, wrong: FileFormatError) -> Fraction:
        try:
            value = exact_value(self.get("exact", str))
            # Nobody writes a number that no float is near.
            float(value)
        except (ValueError, ZeroDivisionError, OverflowError):
            raise wrong from None
        return value

    def record(self, key: str) -> Record:
        """The object under `key`."""
        return Record(f"{self.name}, {key!r}", self._value(key))

    def records(self, key: str) -> list[Record]:
        """The list of objects under `key`."""
        return [Record(f"{self.name}, {key!r} {i}", value) for i, value in enumerate(self.get(key, list))]

    def _value(self, key: str) -> Any:
        if key not in self.values:
            raise FileFormatError(f"{self.name} has no key {key!r}")
        return self.values[key]

    def _wrong(self, key: str, expected: str) -> FileFormatError:
        return FileFormatError(f"{self.name}: {key!r} is {reprlib.repr(self.values[key])}, not {expected}")
