"""eplb-opt compare: every heuristic against the proven bound, or by the published score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import options
from eplb_opt.cli.outputs import CSV, FIGURE, require_outputs
from eplb_opt.cli.pictures import picture
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.compare import compare, published_scores, summarise_comparison, summarise_scores
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.heuristics import summaries
from eplb_opt.report.words import plural

PROTOCOLS = ("bound", "published")
# Below the help; the first line keeps the others apart.
EPILOG = "\n".join(["\b", "Heuristics:", *(f"  {name:19}{summary}" for name, summary in summaries().items())])
# Of the figure, in inches: a strip for each of all heuristics.
_HEIGHT = 6.5
_FORMATS = {
    "objective": ".6g",
    **dict.fromkeys(("gap", "mean_gap", "worst_gap"), ".2e"),
    **dict.fromkeys(("imbalance", "balancedness", "slot_balancedness", "gpu_balancedness"), ".5f"),
    "milliseconds": ",.2f",
    **dict.fromkeys(("speed_20ms", "speed_2ms", "score_20ms", "score_2ms"), ".4f"),
}


def run(
    loads: options.LoadFiles,
    gpus: options.Gpus = None,
    slots: options.Slots = None,
    redundant: options.Redundant = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = None,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    methods: Annotated[str | None, typer.Option(help="Names below, separated by commas; default: all.")] = None,
    protocol: Annotated[
        str,
        typer.Option(help="bound: gaps to the proven bound. published: plan on a window, score on the next."),
    ] = "bound",
    objective: Annotated[str, typer.Option(help="auto, total, mean or worst (protocol bound).")] = "auto",
    time_limit: Annotated[float, typer.Option(help="Seconds of each call of solve.")] = 60.0,
    seed: Annotated[int, typer.Option(help="For random choices.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Steps at once; default: the usable cores.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Where the rows behind the table go, as CSV.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Where a figure of gaps goes: .png, .svg or .pdf.")] = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
    json: options.Json = False,
) -> int:
    """Hold the published heuristics, and solve, against the bound. Or by the score they are published with."""
    one_of("--protocol", protocol, PROTOCOLS)
    recorded, shape = options.recording_of(loads, format, windows, model, window_length, experts, layers, gpus)
    deployment = options.deployment_of(
        recorded.num_experts, gpus, slots, redundant, nodes, groups, policy, distinct, shape
    )
    require_outputs({"--csv": (csv, CSV), "--figure": (figure, FIGURE)}, loads)
    chosen = None if methods is None else [name.strip() for name in methods.split(",")]
    if protocol == "published":
        if figure is not None or objective != "auto":
            raise InvalidArgumentError("--figure and --objective are for --protocol bound")
        frame = published_scores(recorded, deployment, chosen, time_limit=time_limit, seed=seed, workers=workers)
        table = summarise_scores(frame)
    else:
        with progress_line() as progress:
            frame = compare(
                recorded,
                deployment,
                chosen,
                objective=objective,
                time_limit=time_limit,
                seed=seed,
                workers=workers,
                progress=progress,
            )
        table = summarise_comparison(frame)
    if csv is not None:
        write_whole(csv, frame.to_csv(index=False))
    if figure is not None:
        # Matplotlib loads here and not with the command line.
        from eplb_opt.report.compare import plot_comparison

        write_whole(figure, picture(figure, lambda ax: plot_comparison(frame, ax), height=_HEIGHT))
    if json:
        show_json(records(table))
        return 0
    # That is the mean imbalance less 1, and the table is wide.
    show_table(table.drop(columns="relative_excess", errors="ignore"), _FORMATS)
    show("")
    if protocol == "bound":
        loaded = int(recorded.loaded.any(axis=0).sum())
        over = plural(loaded, "layer") + " with load" * (loaded < recorded.num_layers)
        show(f"gap: of the sum over {over}; mean_gap, worst_gap: of a layer; policy {options.rule_of(deployment)}")
    else:
        show(f"planned on a window, scored on the next: {frame['window'].nunique()} windows, all plans verified")
    return 0
