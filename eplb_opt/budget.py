"""Budget: what one call may use."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from time import monotonic


@dataclass(frozen=True)
class Budget:
    """What a call may use.

    Attributes
    ----------
    began
        Monotonic time at which the call began.
    seconds
        The time limit; where `deterministic`, every layer has an equal share of it in work.
    target_gap
        A layer whose gap is at most this is done.
    seed, workers, deterministic
        As in `eplb_opt.solve`.
    """

    began: float
    seconds: float
    target_gap: Fraction
    seed: int
    workers: int
    deterministic: bool

    @property
    def left(self) -> float:
        """Seconds until the time limit."""
        return max(0.0, self.began + self.seconds - monotonic())
