"""survival: what is lost with a GPU or a node, and what the others carry then."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import one_of
from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import labelled
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.moves import Ints
from eplb_opt.plan import Plan
from eplb_opt.verify import require_valid

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Losses = Literal["gpus", "nodes"]

# Rules that do not ask which node a GPU is on: what is left of a node is no node of the same size.
_WITHOUT_NODES = ("even", "by-rank", "optimal")


def lost_experts(plan: Plan, losses: Losses = "gpus") -> pd.DataFrame:
    """Experts that exist on one GPU, or node, only: whoever loses it has to load their weights.

    Returns
    -------
    pandas.DataFrame
        A row per expert, in order, with ``gpu`` (or ``node``), ``layer_id`` and ``expert``.

    Raises
    ------
    InvalidPlanError
        A plan that breaks a rule.
    InvalidArgumentError
        Losses that are no word for it, or nodes that do not divide the GPUs.
    """
    import pandas as pd

    units, found = _number_of(require_valid(plan), losses), []
    for row, slots in enumerate(plan.physical_to_logical):
        copies = _copies(slots, units, plan.num_experts)
        unit, expert = np.nonzero((copies > 0) & (copies == plan.replica_counts[row]))
        found.append(np.stack([unit, np.full_like(unit, plan.layer_ids[row]), expert], axis=1))
    rows = np.concatenate(found)
    return pd.DataFrame(rows[np.argsort(rows[:, 0], kind="stable")], columns=[losses[:-1], "layer_id", "expert"])


def survival(plan: Plan, loads: Any = None, losses: Losses = "gpus") -> pd.DataFrame:
    """What each single loss of a GPU, or of a node, costs: experts that nobody holds then, and what survivors carry.

    The plan survives a loss without loading weights where ``experts_lost`` is 0.

    Parameters
    ----------
    plan
        A valid plan.
    loads
        As in `eplb_opt.evaluate`. With them ``load_lost``, the part of the load whose experts nobody holds, and
        ``mean_imbalance`` and ``worst_imbalance`` of the survivors, over layers and windows with load: the load of the
        hottest, where the replicas of the lost ones are simply gone, / (total load / survivors). No plan for the
        survivors has less than 1, unless load is lost. By the plan's dispatch, the sources being the survivors; under
        ``"nearest"`` and ``"sglang-static"`` by the even split, see `splits_evenly`.
    losses
        ``"gpus"`` or ``"nodes"``.

    Returns
    -------
    pandas.DataFrame
        One row per GPU, or node, with ``gpu`` (or ``node``), ``layers_lost``, those in which an expert is lost, and
        ``experts_lost`` of all layers.

    Raises
    ------
    InvalidPlanError
        A plan that breaks a rule, or lacks a layer of the loads.
    InvalidLoadsError
        Loads that do not fit the plan.
    InvalidArgumentError
        Losses that are no word for it, nodes that do not divide the GPUs, or loads where nothing is left to carry them.
    """
    import pandas as pd

    units = _number_of(require_valid(plan), losses)
    unit, lost = losses[:-1], lost_experts(plan, losses)
    pairs = lost[[unit, "layer_id"]].drop_duplicates()
    frame = pd.DataFrame(
        {
            unit: np.arange(units),
            "layers_lost": np.bincount(pairs[unit], minlength=units),
            "experts_lost": np.bincount(lost[unit], minlength=units),
        }
    )
    if loads is not None:
        if units == 1:
            raise InvalidArgumentError(f"the plan has one {unit.replace('gpu', 'GPU')}: nothing is left to carry loads")
        left = _left(*labelled(plan, loads), units)
        frame["load_lost"], frame["mean_imbalance"] = left.mean(axis=0).T if len(left) else (nan, nan)
        frame["worst_imbalance"] = left[..., 1].max(axis=0) if len(left) else nan
    return frame


def splits_evenly(deployment: Deployment) -> bool:
    """Whether `survival` values what is left by the even split, whatever the dispatch."""
    return deployment.dispatch not in _WITHOUT_NODES


def _number_of(plan: Plan, losses: Losses) -> int:
    """How many GPUs, or nodes, there are to lose."""
    deployment = plan.deployment
    deployment.require_alike("what a plan survives is")
    if one_of("losses", losses, get_args(Losses)) == "gpus":
        return deployment.num_gpus
    if not deployment.ranks_per_node:
        raise InvalidArgumentError(f"{deployment.num_gpus} GPUs do not divide into {deployment.num_nodes} nodes")
    return deployment.num_nodes


def _copies(slots: Ints, units: int, num_experts: int) -> Ints:
    """Copies of each expert on each unit, shape ``(units, experts)``; units have contiguous slots."""
    unit = np.arange(slots.size) // (slots.size // units)
    return np.bincount(unit * num_experts + slots, minlength=units * num_experts).reshape(units, num_experts)


def _survivors(deployment: Deployment, gpus: int) -> Deployment:
    """So many GPUs that are left: any experts in their slots are a plan for it."""
    dispatch = "even" if splits_evenly(deployment) else deployment.dispatch
    return Deployment(gpus, gpus * deployment.slots_per_gpu, policy="global", distinct=False, dispatch=dispatch)


def _left(plan: Plan, loads: Loads, units: int) -> Floats:
    """The part of the load that nobody serves, and the hottest survivor / mean, without each of the units.

    Of all layers and windows with load: shape ``(layers and windows, units, 2)``.
    """
    found: list[Floats] = [np.empty((0, units, 2))]
    for layer, row in enumerate(plan.select(loads.layer_ids).physical_to_logical):
        whole = Instance.from_loads(loads.values[:, layer], plan.deployment).loaded()
        if all(whole.loaded_windows):
            of_unit = row.reshape(units, -1)
            rows = [_without(np.delete(of_unit, unit, axis=0), whole) for unit in range(units)]
            found.append(np.array(rows).swapaxes(0, 1))
    return np.concatenate(found)


def _without(kept: Ints, whole: Instance) -> list[tuple[float, float]]:
    """The same of each window, where only these slots are left."""
    # Survivors know of no other experts than theirs.
    experts, slots = np.unique(kept, return_inverse=True)
    weights = tuple(tuple(window[expert] for expert in experts.tolist()) for window in whole.weights)
    survivors = _survivors(whole.deployment, kept.size // whole.deployment.slots_per_gpu)
    tops = rule_of(survivors).max_loads(slots.ravel(), replace(whole, weights=weights, deployment=survivors))
    figures = []
    for top, window, served in zip(tops, whole.weights, weights, strict=True):
        total = sum(window)
        figures.append(((total - sum(served)) / total, float(top * survivors.num_gpus / (total * whole.unit))))
    return figures
