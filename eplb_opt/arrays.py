"""Arrays that cannot change, and the ids that label their rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.errors import EplbOptError


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy of `array`, which no caller holds a writable view of."""
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


def layer_labels(
    ids: Iterable[Any], num_model_layers: Any, count: int, error: type[EplbOptError]
) -> tuple[tuple[int, ...], int]:
    """Layer ids of `count` rows, and the decoder layers of the model: by default up to the last of the ids."""
    numbers = increasing_ids(ids, count, error)
    layers = positive_int("num_model_layers", num_model_layers or numbers[-1] + 1, error)
    if layers <= numbers[-1]:
        raise error(f"num_model_layers={layers} leaves no room for layer {numbers[-1]}")
    return numbers, layers


def increasing_ids(ids: Iterable[Any], count: int, error: type[EplbOptError]) -> tuple[int, ...]:
    """Layer ids as a tuple of `count` increasing integers from 0; no ids: ``0 .. count - 1``."""
    try:
        numbers = tuple(operator.index(number) for number in ids) or tuple(range(count))
    except TypeError:
        raise error("layer ids are not integers") from None
    if len(numbers) != count:
        raise error(f"{len(numbers)} layer ids for {count} layers")
    if numbers[0] < 0 or any(b <= a for a, b in pairwise(numbers)):
        raise error(f"layer ids are not increasing from 0 on: {list(numbers)}")
    return numbers
