"""evaluate: every named metric of a plan on loads, and its exact objectives."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Dispatch
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.models import as_model
from eplb_opt.plan import Plan
from eplb_opt.step import Step
from eplb_opt.time_model import TimeModel
from eplb_opt.verify import objective_value, require_valid

if TYPE_CHECKING:
    import pandas as pd

# Without load there is no balance to speak of.
_NO_BALANCE = dict.fromkeys(("imbalance", "balancedness", "relative_excess", "slot_balancedness"), nan)


def evaluate(
    plan: Plan,
    loads: Any,
    dispatch: Dispatch | None = None,
    *,
    model: Model | str | None = None,
    time_model: TimeModel | str | None = None,
    tokens_per_gpu: float | None = None,
) -> pd.DataFrame:
    """Named metrics of a plan, per layer and window.

    Engines call different things balancedness or imbalance; here each has a name of its own. Per layer and window:
    ``max_load``, ``mean_load`` (tokens per GPU); ``imbalance`` = max / mean (vLLM-Ascend's PAR); ``balancedness`` =
    mean / max (SGLang); ``relative_excess`` = (max - mean) / mean (TensorRT-LLM's imbalance ratio);
    ``slot_balancedness`` = mean slot load / max slot load (``NaN`` under ``"optimal"``, which leaves open how slots of
    an expert share what their GPUs carry). Where the deployment has several nodes ``cross_node_share``, the part of the
    load that is served on another node than its source's. A layer without load in a window keeps its row there: its
    loads are 0, and its ratios ``NaN``, so that no mean counts it. `summarise` gives the figures over layers.

    Parameters
    ----------
    plan
        A valid plan.
    loads
        As in `eplb_opt.solve`. `Loads` are matched to the plan by ``layer_ids`` (the plan may have more layers),
        anything else row by row.
    dispatch
        Which replica serves a source, see `eplb_opt.dispatch`; ``None``: the plan's own. Under ``"sglang-static"``
        the tables are those that SGLang draws for a file with all layers of the plan.
    model, time_model, tokens_per_gpu
        A `Model` or its name, and the others as in `eplb_opt.size`. A time model and tokens add ``microseconds``, the
        time of the layer's experts in a step whose tokens go where the window's went, see `Step`; ``NaN`` under
        ``"optimal"``, which leaves open which replicas are active.

    Returns
    -------
    pandas.DataFrame
        One row per layer and window, with ``layer_id`` and ``window``.

    Raises
    ------
    InvalidPlanError
        The plan breaks a rule, or lacks a layer of the loads; or it counts MoE layers from 0, and
        ``"sglang-static"`` is drawn for decoder layers.
    InvalidLoadsError
        The loads do not fit the plan.
    InvalidArgumentError
        An unknown `dispatch`, or a time model that lacks something.
    InvalidDeploymentError
        A `dispatch` that asks for nodes, which do not divide the GPUs.
    """
    import pandas as pd

    step = Step.of(time_model, tokens_per_gpu, as_model(model))
    plan, loads = labelled(require_valid(plan), loads)
    plan = plan if dispatch is None else plan.dispatched(dispatch)
    rows = []
    for layer_id, (slots, instance) in zip(loads.layer_ids, layers_of(plan, loads), strict=True):
        rule = rule_of(instance.deployment)
        slot_loads = rule.slot_loads(slots, instance.tokens, instance)
        tops, away = rule.max_loads(slots, instance), _cross_node_shares(slots, instance)
        times = [] if step is None else step.layer_microseconds(slots, instance).tolist()
        for window, (top, mean) in enumerate(zip(tops, instance.mean_loads, strict=True)):
            row = {
                "layer_id": layer_id,
                "window": window,
                "max_load": float(top),
                "mean_load": float(mean),
            }
            loaded = instance.loaded_windows[window]
            ratios = _ratios(top, mean, None if slot_loads is None else slot_loads[window]) if loaded else _NO_BALANCE
            row |= ratios | ({"cross_node_share": away[window] if loaded else nan} if away else {})
            rows.append(row | ({"microseconds": times[window]} if times else {}))
    return pd.DataFrame(rows)


def _cross_node_shares(slots: Sequence[int], instance: Instance) -> list[float]:
    """Of each window; none where nodes are not known."""
    deployment = instance.deployment
    if deployment.num_nodes == 1 or not deployment.ranks_per_node:
        return []
    return [float(share) for share in rule_of(deployment).cross_node_shares(slots, instance)]


def _ratios(top: Fraction, mean: Fraction, slot_loads: NDArray[np.float64] | None) -> dict[str, float]:
    return {
        "imbalance": float(top / mean),
        "balancedness": float(mean / top),
        "relative_excess": float(top / mean - 1),
        "slot_balancedness": nan if slot_loads is None else float((slot_loads / slot_loads.max()).mean()),
    }


def summarise(metrics: pd.DataFrame) -> dict[str, float]:
    """Figures over the layers and windows of `evaluate`'s frame; those without load count in none of them.

    ``mean_balancedness``: mean of mean / max (SGLang). ``total_balancedness``: sum of means / sum of maxima (vLLM; the
    share of time that the average GPU works if layers follow each other). ``mean_imbalance``, ``worst_imbalance``: of
    max / mean. ``mean_relative_excess``: of (max - mean) / mean (TensorRT-LLM). ``mean_slot_balancedness``: of mean
    slot load / max slot load. ``total_slot_balancedness``: sum of mean slot loads / sum of max slot loads (the score
    that programs for this problem are ranked by). ``cross_node_share``: the part of all load that is served on another
    node than its source's. ``milliseconds``, with a time model: of the experts of all layers in a step, the mean over
    windows. All are ``NaN`` where nothing has load.
    """
    means = metrics["mean_load"]
    return {
        "mean_balancedness": float(metrics["balancedness"].mean()),
        "total_balancedness": _ratio(means.sum(), metrics["max_load"].sum()),
        "mean_imbalance": float(metrics["imbalance"].mean()),
        "worst_imbalance": float(metrics["imbalance"].max()),
        "mean_relative_excess": float(metrics["relative_excess"].mean()),
        "mean_slot_balancedness": float(metrics["slot_balancedness"].mean()),
        # The slots of a GPU have its mean load together, in every layer the same number of them.
        "total_slot_balancedness": _ratio(means.sum(), (means / metrics["slot_balancedness"]).sum()),
        **_cross_node(metrics),
        **_milliseconds(metrics),
    }


def _cross_node(metrics: pd.DataFrame) -> dict[str, float]:
    if "cross_node_share" not in metrics:
        return {}
    away = (metrics["cross_node_share"] * metrics["mean_load"]).sum()
    return {"cross_node_share": _ratio(away, metrics["mean_load"].sum())}


def _milliseconds(metrics: pd.DataFrame) -> dict[str, float]:
    if "microseconds" not in metrics:
        return {}
    loaded = metrics[metrics["mean_load"] > 0]
    total = nan if loaded.empty else loaded.groupby("layer_id")["microseconds"].mean().sum(skipna=False)
    return {"milliseconds": float(total) / 1e3}


def objective_values(
    plan: Plan, loads: Loads, objective: str, window_weights: Sequence[Fraction] | None = None
) -> tuple[Fraction, ...]:
    """Exact objective of each layer's row, in the unit that `objective` has in every layer, see `objective_value`.

    The plan's rows are the layers of the loads.
    """
    return tuple(objective_value(row, instance, objective, window_weights) for row, instance in layers_of(plan, loads))


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else nan


def labelled(plan: Plan, loads: Any) -> tuple[Plan, Loads]:
    """A plan and loads whose layers have the same numbers: those of `Loads`, else the plan's, row by row.

    Raises
    ------
    InvalidPlanError, InvalidLoadsError
        They do not fit each other: other experts, or a layer of the loads that the plan does not have.
    """
    numbered = isinstance(loads, Loads)
    loads = Loads.of(loads)
    if loads.num_experts != plan.num_experts:
        raise InvalidLoadsError(f"the loads have {loads.num_experts} experts, the plan {plan.num_experts}")
    if numbered:
        plan = plan.numbered_as(loads.labels)
        plan.select(loads.layer_ids)
        return plan, loads
    if loads.num_layers != plan.num_layers:
        raise InvalidLoadsError(f"the loads have {loads.num_layers} layers, the plan {plan.num_layers}")
    return plan, Loads(loads.values, **plan.labels.fields)
