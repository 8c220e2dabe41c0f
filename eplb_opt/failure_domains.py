"""Failure domains: which GPUs are lost together, and which rows of slots survive that with all experts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import natural_int
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError

# Replicas of each expert, and domains that they are on, where one loss is survived.
COPIES = 2


def domain_gpus(deployment: Deployment) -> int:
    """GPUs of a domain: those of a node, where there are several and an expert may be on any; else one.

    An expert whose group is bound to a node is lost with it, whatever the plan.
    """
    several = deployment.num_nodes > 1 and not deployment.hierarchical
    return deployment.ranks_per_node if several else 1


def require_survivable(survive: int, deployment: Deployment, num_experts: int) -> None:
    """Refuse numbers of losses other than 0 and 1, and deployments where no plan survives one, or none is searched.

    Two slots for each expert, rounded up to equally many of each GPU, are enough: see `eplb_opt.heuristics.surviving`.
    Where GPUs have different numbers of slots, those of a domain count no more often than there are experts.

    Raises
    ------
    InvalidArgumentError
        More losses than one, or a dispatch whose shares depend on other layers.
    InvalidDeploymentError
        Too few slots, a single GPU to be on, or nodes that do not divide the GPUs.
    """
    if natural_int("survive", survive) > 1:
        raise InvalidArgumentError(
            f"survive={survive} is more than the loss of 1 GPU, or node, that plans are made for"
        )
    if not survive:
        return
    if deployment.dispatch == "sglang-static":
        raise InvalidArgumentError("survive=1 is not for dispatch='sglang-static', where layers are drawn in a row")
    if not domain_gpus(deployment):
        raise InvalidDeploymentError(
            f"num_gpus={deployment.num_gpus} is not a multiple of num_nodes={deployment.num_nodes}, and survive=1 asks "
            "which node a GPU is on (num_nodes=1: it is about GPUs)"
        )
    if deployment.gpus_per_node == 1:
        where = "the deployment" if deployment.binding_nodes == 1 else "a node that groups are bound to"
        raise InvalidDeploymentError(f"survive=1 needs two GPUs for each expert, and {where} has one")
    if deployment.gpu_slots is not None:
        _require_room_apart(deployment, num_experts)
        return
    least = -(-COPIES * num_experts // deployment.num_gpus) * deployment.num_gpus
    if deployment.num_slots < least:
        each = "" if deployment.binding_nodes == 1 else f", {least // deployment.num_nodes} on each node"
        raise InvalidDeploymentError(
            f"survive=1 needs two slots for each of {num_experts} experts, on {deployment.num_gpus} GPUs {least} slots"
            f"{each}, and num_slots={deployment.num_slots}"
        )


def _require_room_apart(deployment: Deployment, num_experts: int) -> None:
    """Refuse too few slots of GPUs that have different numbers of them, in the domains of any node."""
    each, of_node = num_experts // deployment.binding_nodes, deployment.gpus_per_node // domain_gpus(deployment)
    domains = [sum(gpus.slots) for gpus in deployment.gpus.blocks(deployment.num_gpus // domain_gpus(deployment))]
    for first in range(0, len(domains), of_node):
        sizes = domains[first : first + of_node]
        room = sum(min(size, each) for size in sizes)
        if room < COPIES * each:
            what = "nodes" if domain_gpus(deployment) > 1 else "GPUs"
            where = "" if deployment.binding_nodes == 1 else f" of node {first // of_node}"
            raise InvalidDeploymentError(
                f"survive=1 needs two slots for each of {each} experts, on different {what}, and {what}{where} with "
                f"{min(sizes)} to {max(sizes)} slots have room for {room}"
            )


def survives(slots: NDArray[np.int64], deployment: Deployment, num_experts: int) -> bool:
    """Whether every expert of a row of slots, shape ``(slots,)``, is in two domains at least."""
    size = domain_gpus(deployment)
    held = np.zeros((deployment.num_gpus // size, num_experts), dtype=np.bool_)
    held[deployment.gpus.of_slot // size, slots] = True
    return bool((held.sum(axis=0) >= COPIES).all())
