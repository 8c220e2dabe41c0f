"""Proof: a lower bound, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Proof:
    """A lower bound on the objective and the argument behind it.

    Attributes
    ----------
    argument
        Name of the argument: ``"mean"``, ``"nodes"``, ``"adams"``, ``"slack"``, ``"pairing by cpsat"``, or
        ``"program by"`` and a solver.
    bound
        What it proves: no plan has a smaller objective. In tokens for the objective ``"total"``.
    checked
        Whether the bound was derived in exact arithmetic; otherwise it rests on a solver's word.
    """

    argument: str
    bound: Fraction
    checked: bool

    def __str__(self) -> str:
        return f"{self.argument} ({'checked' if self.checked else 'solver'})"


def strongest(*proofs: Proof) -> Proof:
    """The largest bound; among equal ones a checked one, then the first."""
    return max(proofs, key=lambda proof: (proof.bound, proof.checked))
