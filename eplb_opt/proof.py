"""Proof: a lower bound, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Proof:
    """A lower bound on the objective and the argument behind it.

    Attributes
    ----------
    argument
        Name of the argument: ``"mean"``, ``"nodes"``, ``"adams"``, ``"slack"``; ``"weighting"`` (of slot loads),
        ``"partition"`` (of groups, each set by one of these); ``"pairing"``, ``"weightings"``, ``"partition"``,
        ``"nodes"`` or ``"program"`` with ``"by"`` and the solver whose word it rests on, ``"fillings by search"`` (all
        fillings of GPUs tried by compiled code). Of several windows ``"windows"`` (each by itself),
        ``"window partition"`` (one partition of the groups for all of them) or ``"envelope"``.
    bound
        What it proves: no plan has a smaller objective. In tokens for the objective ``"total"``, else an imbalance.
    checked
        Whether the bound was derived in exact arithmetic; otherwise it rests on the word of a solver, or of a search.
    """

    argument: str
    bound: Fraction
    checked: bool

    def __str__(self) -> str:
        return f"{self.argument} ({'checked' if self.checked else 'solver'})"


# Called with a better plan, as a row of slots, or with a proof of a better bound, as they are found.
Report = Callable[[NDArray[np.int64] | None, Proof | None], None]


def strongest(*proofs: Proof) -> Proof:
    """The largest bound; among equal ones a checked one, then the first."""
    return max(proofs, key=lambda proof: (proof.bound, proof.checked))
