"""eplb-opt solve: from recorded loads to a plan file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options, plans
from eplb_opt.cli.outputs import LOG, SOLUTION, plan_for, require_default_place, require_outputs, save_by_default
from eplb_opt.cli.progress import progress_table
from eplb_opt.cli.tables import show, show_table
from eplb_opt.document import format_solution
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import write_plan
from eplb_opt.io.content import read_content
from eplb_opt.io.engines import ENGINES, require_target
from eplb_opt.solution import Solution
from eplb_opt.solve import solve


def run(
    loads: options.LoadFiles,
    gpus: options.Gpus = None,
    slots: options.Slots = None,
    redundant: options.Redundant = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = None,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    objective: Annotated[str, typer.Option(help="total, mean or worst over windows; auto: mean for several.")] = "auto",
    window_weights: Annotated[str | None, typer.Option(help="What each window counts for, such as 1,1,2.")] = None,
    scenarios: Annotated[int, typer.Option(help="Extrapolated windows to plan for as well, such as 30.")] = 0,
    method: Annotated[
        str,
        typer.Option(help="auto, greedy, search, cpsat, pulp:HiGHS, pulp:COIN_CMD, or a heuristic: compare --help."),
    ] = "auto",
    warm_start: Annotated[Path | None, typer.Option(help="A plan to start from; the result is never worse.")] = None,
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds, for all layers together.")] = 60.0,
    target_gap: Annotated[float, typer.Option(help="A layer with at most this gap is done.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="For random choices.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Steps that run at once; default: the usable cores.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Limit work instead of time: always the same plan.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the plan goes, as --engine says.")
    ] = None,
    engine: Annotated[str, typer.Option(help=f"Whose file -o is: {', '.join(ENGINES)}.")] = "native",
    save: Annotated[
        Path | None,
        typer.Option(
            help="Where plan, bounds, what proves them and trace go, as JSON; without this, -o and --json: "
            "LOADS.solution.json in this folder, or the next name that is free."
        ),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Another name of --save: it is the same file.")] = None,
    log: Annotated[Path | None, typer.Option(help="Where a line per event goes, as it happens.")] = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
    json: options.Json = False,
) -> int:
    """Plan where experts live, with a proven bound and the gap to it."""
    recorded, shape = options.recording_of(loads, format, windows, model, window_length, experts, layers, gpus)
    deployment = options.deployment_of(
        recorded.num_experts, gpus, slots, redundant, nodes, groups, policy, distinct, shape
    )
    start = None
    if warm_start is not None:
        start, _ = plans.plan_of(read_content(warm_start), "auto", plans.Asked.of(deployment), model=shape)
    if save is not None and certificate is not None:
        raise InvalidArgumentError("--certificate is another name of --save: give one of them")
    outputs = {"--output": (output, plan_for(engine, "--engine")), "--save": (save, SOLUTION)}
    require_outputs(outputs | {"--certificate": (certificate, SOLUTION), "--log": (log, LOG)}, [*loads, warm_start])
    save = save or certificate
    if output is not None:
        require_target(output, engine, recorded.labels)
    elif engine != "native":
        raise InvalidArgumentError(f"--engine {engine} says what the plan's file is: give its name with -o")
    unsaid = output is None and save is None and not json
    if unsaid:
        require_default_place(loads)
    with progress_table(log) as progress:
        solution = solve(
            recorded,
            deployment,
            objective=objective,
            window_weights=options.numbers_of("--window-weights", window_weights),
            scenarios=scenarios,
            method=method,
            warm_start=start,
            time_limit=time_limit,
            target_gap=target_gap,
            seed=seed,
            workers=workers,
            deterministic=deterministic,
            progress=progress,
        )
        # An interrupt does not lose the best plan while it is being written; a second one does.
        with interrupt_requests():
            if output is not None:
                write_plan(solution.plan, output, engine)
            if unsaid:
                save = save_by_default(loads, solution.save)
            elif save is not None:
                solution.save(save)
    if json:
        show(format_solution(solution).rstrip())
        return 0
    show_solution(solution)
    show(f"policy {options.rule_of(deployment)}")
    if solution.interrupted:
        show("interrupted: this is the best plan until then")
    if output is not None:
        show(f"plan written to {output}")
    if save is not None:
        show(f"solution written to {save}")
    return 0


def show_solution(solution: Solution) -> None:
    """Print a row per layer and the line that sums them up."""
    frame = solution.to_frame()
    frame["proof"] = [layer.proof.named for layer in solution.layers]
    formats = {"max_load": ",.1f", "mean_load": ",.1f", "imbalance": ".6f", "bound": ".6f", "gap": ".2e"}
    known = ["bound", "gap", "status", "stopped_by", "proof"]
    if solution.objective == "total":
        # Exact, as tokens may be more than a float holds.
        frame["bound"] = [
            float(layer.lower_bound / layer.mean_load) if layer.mean_load else 1.0 for layer in solution.layers
        ]
        columns = ["layer_id", "max_load", "mean_load", "imbalance", *known]
    else:
        imbalance = f"{solution.objective} imbalance"
        frame = frame.drop(columns="imbalance").rename(columns={"objective": imbalance, "lower_bound": "bound"})
        formats[imbalance] = ".6f"
        columns = ["layer_id", imbalance, *known]
    show_table(frame[columns], formats)
    show("")
    show(str(solution))
