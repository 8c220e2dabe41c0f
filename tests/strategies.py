"""Hypothesis strategies: valid deployments and instances, built so that nothing is filtered away."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

SMALL = st.integers(0, 12)
TOKENS = st.integers(0, 10**6)
HUGE = st.integers(2**40, 2**47) | st.integers(0, 2**47)
DYADIC = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1 / 3, 1.1, 1e-9, 1e-200, 2.0**-40, 123456.789, 1e13])


@st.composite
def deployments_and_experts(
    draw: st.DrawFn,
    max_experts: int = 5,
    max_gpus: int = 4,
    max_slots: int = 8,
    max_nodes: int = 2,
    slots_per_gpu: int | None = None,
    hierarchical: bool | None = None,
    distinct: bool | None = None,
) -> tuple[Deployment, int]:
    """A deployment and a number of experts that it has room for."""
    distinct = draw(st.booleans()) if distinct is None else distinct
    hierarchical = draw(st.booleans()) if hierarchical is None else hierarchical
    nodes = draw(st.integers(1, min(max_nodes, max_gpus, max_experts, max_slots))) if hierarchical else 1
    most_slots = max_slots if slots_per_gpu is None else max_slots // slots_per_gpu
    gpus = nodes * draw(st.integers(1, min(max_gpus, most_slots) // nodes))
    experts_limit = max_experts // nodes
    if slots_per_gpu is None:
        size = draw(st.integers(1, min(max_slots // gpus, experts_limit if distinct else max_slots)))
    else:
        size = slots_per_gpu
    node_experts = draw(st.integers(size if distinct else 1, min(size * gpus // nodes, experts_limit)))
    if hierarchical:
        divisors = [d for d in range(1, node_experts + 1) if node_experts % d == 0]
        groups = nodes * draw(st.sampled_from(divisors))
        policy = draw(st.sampled_from(["auto", "hierarchical"] if nodes > 1 else ["hierarchical"]))
    else:
        policy = draw(st.sampled_from(["auto", "global"]))
        if policy == "global":
            nodes, groups = draw(st.integers(1, 4)), draw(st.integers(1, 8))
        else:  # auto is global on one node, or where the groups do not divide by the nodes
            nodes, groups = draw(st.sampled_from([(1, 1), (1, 3), (2, 1), (2, 3), (3, 4)]))
    deployment = Deployment(gpus, gpus * size, nodes, groups, policy, distinct)
    return deployment, node_experts * (deployment.num_nodes if hierarchical else 1)


def deployments(**limits: int | bool | None) -> st.SearchStrategy[Deployment]:
    """Deployments of every policy, with and without distinct replicas."""
    return deployments_and_experts(**limits).map(lambda pair: pair[0])


@st.composite
def load_rows(draw: st.DrawFn, num_experts: int, kinds: tuple = (SMALL, TOKENS, HUGE, DYADIC)) -> np.ndarray:
    """Loads of one window: zeros and ties are frequent, some rows are all equal, numbers reach 2**47."""
    kind = draw(st.sampled_from(kinds))
    if draw(st.integers(0, 9)) == 0:
        return np.array([draw(kind)] * num_experts)
    return np.array(draw(st.lists(kind, min_size=num_experts, max_size=num_experts)))


@st.composite
def instances(
    draw: st.DrawFn,
    *,
    min_windows: int = 1,
    max_windows: int = 1,
    kinds: tuple = (SMALL, TOKENS, HUGE, DYADIC),
    **limits: int | bool | None,
) -> Instance:
    """Instances of all four combinations of policy and distinct."""
    deployment, experts = draw(deployments_and_experts(**limits))
    windows = draw(st.integers(min_windows, max_windows))
    rows = [draw(load_rows(experts, kinds)) for _ in range(windows)]
    # One window of floats makes all of them floats.
    return Instance.from_loads(np.array(rows), deployment)


@st.composite
def rows_of_slots(draw: st.DrawFn, instance: Instance) -> tuple[int, ...]:
    """A valid row: a plan of cyclic deals, then experts, slots of a GPU, GPUs and nodes shuffled.

    With at most one more replica for some experts than for others, dealing slot i to GPU i modulo the GPUs puts
    the replicas of an expert, which are neighbours, on different GPUs.
    """
    deployment = instance.deployment
    nodes, gpus, size = deployment.binding_nodes, deployment.gpus_per_node, deployment.slots_per_gpu
    groups = draw(st.permutations(range(deployment.binding_groups)))
    share = deployment.groups_per_node
    row: list[int] = []
    for node in range(nodes):
        per_group = instance.experts_per_group
        members = [g * per_group + i for g in groups[node * share : (node + 1) * share] for i in range(per_group)]
        members = draw(st.permutations(members))
        least, more = divmod(gpus * size, len(members))
        dealt = [expert for i, expert in enumerate(members) for _ in range(least + (i < more))]
        for gpu in draw(st.permutations(range(gpus))):
            row += draw(st.permutations(dealt[gpu::gpus]))
    return tuple(row)
