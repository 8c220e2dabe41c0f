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

    unit_of_gpu, found = _units(require_valid(plan), losses), []
    for row, slots in enumerate(plan.physical_to_logical):
        copies = _copies(slots, unit_of_gpu[plan.deployment.gpus.of_slot], plan.num_experts)
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
        hottest, where the replicas of the lost ones are simply gone, / (total load / survivors; where GPUs differ, /
        the sum of their speeds). No plan for the survivors has less than 1, unless load is lost. By the plan's
        dispatch, the sources being the survivors; under ``"nearest"`` and ``"sglang-static"`` by the even split, see
        `splits_evenly`.
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

    unit_of_gpu = _units(require_valid(plan), losses)
    units, unit, lost = int(unit_of_gpu[-1]) + 1, losses[:-1], lost_experts(plan, losses)
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
        left = _left(*labelled(plan, loads), unit_of_gpu)
        frame["load_lost"], frame["mean_imbalance"] = left.mean(axis=0).T if len(left) else (nan, nan)
        frame["worst_imbalance"] = left[..., 1].max(axis=0) if len(left) else nan
    return frame


def splits_evenly(deployment: Deployment) -> bool:
    """Whether `survival` values what is left by the even split, whatever the dispatch."""
    return deployment.dispatch not in _WITHOUT_NODES


def _units(plan: Plan, losses: Losses) -> Ints:
    """The GPU, or node, that each GPU is lost with, shape ``(gpus,)``."""
    deployment = plan.deployment
    gpus = np.arange(deployment.num_gpus)
    if one_of("losses", losses, get_args(Losses)) == "gpus":
        return gpus
    if not deployment.ranks_per_node:
        raise InvalidArgumentError(f"{deployment.num_gpus} GPUs do not divide into {deployment.num_nodes} nodes")
    return gpus // deployment.ranks_per_node


def _copies(slots: Ints, unit_of_slot: Ints, num_experts: int) -> Ints:
    """Copies of each expert on each unit, shape ``(units, experts)``."""
    units = int(unit_of_slot[-1]) + 1
    return np.bincount(unit_of_slot * num_experts + slots, minlength=units * num_experts).reshape(units, num_experts)


def _survivors(deployment: Deployment, left: Ints) -> Deployment:
    """The GPUs that are left: any experts in their slots are a plan for it."""
    sizes = tuple(deployment.gpus.slots[gpu] for gpu in left)
    speeds = None if deployment.gpu_speeds is None else tuple(deployment.gpu_speeds[gpu] for gpu in left)
    dispatch = "even" if splits_evenly(deployment) else deployment.dispatch
    rules: dict[str, Any] = {"policy": "global", "distinct": False, "dispatch": dispatch}
    return Deployment(len(sizes), sum(sizes), gpu_slots=sizes, gpu_speeds=speeds, **rules)


def _left(plan: Plan, loads: Loads, unit_of_gpu: Ints) -> Floats:
    """The part of the load that nobody serves, and the hottest survivor / mean, without each of the units.

    Of all layers and windows with load: shape ``(layers and windows, units, 2)``.
    """
    units = int(unit_of_gpu[-1]) + 1
    found: list[Floats] = [np.empty((0, units, 2))]
    for layer, row in enumerate(plan.select(loads.layer_ids).physical_to_logical):
        whole = Instance.from_loads(loads.values[:, layer], plan.deployment).loaded()
        if all(whole.loaded_windows):
            rows = [_without(row, whole, np.flatnonzero(unit_of_gpu != unit)) for unit in range(units)]
            found.append(np.array(rows).swapaxes(0, 1))
    return np.concatenate(found)


def _without(row: Ints, whole: Instance, left: Ints) -> list[tuple[float, float]]:
    """The same of each window, where only these GPUs are left."""
    # Survivors know of no other experts than theirs.
    experts, slots = np.unique(row[np.isin(whole.deployment.gpus.of_slot, left)], return_inverse=True)
    weights = tuple(tuple(window[expert] for expert in experts.tolist()) for window in whole.weights)
    survivors = _survivors(whole.deployment, left)
    tops = rule_of(survivors).max_loads(slots.ravel(), replace(whole, weights=weights, deployment=survivors))
    figures, speed = [], survivors.gpus.total_speed
    for top, window, served in zip(tops, whole.weights, weights, strict=True):
        total = sum(window)
        figures.append(((total - sum(served)) / total, float(top * speed / (total * whole.unit))))
    return figures
