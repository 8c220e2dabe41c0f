"""Effort: who gets how much of the time limit of a report."""

from __future__ import annotations

# Parts of the time. What is compared by name, as a plan with a rule and without, has the same chance on both sides.
FULL, ASIDE = 3.0, 1.0
# A search asks for more than nothing.
_LEAST = 1e-3


class Effort:
    """Seconds, and the searches that share them in turn, each by its weight.

    What a search leaves, as one that has closed its gap, goes to those after it; what it takes too long, they lack. So
    all of them together hold the limit, and none before has had more time than one of the same weight that follows, if
    it needed all of its own.
    """

    def __init__(self, seconds: float, weights: float) -> None:
        self._left, self._weights = seconds, weights

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0

    def limit(self, weight: float) -> float:
        """The time limit of the next search, in seconds."""
        return max(_LEAST, self._left * min(1.0, weight / self._weights))

    def spend(self, weight: float, seconds: float) -> None:
        """Count a search that took so long."""
        self._left -= seconds
        self._weights = max(self._weights - weight, ASIDE)
