"""Regions of the imbalances that a plan may have in several windows, and the room of a GPU in a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from eplb_opt.kernels.compiler import Floats
from eplb_opt.verify import weighted_mean

# Upper limits, lower limits and weights of windows, shape ``(windows,)`` each, and the largest weighted mean.
Room = tuple[Floats, Floats, Floats, float]


@dataclass(frozen=True)
class Region:
    """Imbalances that are at least `lower` and below `upper` in every window, and worth less than what is asked.

    Whatever imbalances a plan has there, the loads of each of its GPUs are below `upper`. And where the mean counts,
    the mean of its loads, with those for `lower` that are below, is less than what is asked.

    Attributes
    ----------
    weights
        What each window counts for in the mean; they sum to 1. ``None``: the hottest one counts.
    """

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    weights: tuple[Fraction, ...] | None
    asked: Fraction

    @classmethod
    def above(
        cls, lower: Sequence[Fraction], weights: Sequence[Fraction] | None, asked: Fraction, total: Fraction
    ) -> Region:
        """All imbalances that are worth less than what is asked; `total` is what one GPU would have with all load."""
        most = total + 1
        if weights is None:
            return cls(tuple(lower), (min(asked, most),) * len(lower), None, asked)
        return cls(tuple(lower), (most,) * len(lower), tuple(weights), asked)._tightened()

    @property
    def empty(self) -> bool:
        """Whether there are none."""
        return self.value >= self.asked or any(a >= b for a, b in zip(self.lower, self.upper, strict=True))

    @property
    def value(self) -> Fraction:
        """What imbalances are worth at least."""
        if self.weights is None:
            return max(self.lower)
        return weighted_mean(list(zip(self.lower, self.weights, strict=True)))

    @property
    def room(self) -> Room:
        """What a GPU may carry, as floats."""
        upper, lower = (np.array([float(x) for x in limits]) for limits in (self.upper, self.lower))
        if self.weights is None:
            return upper, lower, np.zeros(upper.size), 1.0
        return upper, lower, np.array([float(weight) for weight in self.weights]), float(self.asked)

    @property
    def widest(self) -> int:
        """The window whose imbalance is open most."""
        spans = [b - a for a, b in zip(self.lower, self.upper, strict=True)]
        return spans.index(max(spans))

    def parted(self, window: int, at: Fraction) -> tuple[Region, Region]:
        """Imbalances of a window below a number, and the others."""
        upper = (*self.upper[:window], at, *self.upper[window + 1 :])
        lower = (*self.lower[:window], at, *self.lower[window + 1 :])
        return replace(self, upper=upper), replace(self, lower=lower)._tightened()

    def _tightened(self) -> Region:
        """The same imbalances, with upper limits that the lower ones of the others leave."""
        if self.weights is None or self.value >= self.asked:
            return self
        missing = self.asked - self.value
        limits = zip(self.lower, self.upper, self.weights, strict=True)
        upper = (min(high, low + missing / weight) if weight else high for low, high, weight in limits)
        return replace(self, upper=tuple(upper))
