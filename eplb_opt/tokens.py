"""Tokens: which numbers are loads. What has passed here may be added, divided and compared without fear for floats.

A layer has less than 2**53 tokens, its windows and experts together: at ten million a second it gets there in 28 years.
So integers are floats exactly, and neither their sums nor those of floats leave their types. A load is 0 or at least
1e-200, so that a part of it, as a replica has it, is not rounded to 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import InvalidLoadsError

LIMIT = 2**53
LEAST = 1e-200


def require_tokens(values: NDArray[Any]) -> None:
    """Refuse values, of shape ``(windows, layers, experts)`` and any type of numbers, that are no loads.

    Raises
    ------
    InvalidLoadsError
        A value that is negative, not finite or out of range, or a layer that has `LIMIT` tokens or more; the first one
        is named.
    """
    # NaN is neither above nor below anything.
    wrong = ~((values == 0) | ((values >= LEAST) & (values < LIMIT)))
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        load = f"load {values[place]} at window {place[0]}, layer row {place[1]}, expert {place[2]}"
        if not 0 < values[place] < float("inf"):
            raise InvalidLoadsError(f"{load} is not a finite, non-negative number of tokens")
        if values[place] < LEAST:
            raise InvalidLoadsError(
                f"{load} is not 0 and below {LEAST} tokens: multiply all loads by one number, or write 0"
            )
        raise InvalidLoadsError(too_many(load))
    # Floats round no sum of less than 2**53 integers, and none of more to less.
    beyond = np.flatnonzero(values.sum(axis=(0, 2), dtype=np.float64) >= LIMIT)
    if beyond.size:
        raise InvalidLoadsError(too_many(f"the sum of layer row {beyond[0]} over windows and experts"))


def too_many(what: str) -> str:
    """The sentence that refuses a number of `LIMIT` tokens or more."""
    return f"{what} is 2**53 tokens or more, which no recorder counts: divide all loads by one number"
