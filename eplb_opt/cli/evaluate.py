"""eplb-opt evaluate: every named metric of a plan on recorded loads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options, plans
from eplb_opt.cli.tables import as_json, cell, records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import evaluate, summarise


@grouped
def run(
    given: plans.PlanOptions,
    loads: Annotated[list[Path], typer.Argument(metavar="LOADS...", help="Recordings to score the plan on.")],
    reading: options.Reading,
    timing: options.Timing,
    json: options.Json = False,
) -> int:
    """Score a plan on recordings, by layer and window. Also in the figures that engines report."""
    recorded, model = reading.read(loads, given.asked.gpus)
    placed, known = given.source(loads).plan(model=model)
    if not known:
        raise InvalidArgumentError(f"{given.plan} does not say how many GPUs there are: give --gpus")
    metrics = evaluate(placed, recorded, model=model, **asdict(timing))
    summary = summarise(metrics)
    if json:
        show_json({"summary": as_json(summary), "layers": records(metrics)})
        return 0
    loads_format = dict.fromkeys(("max_load", "mean_load", "microseconds"), ",.1f")
    metrics["window"] = [recorded.window_names[window] for window in metrics["window"]]
    show_table(metrics, dict.fromkeys(metrics.columns[4:], ".6f") | loads_format)
    show("")
    empty = int((~recorded.loaded).sum())
    if empty:
        show(f"{empty} of {recorded.loaded.size} rows have no load, and count in no figure")
    for name, value in summary.items():
        show(f"{name:<25} {cell(value, '.6f')}")
    return 0
