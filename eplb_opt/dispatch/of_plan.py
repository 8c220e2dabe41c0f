"""The layers of a plan as the rule of its dispatch sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eplb_opt.dispatch.sglang_static import draw
from eplb_opt.full_table import full_table
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan


def layers_of(plan: Plan, loads: Loads) -> Iterator[tuple[list[int], Instance]]:
    """For each layer of the loads its row of the plan, which may have more layers, and its instance."""
    streams, rows = streams_before(plan), plan.select(loads.layer_ids).physical_to_logical.tolist()
    for index, (layer_id, row) in enumerate(zip(loads.layer_ids, rows, strict=True)):
        yield row, Instance.from_loads(loads.values[:, index], plan.deployment, streams.get(layer_id, ()))


def streams_before(plan: Plan) -> Mapping[int, tuple[int, ...]]:
    """How many words each rank has drawn before a layer, by its id; empty where nothing is drawn.

    Ranks draw for every layer of the table that the engine loads, so for layers that are not planned too.
    """
    if plan.deployment.dispatch != "sglang-static":
        return {}
    streams = {0: (0,) * plan.deployment.num_gpus}
    for layer, row in enumerate(full_table(plan, "decoder")[: plan.layer_ids[-1]]):
        streams[layer + 1] = draw(row, plan.deployment, streams[layer]).streams
    return streams
