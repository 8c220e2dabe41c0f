"""Drawing: numbers at random, in code that takes a fraction of the time to compile."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.kernels.compiler import Index, compiled


@compiled
def draw(random: Any, number: Index) -> Index:
    """One of so many numbers from 0 on: much faster than ``integers``, and as even as 53 bits are.

    Never `number` itself: the largest number below 1 times any number below 2^53 rounds to less than that.
    """
    return np.int64(random.random() * number)
