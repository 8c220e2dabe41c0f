"""The published policy in plain Python and exact arithmetic, written from its description; copies may share a GPU."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.instance import Instance


def reference_max_load(instance: Instance) -> Fraction:
    """Max load of the published policy, in tokens: groups to nodes, replicas inside each node, replicas to GPUs."""
    (weights,) = instance.weights
    deployment = instance.deployment
    nodes = deployment.num_nodes if deployment.hierarchical else 1
    groups = deployment.num_groups if deployment.hierarchical else 1
    per_group = len(weights) // groups
    experts_of_group = [list(range(g * per_group, (g + 1) * per_group)) for g in range(groups)]
    totals = [Fraction(sum(weights[e] for e in experts)) for experts in experts_of_group]
    hottest = Fraction(0)
    for held in pack_evenly(totals, nodes):
        loads = [weights[e] for group in held for e in experts_of_group[group]]
        replicas = replicate(loads, deployment.num_slots // nodes)
        for gpu in pack_evenly(replicas, deployment.num_gpus // nodes):
            hottest = max(hottest, sum((replicas[slot] for slot in gpu), Fraction(0)))
    return hottest * instance.unit


def replicate(loads: list[int], slots: int) -> list[Fraction]:
    """Load of each replica, when one after the other goes to the expert with the largest load per replica."""
    counts = [1] * len(loads)
    for _ in range(slots - len(loads)):
        hottest = max(range(len(loads)), key=lambda e: Fraction(loads[e], counts[e]))
        counts[hottest] += 1
    return [Fraction(load, count) for load, count in zip(loads, counts, strict=True) for _ in range(count)]


def pack_evenly(loads: list[Fraction], packs: int) -> list[list[int]]:
    """Items of each pack: heaviest first, each to the lightest pack that has fewer than its even share of items."""
    items: list[list[int]] = [[] for _ in range(packs)]
    for item in sorted(range(len(loads)), key=lambda i: -loads[i]):
        free = [pack for pack in items if len(pack) < len(loads) // packs]
        min(free, key=lambda pack: sum((loads[i] for i in pack), Fraction(0))).append(item)
    return items
