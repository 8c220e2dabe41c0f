"""eplb-opt convert: a plan from one engine's file to another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options
from eplb_opt.cli.tables import show
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io import write_plan
from eplb_opt.plan import describe_ids


def run(
    plan: options.PlanFile,
    to: Annotated[str, typer.Option(help="Engine of the new file: sglang or native.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new file.")],
    layer_ids: options.LayerIds = None,
    engine: options.Engine = "auto",
    gpus: options.Gpus = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = 1,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
) -> int:
    """Write a plan in an engine's format; --layer-ids says which decoder layers its rows are."""
    options.require_new_files([output], [plan])
    source, known = options.plan_of(plan, engine, gpus, nodes, groups, policy, distinct)
    if to == "native" and not known:
        raise InvalidArgumentError(f"{plan} does not say how many GPUs there are: give --gpus")
    ids = options.layer_ids_of(layer_ids)
    write_plan(source, output, to, layer_ids=ids)
    show(f"{output}: {describe_ids(ids or source.layer_ids)} of {plan} for {to}")
    if to == "sglang":
        redundant = source.deployment.num_slots - source.num_experts
        show(f"start SGLang with --init-expert-location {output} --ep-num-redundant-experts {redundant}")
    return 0
