"""evaluate: every named metric of a plan on loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.exact import nearest_float
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, require_valid

if TYPE_CHECKING:
    import pandas as pd


def evaluate(plan: Plan, loads: Any, dispatch: str = "even") -> pd.DataFrame:
    """Named metrics of a plan, per layer and window.

    Engines call different things balancedness or imbalance; here each has a name of its own. Per layer and window:
    ``max_load``, ``mean_load`` (tokens per GPU); ``imbalance`` = max / mean (vLLM-Ascend's PAR); ``balancedness`` =
    mean / max (SGLang); ``relative_excess`` = (max - mean) / mean (TensorRT-LLM's imbalance ratio);
    ``slot_balancedness`` = mean slot load / max slot load. A layer without load is balanced. `summarise` gives the
    figures over layers.

    Parameters
    ----------
    plan
        A valid plan.
    loads
        As in `eplb_opt.solve`. `Loads` are matched to the plan by ``layer_ids`` (the plan may have more layers),
        anything else row by row.
    dispatch
        How an expert's load is split: ``"even"``, an equal share for each replica.

    Returns
    -------
    pandas.DataFrame
        One row per layer and window, with ``layer_id`` and ``window``.

    Raises
    ------
    InvalidPlanError
        The plan breaks a rule, or lacks a layer of the loads.
    InvalidLoadsError
        The loads do not fit the plan.
    InvalidArgumentError
        An unknown `dispatch`.
    """
    import pandas as pd

    if dispatch != "even":
        raise InvalidArgumentError(f"dispatch={dispatch!r} is not available; use 'even'")
    plan, loads = _matched(require_valid(plan), loads)
    rows = []
    for index, layer_id in enumerate(loads.layer_ids):
        instance = Instance.from_loads(loads.values[:, index], plan.deployment)
        slots = plan.physical_to_logical[index].tolist()
        shares = loads.values[:, index].astype(np.float64) / plan.replica_counts[index]
        for window, (top, mean) in enumerate(zip(max_loads(slots, instance), instance.mean_loads, strict=True)):
            slot_loads = shares[window][slots]
            rows.append(
                {
                    "layer_id": layer_id,
                    "window": window,
                    "max_load": nearest_float(top),
                    "mean_load": nearest_float(mean),
                    "imbalance": float(top / mean) if mean else 1.0,
                    "balancedness": float(mean / top) if mean else 1.0,
                    "relative_excess": float(top / mean - 1) if mean else 0.0,
                    "slot_balancedness": float((slot_loads / slot_loads.max()).mean()) if mean else 1.0,
                }
            )
    return pd.DataFrame(rows)


def summarise(metrics: pd.DataFrame) -> dict[str, float]:
    """Figures over all layers and windows of `evaluate`'s frame.

    ``mean_balancedness``: mean of mean / max (SGLang). ``total_balancedness``: sum of means / sum of maxima (vLLM; the
    share of time that the average GPU works if layers follow each other). ``mean_imbalance``, ``worst_imbalance``: of
    max / mean. ``mean_relative_excess``: of (max - mean) / mean (TensorRT-LLM). ``mean_slot_balancedness``:
    of mean slot load / max slot load.
    """
    top = float(metrics["max_load"].sum())
    return {
        "mean_balancedness": float(metrics["balancedness"].mean()),
        "total_balancedness": float(metrics["mean_load"].sum()) / top if top else 1.0,
        "mean_imbalance": float(metrics["imbalance"].mean()),
        "worst_imbalance": float(metrics["imbalance"].max()),
        "mean_relative_excess": float(metrics["relative_excess"].mean()),
        "mean_slot_balancedness": float(metrics["slot_balancedness"].mean()),
    }


def _matched(plan: Plan, loads: Any) -> tuple[Plan, Loads]:
    labelled = isinstance(loads, Loads)
    loads = Loads.of(loads)
    if loads.num_experts != plan.num_experts:
        raise InvalidLoadsError(f"the loads have {loads.num_experts} experts, the plan {plan.num_experts}")
    if labelled:
        return plan.numbered_as(loads.labels).select(loads.layer_ids), loads
    if loads.num_layers != plan.num_layers:
        raise InvalidLoadsError(f"the loads have {loads.num_layers} layers, the plan {plan.num_layers}")
    return plan, Loads(loads.values, **plan.labels.fields)
