"""Shuffle: numpy's random permutations, in code that takes a fraction of the time to compile."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Ints, compiled


@compiled
def shuffle(row: Ints, random: np.random.Generator) -> None:
    """The same permutation of a row, in place, as ``random.shuffle(row)`` makes of it."""
    for last in range(row.size - 1, 0, -1):
        mask = last
        for shift in (1, 2, 4, 8, 16):
            mask |= mask >> shift
        # Numbers below 2^32 are drawn as they come from the generator.
        other = random.integers(0, 4294967296) & mask
        while other > last:
            other = random.integers(0, 4294967296) & mask
        row[last], row[other] = row[other], row[last]
