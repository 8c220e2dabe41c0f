"""Windowing: into which windows the steps of a recording are summed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.tokens import LIMIT, too_many


@dataclass(frozen=True)
class Windowing:
    """Equal parts, or windows of equal length.

    Attributes
    ----------
    count
        Contiguous parts, as equal as possible, of all steps.
    length
        Steps of a window, in place of a count of windows; a shorter rest at the end is left out.
    """

    count: int = 1
    length: int | None = None

    @classmethod
    def of(cls, windows: Any, window_length: Any = None) -> Windowing:
        """Windowing that the arguments describe; an `InvalidArgumentError` unless at most one of them is given."""
        count = positive_int("windows", windows)
        if window_length is None:
            return cls(count)
        if count != 1:
            raise InvalidArgumentError(
                f"windows={windows} and window_length={window_length} both say how to cut a recording; give one of them"
            )
        return cls(length=positive_int("window_length", window_length))

    def sums(self, steps: Iterable[NDArray[Any]], name: str) -> NDArray[Any]:
        """Sum of each window, shape ``(windows, layers, experts)``, of at least one step ``(layers, experts)``.

        Steps of one window, or of windows of one length, are summed as they come; several parts of a whole are known
        only once all steps are there, which are kept until then.

        Raises
        ------
        InvalidArgumentError
            Fewer steps than windows, or than a window has.
        InvalidLoadsError
            A sum of 2**53 tokens or more.
        """
        if self.count > 1:
            return self._parts(list(steps), name)
        seen = _Counted(steps)
        windows = list(_sums(seen, self.length, name))
        if not windows:
            raise InvalidArgumentError(f"window_length={self.length} is more than the steps of {name}: {seen.count}")
        return np.stack(windows)

    def _parts(self, steps: list[NDArray[Any]], name: str) -> NDArray[Any]:
        if self.count > len(steps):
            raise InvalidArgumentError(f"windows={self.count} is more than the steps of {name}; largest: {len(steps)}")
        longer, length = len(steps) % self.count, len(steps) // self.count
        ends = np.cumsum([length + (part < longer) for part in range(self.count)])
        parts = (steps[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True))
        return np.stack([window for part in parts for window in _sums(part, None, name)])


class _Counted:
    """Steps, and how many of them have been gone through."""

    def __init__(self, steps: Iterable[NDArray[Any]]) -> None:
        self._steps = steps
        self.count = 0

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for step in self._steps:
            self.count += 1
            yield step


def _sums(steps: Iterable[NDArray[Any]], length: int | None, name: str) -> Iterator[NDArray[Any]]:
    """Sum of every `length` steps, or of all; a rest of fewer than `length` steps is left out."""
    total: NDArray[Any] | None = None
    count = 0
    for step in steps:
        total = step if total is None else _added(total, step, name)
        count += 1
        if count == length:
            yield total
            total, count = None, 0
    if length is None and total is not None:
        yield total


def _added(total: NDArray[Any], step: NDArray[Any], name: str) -> NDArray[Any]:
    total = total + step
    # At once, as the sum of many such sums would leave int64.
    if (total >= LIMIT).any():
        raise InvalidLoadsError(too_many(f"{name}: the sum of steps"))
    return total
