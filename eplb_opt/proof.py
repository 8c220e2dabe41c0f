"""Proof: a lower bound, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

# Arguments that need no numbers, as certificates name them; that no load is negative is the least that the mean says.
_INSTANT = {"none": "mean", "mean": "mean", "nodes": "nodes", "adams": "counts", "slack": "counts"}

# Who is named where the checker did not accept the evidence of a bound: it is no more than that evidence's word.
REFUSED = "refused evidence"


@dataclass(frozen=True)
class Proof:
    """A lower bound on the objective and the argument behind it.

    Attributes
    ----------
    argument
        Name of the argument: ``"mean"``, ``"nodes"``, ``"adams"``, ``"slack"``; ``"few slots"`` (of GPUs that differ);
        ``"weighting"`` (of slot loads), ``"weightings"`` (one for each part of the counts), ``"pairing"`` (of slots, by
        sums of rows), ``"search"`` (of all ways to place the slots of a small layer), ``"fillings"`` (no choice of
        patterns for all GPUs holds all replicas), ``"program"`` (the whole model), ``"partition"`` (of groups, each set
        by one of these). Of several windows ``"windows"`` (each by itself), ``"window partition"`` (one partition of
        the groups for all of them), ``"envelope"`` or ``"window weightings"`` (of replicas, in all windows at once).
    bound
        What it proves: no plan has a smaller objective. In tokens for the objective ``"total"``, else an imbalance.
    checked
        Whether a certificate proves the bound in exact arithmetic; of what `solve` returns, whether the checker
        accepted it. Otherwise the bound is somebody's word.
    by
        Whose word that is: a solver (``"cpsat"``, ``"pulp:HiGHS"``, ``"pulp:COIN_CMD"``), ``"search"``, several where
        all are needed (``"cpsat and search"``), or ``"refused evidence"``. Empty where the bound was checked, or
        where nobody said.
    evidence
        The argument with its numbers, as `eplb_opt.certificates` reads it; ``None`` where the name says it all,
        or where there is only somebody's word.
    """

    argument: str
    bound: Fraction
    checked: bool
    by: str = ""
    evidence: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def certified(self) -> Mapping[str, Any] | None:
        """What `eplb_opt.certificates` can check of one layer of one window; ``None``: nothing."""
        if self.evidence is not None or self.by:
            return self.evidence
        return {"argument": _INSTANT[self.argument]} if self.argument in _INSTANT else None

    @property
    def named(self) -> str:
        """The argument, and on whose word it rests: ``"weighting"``, ``"program by cpsat"``."""
        return named(self.argument, self.by)

    def __str__(self) -> str:
        return f"{self.named} ({'checked' if self.checked else 'not checked'})"


def named(argument: str, by: str) -> str:
    """An argument, and on whose word it rests, as people read it."""
    return f"{argument} by {by}" if by else argument


def strongest(*proofs: Proof) -> Proof:
    """The largest bound; among equal ones a checked one, then the first."""
    return max(proofs, key=lambda proof: (proof.bound, proof.checked))
