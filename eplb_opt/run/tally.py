"""Tally: how much was done for a layer, and how much of it in vain."""

from __future__ import annotations

from collections import Counter, defaultdict
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
        Seconds of work that they counted for, by kind.
    """

    steps: Counter[str] = field(default_factory=Counter)
    fruitless: int = 0
    work: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def proofs(self) -> int:
        """Steps that could prove something."""
        return self.steps.total() - self.steps[SEARCH]

    @property
    def total_work(self) -> float:
        """Seconds of work of all steps."""
        return sum(self.work.values())

    @property
    def search_is_behind(self) -> bool:
        """Whether searches had less work than what could prove something."""
        return 2 * self.work[SEARCH] < self.total_work


def next_seed(tally: Tally) -> int:
    """What is added to a seed for the next search: seeds that follow each other are far apart."""
    return 0x9E3779B1 * (tally.steps[SEARCH] + 1)
