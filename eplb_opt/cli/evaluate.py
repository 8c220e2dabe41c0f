"""eplb-opt evaluate: every named metric of a plan on recorded loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options, plans
from eplb_opt.cli.tables import as_json, cell, records, show, show_json, show_table
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.io.content import read_content


def run(
    plan: options.PlanFile,
    loads: Annotated[list[Path], typer.Argument(metavar="LOADS...", help="Recordings to score the plan on.")],
    dispatch: Annotated[str, typer.Option(help="How an expert's load is split: even.")] = "even",
    engine: options.Engine = "auto",
    gpus: options.Gpus = None,
    nodes: plans.Nodes = None,
    groups: options.Groups = None,
    policy: plans.Policy = None,
    distinct: plans.Distinct = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
    json: options.Json = False,
) -> int:
    """Score a plan on recordings, by layer and window. Also in the figures that engines report."""
    recorded, shape = options.recording_of(loads, format, windows, model, window_length, experts, layers, gpus)
    asked = plans.Asked(gpus, nodes, groups, policy, distinct)
    placed, known = plans.plan_of(read_content(plan), engine, asked, model=shape)
    if not known:
        raise InvalidArgumentError(f"{plan} does not say how many GPUs there are: give --gpus")
    metrics = evaluate(placed, recorded, dispatch)
    summary = summarise(metrics)
    if json:
        show_json({"summary": as_json(summary), "layers": records(metrics)})
        return 0
    loads_format = dict.fromkeys(("max_load", "mean_load"), ",.1f")
    show_table(metrics, loads_format | dict.fromkeys(metrics.columns[4:], ".6f"))
    show("")
    empty = int((~recorded.loaded).sum())
    if empty:
        show(f"{empty} of {recorded.loaded.size} rows have no load, and count in no figure")
    for name, value in summary.items():
        show(f"{name:<25} {cell(value, '.6f')}")
    return 0
