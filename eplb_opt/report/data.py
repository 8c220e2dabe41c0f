"""What a report holds: plans against the proven bound, as data frames and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd


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
        All plans by name, with the layers of the loads: ``"trivial"`` (experts in order), ``"lpt"`` (the published
        greedy policy), those that were given, ``"solve"``.
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
    hierarchy
        Where groups are bound to nodes, ``excess``, ``least_excess``, ``gap`` and ``seconds`` for each ``policy``,
        ``"hierarchical"`` and ``"global"``; else ``None``.
    subject
        The plan that the report judges: the coolest of those given, else ``"solve"``.
    best
        The coolest plan of those given and ``"solve"``, which is to be deployed.
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
    hierarchy: pd.DataFrame | None
    subject: str
    best: str
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
    def policies(self) -> dict[str, dict[str, Any]]:
        """`hierarchy` by its policies; empty where there is none."""
        return {} if self.hierarchy is None else {row["policy"]: row for row in rows_of(self.hierarchy)}


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A data frame as dictionaries, one for each row."""
    rows: list[dict[str, Any]] = frame.to_dict(orient="records")  # type: ignore[assignment]
    return rows
