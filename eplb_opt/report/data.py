"""What a report holds: plans against the proven bound, as data frames and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report.costs import Costs
from eplb_opt.report.held_out import HeldOutScores
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

    from eplb_opt.report.curve import MovesCurve


@dataclass(frozen=True, eq=False, repr=False)
class ReportData:
    """What `eplb_opt.report.make_report` found out, and every section of a report reads.

    Excess is how far a plan is above perfect balance, as a part of it: (max load - mean load) / mean load, for the
    objective ``"mean"`` the mean of that over windows, for ``"worst"`` the largest; of several layers, that of the
    sums of their loads, or the mean. Layers and windows without load count in no figure of several; where nothing has
    load, these are ``NaN``.

    Attributes
    ----------
    loads
        The recording.
    solution
        Bounds and their proofs, and the plan ``"solve"``.
    plans
        All plans by name, with the layers of the loads: ``"lpt"`` (the published greedy policy, which is what an engine
        does by itself), ``"old plan"`` if it was given, other plans that were, ``"solve"``, ``"trivial"`` (experts in
        order).
    labels
        Names of the plans for people, short enough for a legend.
    layers
        One row per plan and layer: ``plan``, ``label``, ``layer_id``; ``objective`` and ``lower_bound`` in the unit of
        the objective; ``gap``; ``excess``, and ``least_excess`` of the bound, ``NaN`` in a layer without load;
        ``share`` of the sum of the plan's objectives, and ``left``, the part of that sum which lies between plan and
        bound, both 0 in a layer without load.
    summary
        One row per plan: ``plan``, ``label``, ``excess``, ``least_excess``, ``worst_excess`` of a layer, ``gap`` of the
        sum of objectives, and the figures of `eplb_opt.evaluate.summarise`, all under the deployment's dispatch; where
        that is not even, ``excess_even`` is ``excess`` under the even split.
    metrics
        `eplb_opt.evaluate` of every plan, with its name in ``plan``.
    experts
        One row per layer: `eplb_opt.skew.skew` of the recording.
    prices
        What each rule and each slot costs. One row per ``change`` of the deployment: ``"as it is"``, and those of
        ``"policy"``, ``"distinct"``, ``"slot more"``, ``"slot less"`` that are possible and were planned; ``words`` for
        it; ``excess`` and ``least_excess`` of plan and bound with it; by how much it makes the hottest GPU cooler at
        least and at most, as a part of perfect balance, ``least_gain`` and ``most_gain``; and ``seconds``.
    unpriced
        Which changes were not planned and why, in a sentence; empty if all were.
    held_out
        What plans are worth on windows that they were not made from, or why that is not known.
    solved
        Whether `solution` was searched for the report, and not given.
    subject
        The plan that the report judges: the coolest of those given, else ``"solve"``.
    best
        The coolest plan of those given and ``"solve"``, which is to be deployed.
    start
        The plan that it takes the place of: the old plan, else the first of those given that is not the best itself,
        else ``"trivial"``.
    moves
        Experts on GPUs of the best plan that `start` does not have there.
    costs
        Memory and time of plans, where a model and a time model tell.
    curve
        Plans with more and more moves from the old plan; ``None`` where that is not given, or has no loads to be
        changed for.
    methods
        Methods that were asked for by the caller, by their names in `plans`: why one has no plan, else an empty text.
    facts
        How the numbers were made, in words by name.
    """

    loads: Loads
    solution: Solution
    plans: Mapping[str, Plan]
    labels: Mapping[str, str]
    layers: pd.DataFrame
    summary: pd.DataFrame
    metrics: pd.DataFrame
    experts: pd.DataFrame
    prices: pd.DataFrame
    unpriced: str
    held_out: HeldOutScores
    solved: bool
    subject: str
    best: str
    start: str
    moves: int
    costs: Costs
    curve: MovesCurve | None
    methods: Mapping[str, str]
    facts: Mapping[str, str]

    @property
    def deployment(self) -> Deployment:
        """Where the experts live."""
        return self.solution.plan.deployment

    @property
    def has_load(self) -> bool:
        """Whether any token was recorded."""
        return bool(self.loads.values.any())

    @cached_property
    def figures(self) -> dict[str, dict[str, Any]]:
        """`summary` by the names of plans."""
        return {row["plan"]: row for row in rows_of(self.summary)}

    @cached_property
    def by_layer(self) -> dict[str, list[dict[str, Any]]]:
        """`layers` by the names of plans."""
        return {name: rows_of(self.layers[self.layers["plan"] == name]) for name in self.plans}

    @cached_property
    def changes(self) -> dict[str, dict[str, Any]]:
        """`prices` by their changes."""
        return {row["change"]: row for row in rows_of(self.prices)}


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A data frame as dictionaries, one for each row."""
    rows: list[dict[str, Any]] = frame.to_dict(orient="records")  # type: ignore[assignment]
    return rows
