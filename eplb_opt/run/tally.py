"""Tally: how much was done for a layer, and how much of it in vain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from eplb_opt.run.step import SEARCH

# Below this gap search has nearly always more to give than proofs, and than a new start.
NARROW = Fraction(2, 10_000)


@dataclass
class Tally:
    """Steps of a layer after the first.

    Attributes
    ----------
    steps
        How many, by kind.
    fruitless
        Searches since the last better plan or proof.
    work
        Seconds of work that they counted for.
    """

    steps: Counter[str] = field(default_factory=Counter)
    fruitless: int = 0
    work: float = 0.0

    @property
    def proofs(self) -> int:
        """Steps that could prove something."""
        return self.steps.total() - self.steps[SEARCH]


def next_seed(tally: Tally) -> int:
    """What is added to a seed for the next search: seeds that follow each other are far apart."""
    return 0x9E3779B1 * (tally.steps[SEARCH] + 1)
