"""Gain: a plan between what runs now, what an engine's own policy would do, and the proven bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.evaluate import objective_values
from eplb_opt.excess import total_excess
from eplb_opt.full_table import in_order
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.request import searched_deployment, warm_start_rows
from eplb_opt.solution import Solution


@dataclass(frozen=True)
class Gain:
    """Excess of plans and of the bound: how far the hottest GPU is above the mean GPU, as a part of it.

    All are for the loads, the objective and the dispatch of one solution, over its layers with load, see
    `eplb_opt.excess`; ``NaN`` where nothing has load.

    Attributes
    ----------
    now
        The plan that runs now, or experts in order.
    greedy
        The published greedy policy under the same rules.
    plan, bound
        The solution's.
    unbound
        Where groups are bound to nodes, the published greedy policy without that rule; else ``None``. It is a plan:
        without the rule so little is possible, and maybe less.
    """

    now: float
    greedy: float
    plan: float
    bound: float
    unbound: float | None

    @property
    def price(self) -> float:
        """What binding groups to nodes costs at least: bound with the rule less a plan without it; 0 if no more."""
        return 0.0 if self.unbound is None else max(0.0, self.bound - self.unbound)


def gain_of(solution: Solution, loads: Loads, old_plan: Plan | None = None) -> Gain:
    """The gain of a solution of these loads over `old_plan`, or over experts in order; milliseconds per layer."""
    deployment, objective = solution.plan.deployment, solution.objective
    means = tuple(layer.mean_load for layer in solution.layers)

    def excess(plan: Plan) -> float:
        return total_excess(objective_values(plan, loads, objective, solution.window_weights), means, objective)

    now, greedy = compared_plans(solution, loads, old_plan)
    unbound = greedy_plan(loads, replace(deployment, policy="global")) if deployment.hierarchical else None
    return Gain(
        now=excess(now),
        greedy=excess(greedy),
        plan=total_excess(tuple(layer.objective for layer in solution.layers), means, objective),
        bound=total_excess(tuple(layer.lower_bound for layer in solution.layers), means, objective),
        unbound=None if unbound is None else excess(unbound),
    )


def compared_plans(solution: Solution, loads: Loads, old_plan: Plan | None = None) -> tuple[Plan, Plan]:
    """What runs now, `old_plan` or experts in order, and the published greedy policy, for the solution's deployment."""
    deployment = solution.plan.deployment
    now = experts_in_order(loads, deployment) if old_plan is None else _matched(old_plan, loads, deployment)
    return now, greedy_plan(loads, deployment)


def experts_in_order(loads: Loads, deployment: Deployment) -> Plan:
    """Expert e in slot e, and the redundant slots from expert 0 on again: what runs where nobody has planned.

    So SGLang and vLLM start. They do not ask for nodes then, and the plan is one under the global policy.
    """
    anywhere = replace(deployment, policy="global")
    rows = np.tile(in_order(anywhere, loads.num_experts), (loads.num_layers, 1))
    return Plan(rows, anywhere, loads.num_experts, **loads.labels.fields)


def greedy_plan(loads: Loads, deployment: Deployment) -> Plan:
    """The plan of `eplb_opt.heuristics.pipeline.greedy`, the published policy, for the summed windows.

    It knows no speeds; where GPUs have different numbers of slots, which it does not know either, it is the greedy plan
    that knows both.
    """
    # Kernels load here and not with the package.
    from eplb_opt.heuristics.pipeline import greedy

    searched = searched_deployment(deployment, loads.labels)
    if searched.gpu_slots is None:
        searched = replace(searched, gpu_speeds=None)
    layers = np.moveaxis(loads.values, 1, 0)
    rows = np.stack([greedy(Instance.from_loads(layer, searched).total()) for layer in layers])
    return Plan(rows, deployment, loads.num_experts, **loads.labels.fields)


def _matched(plan: Plan, loads: Loads, deployment: Deployment) -> Plan:
    return Plan(warm_start_rows(plan, loads, deployment), deployment, loads.num_experts, **loads.labels.fields)
