"""Problem: the layers of a model that are planned again, each from its old row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.arguments import natural_int
from eplb_opt.bounds.few_moves import Ints, OldRow
from eplb_opt.deployment import Deployment, require_deployment
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.evaluate import labelled, objective_values
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan, way_to_plan
from eplb_opt.request import searched_deployment
from eplb_opt.verify import require_valid, verify


@dataclass(frozen=True, eq=False)
class Problem:
    """What is planned again, and from what.

    Attributes
    ----------
    old_plan
        What runs, of the layers of the loads: without lost GPUs, so that experts may be missing.
    loads, asked
        What plans are valued by.
    layers
        One for each row.
    units
        What a unit of the search is worth in the objective, for each row.
    """

    old_plan: Plan
    loads: Loads
    asked: Objective
    layers: tuple[OldRow, ...]
    units: tuple[Fraction, ...]

    @classmethod
    def of(
        cls, old_plan: object, loads: object, deployment: Deployment | None, lost: Sequence[int], asked: Objective
    ) -> Problem:
        """Checked.

        Raises
        ------
        InvalidArgumentError, InvalidPlanError, InvalidLoadsError, InvalidDeploymentError
            What does not fit.
        """
        if not isinstance(old_plan, Plan):
            raise InvalidArgumentError(f"old_plan={old_plan!r} is not a Plan; {way_to_plan(old_plan)}")
        plan, recorded = labelled(require_valid(old_plan, "the old plan"), loads)
        plan = _on(plan.select(recorded.layer_ids), plan.deployment if deployment is None else deployment)
        plan = _without(plan, _gpus(lost, plan.deployment))
        searched = searched_deployment(plan.deployment, plan.labels)
        layers, units = [], []
        for row, values in zip(plan.physical_to_logical, np.moveaxis(recorded.values, 1, 0), strict=True):
            instance, objective = asked.on(Instance.from_loads(values, searched))
            layers.append(OldRow(instance, objective, np.array(row)))
            in_tokens = asked.kind == "total" or objective.kind != "hottest" or instance.num_windows > 1
            mean = instance.mean_loads[0]
            units.append(Fraction(1) if in_tokens or not mean else 1 / mean)
        return cls(plan, recorded, asked, tuple(layers), tuple(units))

    def plan(self, rows: Sequence[Ints]) -> Plan:
        """The plan of these rows, verified."""
        return require_valid(replace(self.old_plan, physical_to_logical=np.stack(rows)))

    def values(self, plan: Plan) -> tuple[Fraction, ...] | None:
        """Exact objectives of a plan of these layers, drawn where ranks draw; ``None`` where it is no valid plan."""
        if verify(plan):
            return None
        return objective_values(plan, self.loads, self.asked.kind, self.asked.window_weights)


def _on(plan: Plan, deployment: object) -> Plan:
    """The plan under the rules of a deployment, of as many GPUs; slots that one of these has more are empty.

    Raises
    ------
    InvalidArgumentError, InvalidPlanError
        No deployment, other GPUs, fewer slots, or a rule that the plan does not obey.
    """
    deployment = require_deployment(deployment)
    before, after = plan.deployment.gpus, deployment.gpus
    sizes, wanted = np.array(before.slots), np.array(after.slots)
    if sizes.size != wanted.size or (wanted < sizes).any():
        least = "" if sizes.size != wanted.size else f", GPU {int((wanted < sizes).argmax())} has fewer"
        raise InvalidPlanError(
            f"no plan on {wanted.size} GPUs of {_span(wanted)} slots keeps what runs on {sizes.size} of "
            f"{_span(sizes)}{least}: give as many GPUs, and no fewer slots"
        )
    of_old: dict[str, Any] = {"num_slots": plan.deployment.num_slots, "gpu_slots": plan.deployment.gpu_slots}
    require_valid(
        replace(plan, deployment=replace(deployment, **of_old)), "the old plan, under the rules of the deployment,"
    )
    table = np.full((plan.num_layers, wanted.size, wanted.max()), -1, dtype=np.int64)
    table[:, :, : sizes.max()] = before.table(plan.physical_to_logical, filler=-1)
    return replace(plan, physical_to_logical=after.rows(table), deployment=deployment)


def _span(sizes: Ints) -> str:
    """Slots of GPUs, in words."""
    least, most = int(sizes.min()), int(sizes.max())
    return str(least) if least == most else f"{least} to {most}"


def _gpus(lost: Sequence[int], deployment: Deployment) -> list[int]:
    gpus = sorted({natural_int("lost", gpu) for gpu in lost})
    unknown = [gpu for gpu in gpus if gpu >= deployment.num_gpus]
    if unknown:
        raise InvalidArgumentError(
            f"lost={unknown[0]} is no GPU of the old plan: these are 0 to {deployment.num_gpus - 1}"
        )
    return gpus


def _without(plan: Plan, lost: Sequence[int]) -> Plan:
    """The plan of the GPUs that are left, in order; nodes are no longer alike unless whole ones are lost.

    Raises
    ------
    InvalidDeploymentError
        No GPU is left, too few slots, or a dispatch that asks for nodes of equal size.
    """
    if not lost:
        return plan
    deployment, gpus = plan.deployment, plan.deployment.gpus
    left = np.setdiff1d(np.arange(deployment.num_gpus), lost)
    kept = np.isin(gpus.of_slot, left)
    slots = int(kept.sum())
    if slots < plan.num_experts:
        raise InvalidDeploymentError(
            f"without {len(lost)} of {deployment.num_gpus} GPUs {slots} slots are left for {plan.num_experts} experts"
        )
    listed = {name: tuple(values[gpu] for gpu in left) for name, values in deployment.listed.items()}
    facts: dict[str, Any] = {**listed, **_nodes_left(deployment, left), "num_gpus": int(left.size), "num_slots": slots}
    return replace(plan, physical_to_logical=plan.physical_to_logical[:, kept], deployment=replace(deployment, **facts))


def _nodes_left(deployment: Deployment, left: Ints) -> dict[str, Any]:
    """Nodes, groups and policy of the GPUs that are left.

    Nodes of which only some GPUs are lost differ from the others, so that nothing is bound to nodes any more.
    """
    per_node = deployment.ranks_per_node
    if deployment.num_nodes == 1 or not per_node:
        return {}
    nodes = np.bincount(left // per_node, minlength=deployment.num_nodes)
    whole, number = set(nodes.tolist()) <= {0, per_node}, int(np.count_nonzero(nodes))
    if not whole and deployment.dispatch in ("nearest", "sglang-static"):
        raise InvalidDeploymentError(
            f"dispatch={deployment.dispatch!r} asks which node a GPU is on, and nodes are of different sizes once "
            "some of the GPUs of one are lost: lose whole nodes, or plan for dispatch='even'"
        )
    # Groups of a lost node have no home among the others, which are full.
    policy = "global" if deployment.hierarchical and number > 1 else deployment.policy
    return {
        "num_nodes": number if whole else 1,
        "num_groups": deployment.num_groups if whole else 1,
        "policy": policy,
    }
