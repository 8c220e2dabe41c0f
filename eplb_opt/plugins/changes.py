"""Changes: what a new plan may change of the one that runs, and what it has to gain, as the environment says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction

from eplb_opt.errors import InvalidArgumentError

MOVES = "EPLB_OPT_MOVES"
MOVES_PER_LAYER = "EPLB_OPT_MOVES_PER_LAYER"
LEAST_GAIN = "EPLB_OPT_LEAST_GAIN"


@dataclass(frozen=True)
class Changes:
    """What is asked of a new plan beside that it is cool.

    Attributes
    ----------
    moves, moves_per_layer
        The most experts on GPUs that did not hold them, in all layers of a call and in each; ``None`` for any number.
    least_gain
        By which part the sum of the max loads has to fall, or nothing changes.
    """

    moves: int | None = None
    moves_per_layer: int | None = None
    least_gain: Fraction = Fraction(0)

    @classmethod
    def asked(cls) -> Changes:
        """What ``EPLB_OPT_MOVES``, ``EPLB_OPT_MOVES_PER_LAYER`` and ``EPLB_OPT_LEAST_GAIN`` say, the last in per cent.

        Raises
        ------
        InvalidArgumentError
            A variable is no such number.
        """
        return cls(_number(MOVES), _number(MOVES_PER_LAYER), _part(LEAST_GAIN))

    @property
    def limited(self) -> bool:
        """Whether moves are."""
        return self.moves is not None or self.moves_per_layer is not None

    @property
    def any(self) -> bool:
        """Whether anything is asked for, so that what runs has to be known."""
        return self.limited or self.least_gain > 0

    @property
    def words(self) -> str:
        """The variables that are set, as they are, each behind a comma."""
        return "".join(
            f", {name}={os.environ[name]}" for name in (MOVES, MOVES_PER_LAYER, LEAST_GAIN) if name in os.environ
        )


def _number(name: str) -> int | None:
    text = os.environ.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgumentError(f"{name}={text!r} is not a number of moves, such as 200")
    return int(text)


def _part(name: str) -> Fraction:
    text = os.environ.get(name, "0")
    try:
        part = Fraction(text) / 100
    except (ValueError, ZeroDivisionError):
        part = Fraction(-1)
    if not 0 <= part < 1:
        raise InvalidArgumentError(f"{name}={text!r} is not a number of per cent from 0 to 100, such as 2")
    return part
