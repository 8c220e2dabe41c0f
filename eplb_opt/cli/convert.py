"""eplb-opt convert: a plan from one engine's file to another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import natural_int
from eplb_opt.cli import options, plans
from eplb_opt.cli.outputs import plan_for, require_outputs
from eplb_opt.cli.tables import show
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io import write_plan
from eplb_opt.io.content import read_content
from eplb_opt.io.engines import ENGINES
from eplb_opt.models import model_of


def run(
    plan: options.PlanFile,
    to: Annotated[str, typer.Option(help=f"Engine of the new file: {', '.join(ENGINES)}.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new file.")],
    model: options.ModelName = None,
    layer_ids: options.LayerIds = None,
    draft_layers: Annotated[
        int, typer.Option(help="Layers behind the last one (MTP) that get its row, for TensorRT-LLM.")
    ] = 0,
    engine: options.Engine = "auto",
    gpus: options.Gpus = None,
    nodes: plans.Nodes = None,
    groups: options.Groups = None,
    policy: plans.Policy = None,
    distinct: plans.Distinct = None,
) -> int:
    """Write a plan as the file of an engine. --model or --layer-ids say which decoder layers its rows are."""
    natural_int("--draft-layers", draft_layers)
    if model is not None and layer_ids is not None:
        raise InvalidArgumentError("--model and --layer-ids say the same thing; give one of them")
    require_outputs({"--output": (output, plan_for(to, "--to"))}, [plan])
    ENGINES[to].require_draft_layers(draft_layers)
    shape = None if model is None else model_of(model)
    asked = plans.Asked(gpus, nodes, groups, policy, distinct)
    ids = options.layer_ids_of(layer_ids)
    source, known = plans.plan_of(read_content(plan), engine, asked, model=shape, layer_ids=ids)
    if ENGINES[to].knows_gpus and not known:
        raise InvalidArgumentError(f"{plan} does not say how many GPUs there are: give --gpus")
    write_plan(source, output, to, draft_layers=draft_layers)
    written = source.with_draft_layers(draft_layers) if draft_layers else source
    show(f"{output}: {written.labels} of {plan} for {to}")
    if known and to != "native":
        plans.show_start(to, str(output), source)
    return 0
