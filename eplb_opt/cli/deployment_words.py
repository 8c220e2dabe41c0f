"""What a command says of the deployment that it plans for."""

from __future__ import annotations

from eplb_opt.deployment import Deployment
from eplb_opt.report.words import plural


def fewest_words(deployment: Deployment, num_experts: int) -> str:
    """That a deployment has the fewest slots that there can be, where the options leave them open."""
    if deployment.gpu_slots is not None:
        return f"{deployment.num_slots} slots, as the file of GPUs says"
    each = f", {deployment.slots_per_gpu} each" if deployment.num_gpus > 1 else ""
    return (
        f"{deployment.num_slots} slots: the fewest that hold {plural(num_experts, 'expert')} on "
        f"{plural(deployment.num_gpus, 'GPU')}{each}"
    )


def policy_words(deployment: Deployment) -> str:
    """The policy in force, in words; ``auto`` says why."""
    nodes, groups = deployment.num_nodes, deployment.num_groups
    if deployment.hierarchical:
        return f"hierarchical: {deployment.groups_per_node} of {groups} groups on each of {nodes} nodes"
    if deployment.policy == "auto" and nodes > 1:
        do = "group does" if groups == 1 else "groups do"
        return f"global: {groups} {do} not divide by {nodes} nodes"
    return "global"
