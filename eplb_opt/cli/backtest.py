"""eplb-opt backtest: what plans are worth on windows that they were not made for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.backtest import SCENARIOS, SPLITS, STRATEGIES, backtest, summarise_backtest
from eplb_opt.cli import options
from eplb_opt.cli.outputs import CSV, FIGURE, require_outputs
from eplb_opt.cli.pictures import picture
from eplb_opt.cli.progress import status_line
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.files import write_whole

_FORMATS = dict.fromkeys(("balancedness", "worst", "lost", "by_forecast", "by_heuristic"), ".4f")


def run(
    loads: options.LoadFiles,
    gpus: options.Gpus = None,
    slots: options.Slots = None,
    redundant: options.Redundant = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = None,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    split: Annotated[str, typer.Option(help=f"{' or '.join(SPLITS)}.")] = "rolling",
    strategies: Annotated[str | None, typer.Option(help=f"Of {', '.join(STRATEGIES)}; default: all.")] = None,
    time_limit: Annotated[float, typer.Option(help="Core seconds for each layer of a plan that is searched.")] = 0.2,
    scenarios: Annotated[int, typer.Option(help="Extrapolated windows of the strategies of that name.")] = SCENARIOS,
    seed: Annotated[int, typer.Option(help="For random choices.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Steps at once; default: the usable cores.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where all scores go, as CSV.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Where a figure goes: .png, .svg or .pdf.")] = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
    json: options.Json = False,
) -> int:
    """Plan on some windows, score on others. Tells what is lost to the forecast, and what to the heuristic."""
    recorded, shape = options.recording_of(loads, format, windows, model, window_length, experts, layers, gpus)
    deployment = options.deployment_of(
        recorded.num_experts, gpus, slots, redundant, nodes, groups, policy, distinct, shape
    )
    require_outputs({"--output": (output, CSV), "--figure": (figure, FIGURE)}, loads)
    with status_line() as progress:
        scores = backtest(
            recorded,
            deployment,
            None if strategies is None else [name.strip() for name in strategies.split(",")],
            split=split,
            time_limit=time_limit,
            scenarios=scenarios,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    if scores.empty and json:
        show_json([])
        return 0
    if scores.empty:
        show("nothing was scored: interrupted before the first window was done, or no layer has load in a scored one")
        return 0
    table = summarise_backtest(scores)
    if output is not None:
        write_whole(output, scores.to_csv(index=False))
    if figure is not None:
        # Matplotlib loads here and not with the command line.
        from eplb_opt.report.backtest import plot_backtest

        write_whole(figure, picture(figure, lambda ax: plot_backtest(scores, ax)))
    if json:
        show_json(records(table))
        return 0
    show_table(table.drop(columns=["forecast", "planner"]), _FORMATS)
    show("")
    layers, scored = scores["layer_id"].nunique(), scores["window"].nunique()
    show(f"balancedness (mean / max load) over {layers} layers and {scored} windows, {split}")
    return 0
