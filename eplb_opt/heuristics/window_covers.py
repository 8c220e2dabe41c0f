"""Window covers: items of a few GPUs as patterns within the limits of all windows, by exact cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.pattern_cover import cover
from eplb_opt.kernels.window_patterns import window_patterns

# How much less than their own mean GPUs may carry, in what the limit is above that.
DEPTH = 3.0
# Patterns at most, those that are kept, and looks of a search for a cover: those that need more are rarer than others
# that need less.
_MOST_PATTERNS, _KEPT, _MOST_LOOKS = 20_000, 4_000, 100_000
# Seconds of work: of a half of a pattern, of a pattern, of a look.
_PER_HALF, _PER_PATTERN, _PER_LOOK = 6e-8, 1e-7, 2.5e-8
# Sums of loads may be off by this part.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Patterns:
    """What a GPU may hold.

    Attributes
    ----------
    rows
        Increasing items of each pattern, shape ``(patterns, size)``; ``None``: there are too many.
    spare
        What it leaves free in each window, shape ``(patterns, windows)``.
    slack
        What all GPUs may leave free together.
    times
        In how many patterns each item is.
    work
        Seconds of work that it took to find them.
    """

    rows: Ints | None
    spare: Floats
    slack: Floats
    times: Ints
    work: float

    @classmethod
    def of(cls, loads: Floats, experts: Ints, number: int, most: Floats, slack: Floats) -> Patterns:
        """Those of items for a `number` of GPUs: none above `most`, and none so cool that others have too little slack.

        Items have `loads`, shape ``(items, windows)``, and `experts`, which do not decrease.
        """
        size = experts.size // number
        mean = most - slack / number
        least = np.maximum(mean - DEPTH * (most - mean), most - slack)
        rows = window_patterns(loads, experts, size, least, most, _MOST_PATTERNS)
        work = _PER_HALF * experts.size ** (size - size // 2)
        if rows is None:
            work += _PER_PATTERN * _MOST_PATTERNS
            return cls(None, np.empty((0, most.size)), slack, np.empty(0, dtype=np.int64), work)
        spare = np.maximum(most - loads[rows.T].sum(axis=0), 0.0)
        times = np.bincount(rows.ravel(), minlength=experts.size)
        return cls(rows, spare, slack, times, work + _PER_PATTERN * len(rows))

    def covered(self, noise: Floats) -> tuple[Ints | None, float]:
        """Items for each GPU, shape ``(GPUs, size)``, if they are found; and seconds of work.

        The fullest patterns are tried first, as what they leave free is left to few; `noise`, shape ``(patterns,)``, is
        what this is multiplied with.
        """
        if self.rows is None or not self.times.all():
            return None, 0.0
        number = self.times.size // self.rows.shape[1]
        order = np.argsort(self.spare @ (1 / self.slack) * noise)[:_KEPT]
        rows, spare = self.rows[order], self.spare[order]
        chosen, looks = np.empty(number, dtype=np.int64), np.array([_MOST_LOOKS])
        found = cover(rows, spare, self.times.size, self.slack * (1 + _ROUNDING), chosen, looks)
        return rows[chosen] if found else None, _PER_LOOK * int(_MOST_LOOKS - looks[0])
