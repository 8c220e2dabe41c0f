"""Progress: what whoever watches a call is told after each step."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Progress:
    """One step forward, for whoever watches.

    Attributes
    ----------
    seconds, time_limit
        Since the call began, and for all of it.
    layer_id, objective, lower_bound, gap
        The layer that moved, and its values now, exact, in the unit of the objective.
    layers, layers_done
        All layers, and those that meet the target gap.
    worst_gap
        Largest gap of a layer; ``None`` until every layer has a plan.
    """

    seconds: float
    time_limit: float
    layer_id: int
    objective: Fraction
    lower_bound: Fraction
    gap: Fraction
    layers: int
    layers_done: int
    worst_gap: Fraction | None
