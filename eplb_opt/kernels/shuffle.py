"""Shuffle: random permutations, in code that takes a fraction of the time to compile that numpy's takes."""

from __future__ import annotations

from typing import Any

from eplb_opt.kernels.compiler import Ints, compiled
from eplb_opt.kernels.drawing import draw


@compiled
def shuffle(row: Ints, random: Any) -> None:
    """Permute a row in place, all permutations equally likely.

    From the last place on, each gets one of what is left. Source: R. A. Fisher and F. Yates, Statistical Tables (1938);
    in place R. Durstenfeld, https://doi.org/10.1145/364520.364540.
    """
    for last in range(row.size - 1, 0, -1):
        other = draw(random, last + 1)
        row[last], row[other] = row[other], row[last]
