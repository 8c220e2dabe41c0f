"""replan_points: plans with more and more moves side by side, one row for each."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from eplb_opt.diff import summarise_diff
from eplb_opt.replan_diff import replan_diff
from eplb_opt.replanned import Replan

if TYPE_CHECKING:
    import pandas as pd

# Of `summarise_diff`, where they are known.
_COSTS = ("batches", "gib", "milliseconds", "seconds_to_copy", "steps_to_break_even")


def replan_points(found: Sequence[Replan], loads: Any, bandwidth: float | None = None, **facts: Any) -> pd.DataFrame:
    """A row for each of several plans from the same old one, see `replan_point`; `facts` are those of `replan_diff`."""
    import pandas as pd

    return pd.DataFrame([replan_point(one, replan_diff(one, loads, **facts), bandwidth) for one in found])


def replan_point(found: Replan, frame: pd.DataFrame, bandwidth: float | None = None) -> dict[str, Any]:
    """A plan as one row: ``max_moves``, where that was the limit; ``moves``, and ``moves_bound``, without which no plan
    is as cool; ``imbalance_before``, ``imbalance`` and its ``bound`` with as many moves, see `Replan.imbalance_of`;
    ``gap``; and of `replan_summary` what copying takes and brings.

    `frame` as from `replan_diff`.
    """
    summary, before = replan_summary(found, frame, bandwidth), found.value_before
    return {
        "max_moves": found.max_moves,
        "moves": found.moves,
        "imbalance_before": nan if before is None else found.imbalance_of(before),
        "imbalance": found.imbalance_of(found.value),
        "bound": found.imbalance_of(found.bound_in_all),
        "gap": float(found.gap),
        "moves_bound": found.moves_bound,
        **{name: summary[name] for name in _COSTS if name in summary},
    }


def replan_summary(found: Replan, frame: pd.DataFrame, bandwidth: float | None = None) -> dict[str, float]:
    """Figures over layers as of `summarise_diff`, and ``milliseconds`` of the new plan; where experts are lost, none of
    what was before.
    """
    summary = summarise_diff(frame, bandwidth)
    if "milliseconds_after" in summary:
        loaded = frame[frame["imbalance_after"].notna()]
        summary["milliseconds"] = float(loaded["microseconds_after"].sum(skipna=False)) / 1e3
    if frame["experts_lost"].any():
        gone = ("_before", "_saved", "_even", "milliseconds_after")
        summary = {name: value for name, value in summary.items() if not name.endswith(gone)}
    return summary
