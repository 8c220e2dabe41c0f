"""MovesCurve: plans with more and more moves from the one that runs, as a report tells them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from eplb_opt.arguments import natural_int
from eplb_opt.diff import diff, summarise_diff
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan, way_to_plan
from eplb_opt.proof import Proof
from eplb_opt.replan import replan_curve
from eplb_opt.replan_points import replan_points
from eplb_opt.report.data import rows_of
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

# The command where nobody says how files are called, and its seconds where it is not told any.
REPLAN = "eplb-opt replan old.json loads.json"
_SECONDS = 60
# Limits on moves where none are asked for, as parts of the slots of all layers: beyond a quarter little is gained.
_PARTS = (64, 32, 16, 8, 4)


@dataclass(frozen=True, eq=False)
class MovesCurve:
    """What more moves bring.

    Attributes
    ----------
    points
        A row for each plan, see `eplb_opt.replan_points.replan_point`, no bound below that on all plans.
    proofs
        What the bounds rest on.
    seconds
        What the search took.
    commands
        For each plan that moves anything its moves, and the command that makes it.
    interrupted
        Whether Ctrl-C ended the search.
    """

    points: pd.DataFrame
    proofs: tuple[Proof, ...]
    seconds: float
    commands: tuple[tuple[int, str], ...]
    interrupted: bool


@dataclass(frozen=True, eq=False)
class ChangeAsked:
    """What a report is to tell of a change from the plan that runs; ``None``: nothing.

    Attributes
    ----------
    old_plan
        What runs.
    max_moves
        The most moves of each plan; ``None``: parts of the slots.
    bandwidth
        GB/s of weights that each GPU sends and receives.
    command
        The beginning of a call of ``eplb-opt replan``.
    """

    old_plan: Plan | None
    max_moves: Sequence[int] | None
    bandwidth: float | None
    command: str

    def require(self) -> None:
        """Refuse what means nothing without an old plan, and what is no limit."""
        if not isinstance(self.old_plan, Plan | None):
            raise InvalidArgumentError(f"old_plan={self.old_plan!r} is not a Plan; {way_to_plan(self.old_plan)}")
        for name in ("max_moves", "bandwidth"):
            if self.old_plan is None and getattr(self, name) is not None:
                raise InvalidArgumentError(f"{name} is about a change from the plan that runs: give it as the old plan")
        if self.max_moves is not None and not len(self.max_moves):
            raise InvalidArgumentError("max_moves is empty: give the most moves of each plan")
        for limit in self.max_moves or ():
            natural_int("max_moves", limit)

    def require_costs(self, old_plan: Plan, loads: Loads, facts: Mapping[str, Any]) -> None:
        """Refuse what the costs of a change need and is not there, before any work."""
        summarise_diff(diff(old_plan, old_plan, loads, **facts), self.bandwidth)

    def curve(
        self,
        old_plan: Plan,
        loads: Loads,
        solution: Solution,
        seconds: float,
        settings: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> MovesCurve:
        """Plans with more and more moves from `old_plan`, whose rows are the layers of the loads, for the objective of
        a solution of these. `settings` are those of `replan_curve`, `facts` those of `replan_diff`.
        """
        weights, slots = solution.window_weights, old_plan.physical_to_logical.size
        limits = [0, *(slots // part for part in _PARTS)] if self.max_moves is None else self.max_moves
        found = replan_curve(
            old_plan,
            loads,
            sorted(set(limits)),
            objective=solution.objective,
            window_weights=None if weights is None else [float(weight) for weight in weights],
            time_limit=seconds,
            **settings,
        )
        points = replan_points(found, loads, self.bandwidth, **facts)
        proofs = [layer.proof for one in found for layer in one.layers]
        least = found[0].imbalance_of(sum((layer.lower_bound for layer in solution.loaded_layers), Fraction(0)))
        if (points["bound"] < least).any():
            proofs += [layer.proof for layer in solution.layers]
            points["bound"] = points["bound"].clip(lower=least)
            points["gap"] = 1 - points["bound"] / points["imbalance"]
        words = f"{self.command}{_option_words(solution, loads, seconds, settings)}"
        # Of plans with the same moves the one of the least limit.
        commands = {
            row["moves"]: f"{words} --max-moves {row['max_moves']} -o new-{row['max_moves']}.json"
            for row in reversed(rows_of(points))
            if row["moves"]
        }
        return MovesCurve(
            points, tuple(proofs), found[0].runtime, tuple(sorted(commands.items())), found[0].interrupted
        )


def _option_words(solution: Solution, loads: Loads, seconds: float, settings: Mapping[str, Any]) -> str:
    """Options of the search that are not as ``eplb-opt replan`` has them, each after a space."""
    words = []
    if solution.objective != ("total" if loads.num_windows == 1 else "mean"):
        words += ["--objective", solution.objective]
    if solution.window_weights is not None:
        words += ["--window-weights", ",".join(f"{float(weight):.17g}" for weight in solution.window_weights)]
    if settings.get("seed"):
        words += ["--seed", str(settings["seed"])]
    if seconds > _SECONDS:
        words += ["--time-limit", str(ceil(seconds))]
    return f" {shlex.join(words)}" if words else ""
