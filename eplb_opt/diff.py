"""diff: what moves between two plans, and what that changes."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import finite_number
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import evaluate, labelled
from eplb_opt.memory import GIB, expert_gib
from eplb_opt.model import Model
from eplb_opt.models import as_model
from eplb_opt.moves import moves_between
from eplb_opt.plan import Plan, way_to_plan
from eplb_opt.renumbering import renumbered
from eplb_opt.step import Step
from eplb_opt.time_model import TimeModel
from eplb_opt.transfers import transfers_between
from eplb_opt.verify import require_valid

if TYPE_CHECKING:
    import pandas as pd


def diff(
    old_plan: Plan,
    new_plan: Plan,
    loads: Any = None,
    *,
    model: Model | str | None = None,
    time_model: TimeModel | str | None = None,
    tokens_per_gpu: float | None = None,
) -> pd.DataFrame:
    """What moves from one plan to another, layer by layer, and what the layer is worth before and after.

    A move is an expert on a GPU that the old plan did not have there; slots of a GPU may be exchanged for free. Each
    layer of the new plan has ``moves``; ``fewest_moves``, those that are left when its GPUs are renumbered, as far as
    that changes no load (`eplb_opt.renumbering`); and ``batches``, the fewest in which the moves can be copied, where a
    GPU sends at most one expert in a batch and receives at most one (`eplb_opt.transfers`). `summarise_diff` gives the
    figures over layers.

    Parameters
    ----------
    old_plan, new_plan
        Plans for the same experts, GPUs and slots. The old one may have more layers.
    loads
        As in `eplb_opt.evaluate`: with them ``imbalance_before`` and ``imbalance_after``, max load / mean load, the
        mean over windows; ``NaN`` in a layer without load. Each plan is valued under its own dispatch.
    model
        A `Model` or its name; with it ``gib``, GiB of weights that the moves copy.
    time_model, tokens_per_gpu
        As in `eplb_opt.evaluate`: with them ``microseconds_before`` and ``microseconds_after``, the time of the layer's
        experts in a step, the mean over windows with load.

    Returns
    -------
    pandas.DataFrame
        One row per layer, with ``layer_id``.

    Raises
    ------
    InvalidPlanError
        Plans that do not fit each other, or with loads one that breaks a rule.
    InvalidLoadsError
        Loads that do not fit the plans.
    InvalidArgumentError
        A time model without loads or that lacks something, or a model whose experts have no known size.
    """
    import pandas as pd

    for name, plan in (("old_plan", old_plan), ("new_plan", new_plan)):
        if not isinstance(plan, Plan):
            raise InvalidArgumentError(f"{name}={plan!r} is not a Plan; {way_to_plan(plan)}")
    model = as_model(model)
    if Step.of(time_model, tokens_per_gpu, model) is not None and loads is None:
        raise InvalidArgumentError("a time model needs loads: without them nobody knows what a step computes")
    if loads is not None:
        new_plan, loads = labelled(require_valid(new_plan, "the new plan"), loads)
        old_plan = require_valid(old_plan, "the old plan").numbered_as(new_plan.labels)
    moves, fewest = (
        np.bincount(moves_between(old_plan, plan)[:, 0], minlength=plan.num_layers)
        for plan in (new_plan, renumbered(old_plan, new_plan))
    )
    batches = transfers_between(old_plan, new_plan).batches
    frame = pd.DataFrame({"layer_id": new_plan.layer_ids, "moves": moves, "fewest_moves": fewest, "batches": batches})
    if model is not None:
        frame["gib"] = frame["moves"] * expert_gib(model)
    if loads is not None:
        before, after = (
            _means(evaluate(plan, loads, model=model, time_model=time_model, tokens_per_gpu=tokens_per_gpu))
            for plan in (old_plan, new_plan)
        )
        for figure in before:
            frame[f"{figure}_before"] = frame["layer_id"].map(before[figure])
            frame[f"{figure}_after"] = frame["layer_id"].map(after[figure])
    return frame


def gains(differences: pd.DataFrame) -> NDArray[np.float64] | None:
    """What each layer of `diff`'s frame gains, before - after; ``None`` without loads.

    In imbalance, which is as good as tokens: every token has as many experts in one layer as in another.
    """
    if "imbalance_before" not in differences:
        return None
    gained: NDArray[np.float64] = (differences["imbalance_before"] - differences["imbalance_after"]).to_numpy()
    return gained


def _means(metrics: pd.DataFrame) -> pd.DataFrame:
    """Figures of each layer by its id: means over the windows with load."""
    names = [name for name in ("imbalance", "microseconds") if name in metrics]
    return metrics[metrics["mean_load"] > 0].groupby("layer_id")[names].mean()


def summarise_diff(differences: pd.DataFrame, bandwidth: float | None = None) -> dict[str, float]:
    """Figures over the layers of `diff`'s frame; what it does not have is not in them.

    ``moves``, ``fewest_moves``, ``batches``; ``most_batches``, of one layer; ``imbalance_before`` and
    ``imbalance_after``, means over the layers with load; ``gib`` to copy in all; ``milliseconds_before``,
    ``milliseconds_after`` and ``milliseconds_saved`` of a step.

    With a `bandwidth`, 10**9 bytes per second that each GPU can send and, at the same time, receive:
    ``seconds_to_copy``, where layers are copied one after another, as engines do, and each batch by batch; with
    milliseconds
    ``steps_to_break_even``, after which as much time has been saved, ``NaN`` where no time is.

    Raises
    ------
    InvalidArgumentError
        A bandwidth that is not positive, or one without a model.
    """
    summary: dict[str, float] = {name: int(differences[name].sum()) for name in ("moves", "fewest_moves", "batches")}
    summary["most_batches"] = int(differences["batches"].max())
    if "imbalance_before" in differences:
        for name in ("imbalance_before", "imbalance_after"):
            summary[name] = float(differences[name].mean())
    if "gib" in differences:
        summary["gib"] = float(differences["gib"].sum())
    if "microseconds_before" in differences:
        loaded = differences[differences["imbalance_before"].notna()]
        before, after = (
            float(loaded[f"microseconds_{when}"].sum(skipna=False)) / 1e3 if len(loaded) else nan
            for when in ("before", "after")
        )
        summary |= {"milliseconds_before": before, "milliseconds_after": after, "milliseconds_saved": before - after}
    if bandwidth is not None:
        summary |= _copying(differences, bandwidth, summary.get("milliseconds_saved"))
    return summary


def _copying(differences: pd.DataFrame, bandwidth: float, saved: float | None) -> dict[str, float]:
    if finite_number("bandwidth", bandwidth) <= 0:
        raise InvalidArgumentError(f"bandwidth={bandwidth} is not a positive number of GB/s")
    if "gib" not in differences:
        raise InvalidArgumentError(f"bandwidth={bandwidth} needs a model, which says how many bytes a move copies")
    changed = differences[differences["moves"] > 0]
    gib = float((changed["gib"] / changed["moves"] * changed["batches"]).sum())
    seconds = gib * GIB / (bandwidth * 1e9)
    if saved is None:
        return {"seconds_to_copy": seconds}
    return {"seconds_to_copy": seconds, "steps_to_break_even": 1e3 * seconds / saved if saved > 0 else nan}
