"""Order: numpy's sorting in kernels of its own, which are compiled once for all that sort, by whichever process."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled


@compiled
def ascending(values: Floats) -> Ints:
    """Positions of a contiguous row, the smallest value first; of equal ones in any order, but the same always."""
    return np.argsort(values)


@compiled
def descending(values: Floats) -> Ints:
    """The same, the largest value first."""
    return ascending(-values)


@compiled
def lightest_first(values: Floats) -> Ints:
    """Positions of a contiguous row, the smallest value first; of equal ones the first."""
    return np.argsort(values, kind="mergesort")


@compiled
def heaviest_first(values: Floats) -> Ints:
    """Positions of a contiguous row, the largest value first; of equal ones the first."""
    return lightest_first(-values)
