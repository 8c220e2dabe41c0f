"""Gpus: how many slots each GPU has, and how fast it is."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isfinite
from numbers import Rational, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.arrays import frozen_array
from eplb_opt.certificates.exact import exact_value
from eplb_opt.errors import InvalidDeploymentError

# Of a speed as text: beyond it nobody measures.
_MOST_DIGITS = 40


@dataclass(frozen=True)
class Gpus:
    """The GPUs of a deployment, in order.

    A GPU of speed v takes 1 / v of the time for a token: of its load, ``load / v`` is what waits. Loads of GPUs that
    are compared with each other are those that wait, in tokens of a GPU of speed 1.

    Attributes
    ----------
    slots
        Slots of each GPU; those of a GPU follow each other, those of GPU g begin where those of GPU g - 1 end.
    speeds
        Of each GPU; ``None`` where all are alike, which is a speed of 1.
    """

    slots: tuple[int, ...]
    speeds: tuple[Fraction, ...] | None = None

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First slot of each GPU, read-only."""
        return frozen_array(np.cumsum((0, *self.slots[:-1]), dtype=np.int64))

    @cached_property
    def of_slot(self) -> NDArray[np.int64]:
        """GPU of each slot, read-only."""
        return frozen_array(np.repeat(np.arange(len(self.slots), dtype=np.int64), self.slots))

    @property
    def total_speed(self) -> int | Fraction:
        """Sum of the speeds."""
        return len(self.slots) if self.speeds is None else sum(self.speeds)

    @property
    def fastest(self) -> Fraction:
        """The largest speed."""
        return Fraction(1) if self.speeds is None else max(self.speeds)

    def speed(self, gpu: int) -> int | Fraction:
        """Speed of one GPU."""
        return 1 if self.speeds is None else self.speeds[gpu]

    def span(self, gpu: int) -> range:
        """Slots of one GPU."""
        first = int(self.starts[gpu])
        return range(first, first + self.slots[gpu])

    @cached_property
    def rectangular(self) -> bool:
        """Whether all GPUs have equally many slots."""
        return len(set(self.slots)) == 1

    def wait(self, gpu: int, tokens: int) -> int | Fraction:
        """What waits of so many tokens on one GPU."""
        return tokens if self.speeds is None else tokens / self.speeds[gpu]

    def waiting(self, tokens: Iterable[Fraction]) -> list[Fraction]:
        """What waits of the tokens of each GPU."""
        if self.speeds is None:
            return list(tokens)
        return [load / speed for load, speed in zip(tokens, self.speeds, strict=True)]

    def rough_waiting(self, carried: NDArray[np.float64]) -> NDArray[np.float64]:
        """What waits on each GPU, shape ``(..., GPUs)``, of what slots carry, shape ``(..., slots)``."""
        tokens = self.sums(carried)
        found: NDArray[np.float64] = tokens if self.speeds is None else tokens * self.slowness
        return found

    def sums(self, of_slots: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the slots of each GPU, shape ``(..., GPUs)`` from ``(..., slots)``."""
        found: NDArray[np.float64]
        if self.rectangular:
            found = of_slots.reshape(*of_slots.shape[:-1], len(self.slots), -1).sum(axis=-1)
        else:
            found = np.add.reduceat(of_slots, self.starts, axis=-1)
        return found

    @cached_property
    def slowness(self) -> NDArray[np.float64]:
        """1 / speed of each GPU."""
        return np.array([1.0 / float(self.speed(gpu)) for gpu in range(len(self.slots))])

    def table(self, rows: NDArray[np.int64], filler: int) -> NDArray[np.int64]:
        """Rows of slots, shape ``(layers, slots)``, by GPU, shape ``(layers, GPUs, slots of the largest)``; `filler`
        behind the slots of smaller ones."""
        size = max(self.slots)
        if self.rectangular:
            return rows.reshape(len(rows), -1, size)
        found = np.full((len(rows), len(self.slots) * size), filler, dtype=np.int64)
        found[:, self._places] = rows
        return found.reshape(len(rows), -1, size)

    def rows(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that `table` was made of."""
        return table.reshape(len(table), -1)[:, self._places]

    @property
    def _places(self) -> NDArray[np.int64]:
        """Place of each slot where all GPUs have as many as the largest."""
        within = np.arange(len(self.of_slot)) - self.starts[self.of_slot]
        places: NDArray[np.int64] = self.of_slot * max(self.slots) + within
        return places

    def blocks(self, number: int) -> list[Gpus]:
        """Equally many GPUs that follow each other, so many times: the GPUs of each node."""
        size = len(self.slots) // number
        starts = range(0, len(self.slots), size)
        return [
            Gpus(self.slots[i : i + size], None if self.speeds is None else self.speeds[i : i + size]) for i in starts
        ]


def slots_of_each(gpu_slots: Any, num_gpus: int, num_slots: int) -> tuple[int, ...] | None:
    """Slots of each GPU as a tuple; ``None`` where they are equal.

    Raises
    ------
    InvalidDeploymentError
        Not one positive integer for each GPU, or not `num_slots` in all.
    """
    if gpu_slots is None:
        return None
    listed = _one_for_each("gpu_slots", gpu_slots, num_gpus)
    slots = tuple(positive_int(f"gpu_slots[{g}]", value, InvalidDeploymentError) for g, value in enumerate(listed))
    if sum(slots) != num_slots:
        raise InvalidDeploymentError(f"gpu_slots sum to {sum(slots)}, which is not num_slots={num_slots}")
    return slots if len(set(slots)) > 1 else None


def speeds_of_each(gpu_speeds: Any, num_gpus: int) -> tuple[Fraction, ...] | None:
    """Speed of each GPU as a tuple of exact numbers; ``None`` where they are equal.

    Integers, fractions and text such as ``"7/10"`` are taken as they are, floats as the decimals that they print as.

    Raises
    ------
    InvalidDeploymentError
        Not one positive, finite number for each GPU.
    """
    if gpu_speeds is None:
        return None
    listed = _one_for_each("gpu_speeds", gpu_speeds, num_gpus)
    speeds = tuple(_exact(value, f"gpu_speeds[{g}]") for g, value in enumerate(listed))
    return speeds if len(set(speeds)) > 1 else None


def _one_for_each(name: str, values: Any, num_gpus: int) -> Sequence[Any]:
    if isinstance(values, str | bytes | dict) or not isinstance(values, Iterable):
        raise InvalidDeploymentError(f"{name}={reprlib.repr(values)} is not a list with a number for each GPU")
    listed = list(values)
    if len(listed) != num_gpus:
        raise InvalidDeploymentError(f"{name} has {len(listed)} numbers for num_gpus={num_gpus}")
    return listed


def _exact(value: Any, name: str) -> Fraction:
    speed = Fraction(0)
    try:
        if isinstance(value, Rational) and not isinstance(value, bool):
            speed = Fraction(value)
        elif isinstance(value, str) and len(value) <= _MOST_DIGITS:
            speed = exact_value(value) if "/" in value else _decimal(float(value), value)
        elif isinstance(value, Real) and not isinstance(value, bool):
            speed = _decimal(float(value), str(value))
        # Nobody has a GPU of a speed that no float is near.
        if speed > 0 and float(speed) > 0 and isfinite(float(speed)):
            return speed
    except (ValueError, ZeroDivisionError, OverflowError):
        pass
    raise InvalidDeploymentError(f"{name}={reprlib.repr(value)} is not a positive, finite number") from None


def _decimal(number: float, text: str) -> Fraction:
    """The decimal that a text is, where it is a finite number: a text such as 1e999999999 would take all memory."""
    return Fraction(text.strip()) if isfinite(number) and number else Fraction(0)
