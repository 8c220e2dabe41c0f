"""Moves: how a search changes a plan, by the dispatch of the deployment."""

from __future__ import annotations

from typing import Protocol

from eplb_opt.heuristics import dispatched_search, window_search
from eplb_opt.heuristics.segment import Segment, Slots
from eplb_opt.instance import Instance
from eplb_opt.objective import Windows


class Moves(Protocol):
    """Annealing and reassignment, and the seconds of work that they take."""

    def annealed(self, instance: Instance, windows: Windows, segment: Segment) -> tuple[Slots, Slots]:
        """The best plan of one segment, and the one where it ends."""

    def reassigned(
        self, instance: Instance, windows: Windows, slots: Slots, above: float, seconds: float, seed: int
    ) -> Slots:
        """The best plan of `seconds` of reassignment from `slots`, which are `above` the bound."""

    def reassignment_applies(self, instance: Instance) -> bool:
        """Whether there is something to reassign."""

    def reassigns_widely(self, instance: Instance, windows: Windows) -> bool:
        """Whether that is of many GPUs at once, which makes any plan cooler, and not only the best one."""

    def seconds_per_proposal(self, instance: Instance, windows: Windows) -> float:
        """Work of a proposal of annealing."""


def moves_of(instance: Instance) -> Moves:
    """The moves by the shares of the dispatch, and by whether GPUs differ; for the optimal split those of the even."""
    of_alike = instance.deployment.alike and instance.deployment.dispatch in ("even", "optimal")
    return window_search if of_alike else dispatched_search
