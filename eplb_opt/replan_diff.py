"""replan_diff: what a replan changes, layer by layer, with what is proven about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.diff import diff, gains
from eplb_opt.model import Model
from eplb_opt.replanned import Replan
from eplb_opt.time_model import TimeModel
from eplb_opt.transfers import Transfers, transfers_between

if TYPE_CHECKING:
    import pandas as pd


def replan_diff(
    found: Replan,
    loads: Any,
    *,
    model: Model | str | None = None,
    time_model: TimeModel | str | None = None,
    tokens_per_gpu: float | None = None,
) -> pd.DataFrame:
    """The columns of `eplb_opt.diff` from the old plan to the new one, and those of `Replan.to_frame`.

    ``experts_lost`` is how many experts the old row does not have any more; such a row has no figures before, ``NaN``.
    Arguments as in `eplb_opt.diff`.
    """
    old, new, proven = found.old_plan, found.plan, found.to_frame()
    lost = (old.replica_counts == 0).sum(axis=1)
    # A row without all experts has no loads: the new one stands for it.
    rows = np.where((lost > 0)[:, np.newaxis], new.physical_to_logical, old.physical_to_logical)
    whole = replace(old, physical_to_logical=rows)
    frame = diff(whole, new, loads, model=model, time_model=time_model, tokens_per_gpu=tokens_per_gpu)
    for name in map(str, frame.columns):
        if name.endswith("_before"):
            frame[name] = frame[name].mask(lost > 0)
    moved = diff(old, new, model=model)
    frame[moved.columns] = moved
    frame.insert(1, "experts_lost", lost)
    return frame.join(proven.drop(columns=["layer_id", "moves", "imbalance", "runtime"]))


def replan_transfers(found: Replan, frame: pd.DataFrame) -> Transfers:
    """The moves of a replan in batches, layers with lost experts first, then by gain per move; `frame` as above."""
    gained: NDArray[np.float64] | None = gains(frame)
    order = None if gained is None else np.where(frame["experts_lost"] > 0, np.inf, gained)
    return transfers_between(found.old_plan, found.plan, order)


def lost_experts_of(found: Replan) -> list[tuple[int, int]]:
    """Experts that the old plan does not have any more, as pairs of layer id and expert, in order."""
    old = found.old_plan
    return [(old.layer_ids[row], int(expert)) for row, expert in np.argwhere(old.replica_counts == 0).tolist()]
