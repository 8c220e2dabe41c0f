"""Values of plans on recorded loads, exactly, and solutions that are of these loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.evaluate import objective_values
from eplb_opt.excess import Values
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution
from eplb_opt.verify import max_loads, require_valid


def matched(plan: Plan, loads: Loads, deployment: Deployment, name: str) -> Plan:
    """The plan's rows of the layers of `loads`, on `deployment`, verified; `name` begins every message.

    Raises
    ------
    InvalidPlanError
        A plan for other experts, layers or slots, or one that breaks a rule of the deployment.
    """
    if plan.num_experts != loads.num_experts:
        raise InvalidPlanError(f"{name} is for {plan.num_experts} experts, the recording has {loads.num_experts}")
    if plan.deployment.num_slots != deployment.num_slots:
        raise InvalidPlanError(
            f"{name} has {plan.deployment.num_slots} slots, the deployment num_slots={deployment.num_slots}"
        )
    try:
        ours = plan.numbered_as(loads.labels).select(loads.layer_ids)
    except InvalidPlanError as error:
        raise InvalidPlanError(f"{name}: {error}") from None
    return require_valid(replace(ours, deployment=deployment), name)


def require_same(solution: Solution, loads: Loads, deployment: Deployment) -> None:
    """Refuse a solution that is not of these loads and this deployment.

    Raises
    ------
    InvalidArgumentError
        Another deployment, other layers, weights for other windows, or an exact value that the loads do not give.
    InvalidPlanError
        A plan for other experts or layers.
    """
    if solution.plan.deployment != deployment:
        raise InvalidArgumentError(f"the solution is for {solution.plan.deployment}, not for {deployment}")
    plan = matched(solution.plan, loads, deployment, "the solution")
    if plan.num_layers != len(solution.layers):
        raise InvalidArgumentError(
            f"the solution has {len(solution.layers)} layers, the recording {plan.num_layers}: give the recording "
            "that was solved"
        )
    weights = solution.window_weights
    if weights is not None and len(weights) != loads.num_windows:
        raise InvalidArgumentError(
            f"the solution weighs {len(weights)} windows, the recording has {loads.num_windows}: read it with the "
            "windows that were solved"
        )
    values = objective_values(plan, loads, solution.objective, weights)
    rows = zip(values, solution.layers, layers_of(plan, loads), strict=True)
    for layer_id, (value, layer, (slots, instance)) in zip(loads.layer_ids, rows, strict=True):
        total = instance.total()
        top = max_loads(slots, total)[0]
        facts = (("objective", value), ("max_load", top), ("mean_load", total.mean_loads[0]))
        for key, found in facts:
            if found != getattr(layer, key):
                raise InvalidArgumentError(
                    f"the solution is not of this recording: layer {layer_id} has "
                    f"{key}={float(getattr(layer, key)):.12g} in it, and {float(found):.12g} "
                    "on the loads; give the recording that was solved, or solve again"
                )


def coolest(names: Sequence[str], values: Mapping[str, Values]) -> str:
    """Of the named plans the one with the least sum of objectives; the first of equal ones."""
    return min(names, key=lambda name: sum(values[name]))
