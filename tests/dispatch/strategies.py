"""Layers under a dispatch, and rows whose experts have any numbers of replicas, for Hypothesis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.oracle import row_is_valid
from tests.strategies import DYADIC, HUGE, SMALL, TOKENS, deployments_and_experts, load_rows, rows_of_slots

LIMITS = {"max_experts": 8, "max_gpus": 8, "max_slots": 24, "max_nodes": 4}


@st.composite
def deployments_under(draw: st.DrawFn, dispatch: str, **limits: int | bool | None) -> tuple[Deployment, int]:
    """A deployment under a dispatch, whose nodes divide its GPUs, and its number of experts."""
    deployment, experts = draw(deployments_and_experts(**{**LIMITS, **limits}))
    if not deployment.hierarchical:
        gpus = deployment.num_gpus
        nodes = draw(st.sampled_from([nodes for nodes in range(1, gpus + 1) if gpus % nodes == 0]))
        deployment = replace(deployment, num_nodes=nodes, policy="global")
    return replace(deployment, dispatch=dispatch), experts


@st.composite
def layers_under(
    draw: st.DrawFn, dispatch: str, *, max_windows: int = 3, kinds: tuple = (SMALL, TOKENS, HUGE, DYADIC), **limits
) -> tuple[Instance, tuple[int, ...]]:
    """A layer under a dispatch, and a valid row of it."""
    deployment, experts = draw(deployments_under(dispatch, **limits))
    loads = [draw(load_rows(experts, kinds)) for _ in range(draw(st.integers(1, max_windows)))]
    instance = Instance.from_loads(np.array(loads), deployment)
    return instance, draw(rows_of(instance))


@st.composite
def rows_of(draw: st.DrawFn, instance: Instance) -> tuple[int, ...]:
    """A valid row some random changes away from one that is dealt evenly."""
    row = draw(rows_of_slots(instance))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    for _ in range(40):
        slot, other = random.integers(instance.deployment.num_slots, size=2).tolist()
        changed = list(row)
        changed[slot] = row[other]
        if random.random() < 0.5:
            changed[other] = row[slot]
        if row_is_valid(tuple(changed), instance):
            row = tuple(changed)
    return row
