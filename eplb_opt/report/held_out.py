"""HeldOutScores: what plans are worth on each recording that they were not made from, as a report tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eplb_opt.compare import SOLVE
from eplb_opt.held_out import held_out
from eplb_opt.loads import Loads
from eplb_opt.report.colours import GREEDY
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

# Plans of a report by their names in `eplb_opt.held_out`.
_PLANS = {"greedy": GREEDY, "planned": SOLVE}


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Every window in turn is left out: planned on the others, scored on it, by `eplb_opt.held_out`.

    Attributes
    ----------
    scores
        One row per window that was left out and has load: ``window``, and the excess on it, all layers together, of the
        plans ``"lpt"`` and ``"solve"`` for the others. ``None`` where nothing was scored.
    together
        The same over all these windows as the report's objective takes them; empty where nothing was scored.
    missing
        Why windows have no score, in a sentence; empty where all have one.
    seconds
        What it took.
    """

    missing: str = ""
    scores: pd.DataFrame | None = None
    together: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def why_not(loads: Loads) -> str:
    """Why no window can be left out, in a sentence; empty if it can."""
    if loads.num_windows < 2:
        return (
            "There is one recording. Of several, each is left out in turn, and plans for the others are scored on it."
        )
    return "" if loads.loaded.any() else "No window has any load."


def held_out_scores(loads: Loads, solution: Solution, seconds: float, settings: Mapping[str, Any]) -> HeldOutScores:
    """Leave out one window after the other, as far as the seconds go, and plan for the solution's objective."""
    weights = solution.window_weights
    found = held_out(
        loads,
        solution.plan.deployment,
        seconds=seconds,
        objective=solution.objective,
        window_weights=None if weights is None else [float(weight) for weight in weights],
        **settings,
    )
    late = found.windows < loads.num_windows
    if not loads.loaded[: found.windows].any():
        return HeldOutScores("Not computed: interrupted, or no load in the windows that there was time for.")
    metrics = found.metrics[found.metrics["mean_load"] > 0]
    metrics = metrics.assign(plan=metrics["plan"].map(_PLANS))
    return HeldOutScores(
        f"{found.windows} of {loads.num_windows} were left out; more take a longer time limit." if late else "",
        _by_window(metrics, solution.objective),
        {str(plan): _excess(rows, solution.objective) for plan, rows in metrics.groupby("plan")},
        found.seconds,
    )


def _by_window(metrics: pd.DataFrame, objective: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {"window": window, **{plan: _excess(rows, objective) for plan, rows in group.groupby("plan")}}
            for window, group in metrics.groupby("window")
        ]
    )


def _excess(metrics: pd.DataFrame, objective: str) -> float:
    """Excess of a plan in some windows, as `ReportData` has it."""
    if objective == "total":
        return float(metrics["max_load"].sum() / metrics["mean_load"].sum() - 1)
    by_layer = metrics.groupby("layer_id")["imbalance"]
    return float((by_layer.max() if objective == "worst" else by_layer.mean()).mean() - 1)
