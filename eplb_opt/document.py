"""Documents: plans, transfers and layers of solutions as the JSON that files of eplb_opt hold, with nothing lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.exact import exact_number
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.plan import Plan
from eplb_opt.transfers import Transfers

# Values of "format" and "version".
PLAN = "eplb_opt.plan"
SOLUTION = "eplb_opt.solution"
VERSION = 1


def plan_object(plan: Plan) -> dict[str, Any]:
    """What a plan file holds: the mapping, the deployment and the labels of the rows."""
    return {
        "format": PLAN,
        "version": VERSION,
        "deployment": plan.deployment.facts,
        "num_experts": plan.num_experts,
        "numbering": plan.numbering,
        "num_model_layers": plan.num_model_layers,
        "moe_layer_ids": plan.labels.moe_layer_ids,
        "layer_ids": list(plan.layer_ids),
        "physical_to_logical": plan.physical_to_logical.tolist(),
    }


def transfers_list(transfers: Transfers) -> list[dict[str, Any]]:
    """What a plan file holds under ``"transfers"``: an object per layer, in the order in which layers go.

    ``"batches"`` is a list of lists of ``[sender, receiver, expert]``, ``"loaded"`` one of ``[gpu, expert]``.
    """
    rows = np.stack([transfers.sender, transfers.receiver, transfers.expert], axis=1)
    return [
        {
            "layer_id": transfers.layer_ids[row],
            "batches": [
                rows[(transfers.layer == row) & (transfers.batch == batch)].tolist()
                for batch in range(transfers.batches[row])
            ],
            "loaded": transfers.loaded[transfers.loaded[:, 0] == row, 1:].tolist(),
        }
        for row in dict.fromkeys([*transfers.layer.tolist(), *transfers.loaded[:, 0].tolist()])
    ]


def layer_object(layer: LayerSolution) -> dict[str, Any]:
    """What a solution file holds of a layer; numbers that are exact are written as text and as a float."""
    proof = layer.proof
    return {
        "layer_id": layer.layer_id,
        **computed_values(layer),
        "stopped_by": layer.stopped_by,
        "proof": {
            "argument": proof.argument,
            "by": proof.by,
            "bound": exact_number(proof.bound),
            "checked": proof.checked,
            "evidence": proof.certified,
        },
        "trace": [
            {
                "seconds": point.seconds,
                "objective": exact_number(point.objective),
                "lower_bound": exact_number(point.lower_bound),
                "source": point.source,
            }
            for point in layer.trace
        ],
        "work": dict(layer.work),
        "runtime": layer.runtime,
        **({} if layer.limit is None else {"limit": dict(layer.limit.rules)}),
    }


def computed_values(layer: LayerSolution) -> dict[str, Any]:
    """What follows from other values of a layer, as files have it."""
    numbers = {key: exact_number(getattr(layer, key)) for key in ("objective", "max_load", "mean_load", "lower_bound")}
    return {**numbers, "gap": exact_number(layer.gap), "status": layer.status}
