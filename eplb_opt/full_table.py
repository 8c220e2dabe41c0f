"""The table of a plan as engines load it: a row for every layer that they count, planned or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.layers import Layers, Numbering, describe_ids
from eplb_opt.plan import Plan


def full_table(plan: Plan, numbering: Numbering) -> NDArray[np.int64]:
    """Expert of each slot for every layer that `numbering` counts, shape ``(layers, slots)``.

    Layers that are not planned hold each node's experts in order, again and again: a valid row of any deployment, as
    slots of a GPU are neighbours and not more than the experts of its node where replicas have to be distinct.

    Raises
    ------
    InvalidPlanError
        Decoder layers are wanted and the plan counts MoE layers from 0, or the other way round, and it does not say
        which are which.
    """
    labels = plan.labels
    rows = numbered(labels, numbering)
    count = len(labels.moe_layer_ids or ()) if numbering == "moe" else labels.num_model_layers
    table = np.tile(in_order(plan.deployment, plan.num_experts), (count, 1))
    table[list(rows)] = plan.physical_to_logical
    return table


def numbered(labels: Layers, numbering: Numbering) -> tuple[int, ...]:
    """Number of each row in `numbering`; an `InvalidPlanError` where the plan does not know it."""
    say = "say which these are, by the model, or when the plan is converted by layer ids such as 3-60"
    if numbering == "moe" and labels.moe_layer_ids is None:
        raise InvalidPlanError(
            f"the plan counts decoder layers ({describe_ids(labels.ids)}), and MoE layers are wanted: {say}"
        )
    if numbering == "decoder" and labels.numbering == "moe":
        raise InvalidPlanError(
            f"the plan counts MoE layers from 0 ({describe_ids(labels.ids)}), and decoder layers are wanted: {say}"
        )
    return labels.moe_indices if numbering == "moe" else labels.ids


def in_order(deployment: Deployment, num_experts: int) -> NDArray[np.int64]:
    """A row of slots that holds each node's experts in order, again and again."""
    node, place = np.divmod(np.arange(deployment.num_slots), deployment.slots_per_node)
    experts_per_node = num_experts // deployment.binding_nodes
    row: NDArray[np.int64] = node * experts_per_node + place % experts_per_node
    return row
