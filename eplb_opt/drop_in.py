"""rebalance_experts: the interface of DeepSeek's EPLB, with this project's plans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.solve import solve

if TYPE_CHECKING:
    import torch


def rebalance_experts(
    weight: torch.Tensor,
    num_replicas: int,
    num_groups: int,
    num_nodes: int,
    num_gpus: int,
    *,
    time_limit: float = 10.0,
    distinct: bool = True,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Replica counts and placement for all layers, as the three tensors of DeepSeek's EPLB.

    Source of the interface: DeepSeek-AI, https://github.com/deepseek-ai/EPLB. As there, groups are bound to nodes
    where they divide by the nodes, and otherwise placement is global.

    Parameters
    ----------
    weight
        Loads in tokens, shape ``(layers, experts)``, integers or floats, on any device. Layers without load get any
        valid plan.
    num_replicas
        Slots over all GPUs, a multiple of `num_gpus`.
    num_groups, num_nodes, num_gpus
        Expert groups, nodes, GPUs.
    time_limit
        Wall-clock seconds; it returns earlier once every layer is within 1e-4 of its bound.
    distinct
        At most one replica of an expert on a GPU, which the published policy does not promise. Where the GPUs have
        more slots than there are experts to fill them with, such as one GPU with redundancy, copies share a GPU.

    Returns
    -------
    phy2log, log2phy, logcnt
        int64 on the CPU, shapes ``(layers, num_replicas)``, ``(layers, experts, largest count)`` by increasing slot and
        padded with -1, and ``(layers, experts)``.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    KeyboardInterrupt
        Ctrl-C, which `solve` by itself answers with the best plan until then.
    """
    loads = Loads.of(weight)
    one_each = Deployment(num_gpus, num_gpus, num_nodes, num_groups, distinct=False)
    deployment = one_each.with_slots(num_replicas, loads.num_experts)
    experts_per_node = loads.num_experts // deployment.binding_nodes
    if distinct and deployment.slots_per_gpu <= experts_per_node:
        deployment = replace(deployment, distinct=True)
    solution = solve(loads, deployment, time_limit=time_limit)
    if solution.interrupted:
        # Three tensors cannot say that they were cut short, and whoever calls this wants to stop.
        raise KeyboardInterrupt
    return solution.plan.to_torch()
