"""Verdicts on a max load: whether there are plans below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Feasibility:
    """Whether there are plans below a max load; neither field: not found out within limits.

    Attributes
    ----------
    counts
        That nothing refutes: with two slots per GPU those of a plan, with more perhaps.
    evidence
        That there is none, as `eplb_opt.certificates` reads it.
    """

    counts: list[int] | None = None
    evidence: Mapping[str, Any] | None = None
