"""The specification: what a plan must satisfy, and what it is worth, in exact arithmetic. Knows no solver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm

import numpy as np

from eplb_opt.arguments import list_few
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan, way_to_plan

Rule = Callable[[Plan], Iterator[str]]


def every_slot_is_filled(plan: Plan) -> Iterator[str]:
    """No slot is marked empty (negative)."""
    for row, slot in np.argwhere(plan.physical_to_logical < 0):
        yield f"{_layer(plan, row)}: slot {slot} is empty ({plan.physical_to_logical[row, slot]})"


def every_id_is_an_expert(plan: Plan) -> Iterator[str]:
    """Expert ids are below the number of experts."""
    for row, slot in np.argwhere(plan.physical_to_logical >= plan.num_experts):
        expert = plan.physical_to_logical[row, slot]
        yield f"{_layer(plan, row)}: slot {slot} holds expert {expert}, ids end at {plan.num_experts - 1}"


def every_expert_is_placed(plan: Plan) -> Iterator[str]:
    """Each expert has a replica."""
    for row, expert in np.argwhere(plan.replica_counts == 0):
        yield f"{_layer(plan, row)}: expert {expert} has no replica"


def every_group_stays_on_one_node(plan: Plan) -> Iterator[str]:
    """Hierarchical policy: all replicas of the experts of a group are on one node."""
    for row, nodes_of_group in _nodes_of_groups(plan):
        for group, nodes in sorted(nodes_of_group.items()):
            if len(nodes) > 1:
                where = list_few(list(map(str, sorted(nodes))))
                yield f"{_layer(plan, row)}: group {group} is spread over nodes {where}"


def every_node_takes_its_share_of_groups(plan: Plan) -> Iterator[str]:
    """Hierarchical policy: each node holds as many groups as every other."""
    share = plan.deployment.groups_per_node
    for row, nodes_of_group in _nodes_of_groups(plan):
        for node in range(plan.deployment.binding_nodes):
            held = sum(node in nodes for nodes in nodes_of_group.values())
            if held != share:
                yield f"{_layer(plan, row)}: node {node} holds {held} groups, its share is {share}"


def replicas_are_spread(plan: Plan) -> Iterator[str]:
    """Distinct replicas: no GPU holds an expert twice."""
    if not plan.deployment.distinct:
        return
    by_gpu = np.sort(plan.deployment.gpus.table(plan.physical_to_logical, filler=-1), axis=2)
    doubled = (by_gpu[:, :, 1:] == by_gpu[:, :, :-1]) & (by_gpu[:, :, 1:] >= 0)
    for row, gpu, place in np.argwhere(doubled):
        yield f"{_layer(plan, row)}: GPU {gpu} holds expert {by_gpu[row, gpu, place]} more than once"


RULES: tuple[Rule, ...] = (
    every_slot_is_filled,
    every_id_is_an_expert,
    every_expert_is_placed,
    every_group_stays_on_one_node,
    every_node_takes_its_share_of_groups,
    replicas_are_spread,
)


def verify(plan: Plan) -> list[str]:
    """Violations of the plan's rules, in words; an empty list is a valid plan."""
    if not isinstance(plan, Plan):
        raise InvalidArgumentError(f"a {type(plan).__name__} is not a Plan; {way_to_plan(plan)}")
    if plan.deployment.hierarchical and plan.num_experts % plan.deployment.num_groups:
        return [f"{plan.num_experts} experts do not divide into {plan.deployment.num_groups} groups"]
    return [violation for rule in RULES for violation in rule(plan)]


def require_valid(plan: Plan, name: str = "the plan") -> Plan:
    """`plan` itself if it is valid, else an `InvalidPlanError` that carries every violation."""
    violations = tuple(verify(plan))
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise InvalidPlanError(f"{name} is not valid: {violations[0]}{more}", violations, _way_out(plan))
    return plan


def _way_out(plan: Plan) -> str:
    """How to allow a plan whose only fault is that replicas share a GPU, as the engines' own policy has them."""
    shared = replace(plan, deployment=replace(plan.deployment, distinct=False))
    return "" if verify(shared) else "distinct=False allows that (on the command line --no-distinct, with --gpus)"


def gpu_loads(slots: Sequence[int], instance: Instance) -> list[list[Fraction]]:
    """Exact load of each GPU in tokens, one list per window, under the dispatch of the instance's deployment.

    `slots` is one valid row of a plan.
    """
    return rule_of(instance.deployment).gpu_loads(slots, instance)


def max_loads(slots: Sequence[int], instance: Instance) -> tuple[Fraction, ...]:
    """Exact load of the hottest GPU in tokens, for each window, see `gpu_loads`."""
    return rule_of(instance.deployment).max_loads(slots, instance)


def objective_value(
    slots: Sequence[int],
    instance: Instance,
    objective: str,
    window_weights: Sequence[Fraction] | None = None,
) -> Fraction:
    """Exact objective of one row of a plan on the recorded windows, in the objective's own unit.

    ``"total"``: max load of the summed windows, in tokens. ``"mean"`` and ``"worst"``: mean and largest imbalance
    over the windows that have any load (1 where none has), however few these are. `window_weights` weigh the mean.
    """
    if objective == "total":
        return max_loads(slots, instance.total())[0]
    if objective not in ("mean", "worst"):
        raise InvalidArgumentError(f"objective={objective!r} is not one of total, mean, worst")
    weights, loaded = instance.weights_of_loaded(window_weights), instance.loaded()
    if not weights:
        return Fraction(1)
    imbalances = [top / mean for top, mean in zip(max_loads(slots, loaded), loaded.mean_loads, strict=True)]
    return max(imbalances) if objective == "worst" else weighted_mean(list(zip(imbalances, weights, strict=True)))


def weighted_mean(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Mean of (value, weight), exact."""
    terms = [value * weight for value, weight in pairs]
    # Adding fractions one by one looks for a common divisor of ever longer numbers, each time.
    multiple = lcm(*(term.denominator for term in terms))
    total = sum(term.numerator * (multiple // term.denominator) for term in terms)
    return Fraction(total, multiple) / sum(weight for _, weight in pairs)


def _layer(plan: Plan, row: int) -> str:
    return f"layer {plan.layer_ids[row]}"


def _nodes_of_groups(plan: Plan) -> Iterator[tuple[int, dict[int, set[int]]]]:
    """For each row, the nodes on which each group has replicas; nothing unless groups are bound to nodes."""
    deployment = plan.deployment
    if not deployment.hierarchical:
        return
    group_of_expert = np.arange(plan.num_experts) // (plan.num_experts // deployment.num_groups)
    node_of_slot = deployment.gpus.of_slot // deployment.gpus_per_node
    for row, slots in enumerate(plan.physical_to_logical):
        valid = (slots >= 0) & (slots < plan.num_experts)
        nodes_of_group: dict[int, set[int]] = defaultdict(set)
        for group, node in set(zip(group_of_expert[slots[valid]].tolist(), node_of_slot[valid].tolist(), strict=True)):
            nodes_of_group[group].add(node)
        yield row, nodes_of_group
