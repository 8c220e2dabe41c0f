"""MoveLimit: an old row of slots, and the most moves from it, as what a bound is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eplb_opt.gpus import Gpus
from eplb_opt.moves import count_moves, of_equal_size


@dataclass(frozen=True)
class MoveLimit:
    """Plans of a layer with at most so many moves from what ran.

    Attributes
    ----------
    before
        Expert in each slot, -1 where one was empty.
    moves
        The most moves.
    """

    before: tuple[int, ...]
    moves: int

    @property
    def rules(self) -> Mapping[str, Any]:
        """As `eplb_opt.certificates` reads it."""
        return {"before": list(self.before), "moves": self.moves}

    def moves_of(self, slots: Sequence[int], gpus: Gpus) -> int:
        """Moves of a row of slots."""
        rows, old = (of_equal_size(np.asarray(row, dtype=np.int64)[np.newaxis], gpus) for row in (slots, self.before))
        return int(count_moves(rows, old, len(gpus.slots))[0])
