"""eplb-opt solve: from recorded loads to a plan file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import options, plans
from eplb_opt.cli.outputs import LOG, SOLUTION, plan_for, require_default_place, require_outputs, save_by_default
from eplb_opt.cli.progress import progress_table
from eplb_opt.cli.tables import show, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import write_plan
from eplb_opt.io.content import read_content
from eplb_opt.io.engines import require_target
from eplb_opt.io.recognition import ENGINES
from eplb_opt.layers import Layers
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.solution import Solution, format_solution
from eplb_opt.solve import solve


@dataclass(frozen=True, kw_only=True)
class _Search:
    """What is searched for, from where, how and for how long."""

    objective: options.Objective = "auto"
    window_weights: Annotated[str | None, typer.Option(help="What each window counts for, such as 1,1,2.")] = None
    scenarios: Annotated[int, typer.Option(help="Extrapolated windows to plan for as well, such as 30.")] = 0
    method: Annotated[
        str,
        typer.Option(help="auto, greedy, search, cpsat, pulp:HiGHS, pulp:COIN_CMD, or a heuristic: compare --help."),
    ] = "auto"
    warm_start: Annotated[Path | None, typer.Option(help="A plan to start from; the result is never worse.")] = None
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds, for all layers together.")] = 60.0
    target_gap: Annotated[float, typer.Option(help="A layer with at most this gap is done.")] = 1e-4
    seed: options.Seed = 0
    workers: options.Workers = None
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Limit work instead of time: always the same plan.")
    ] = False

    def start(self, deployment: Deployment, model: Model | None) -> Plan | None:
        """The plan to start from, if one is given."""
        if self.warm_start is None:
            return None
        asked = plans.Asked.of(deployment)
        return plans.PlanSource(read_content(self.warm_start), asked=asked).plan(model=model)[0]

    def solve(
        self,
        loads: Loads,
        deployment: Deployment,
        start: Plan | None,
        progress: Callable[[Progress], None] | None,
    ) -> Solution:
        """The solution that `eplb_opt.solve` returns for these options."""
        return solve(
            loads,
            deployment,
            objective=self.objective,
            window_weights=options.numbers_of("--window-weights", self.window_weights),
            scenarios=self.scenarios,
            method=self.method,
            warm_start=start,
            time_limit=self.time_limit,
            target_gap=self.target_gap,
            seed=self.seed,
            workers=self.workers,
            deterministic=self.deterministic,
            progress=progress,
        )


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Where plan, solution and log go; ``None``: nowhere."""

    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the plan goes, as --engine says.")] = None
    engine: Annotated[
        str, typer.Option(help=f"Whose file -o is, and whose dispatch the plan is for: {', '.join(ENGINES)}.")
    ] = "native"
    save: Annotated[
        Path | None,
        typer.Option(
            help="Where plan, bounds, what proves them and trace go, as JSON; without this, -o and --json: "
            "LOADS.solution.json in this folder, or the next name that is free."
        ),
    ] = None
    certificate: Annotated[Path | None, typer.Option(help="Another name of --save: it is the same file.")] = None
    log: Annotated[Path | None, typer.Option(help="Where a line per event goes, as it happens.")] = None

    @property
    def served(self) -> Dispatch:
        """The dispatch of the engine whose file the plan becomes."""
        return ENGINES[one_of("engine", self.engine, ENGINES)].dispatch

    def checked(self, inputs: list[Path | None], labels: Layers) -> _Outputs:
        """The same with one name of the solution's file; what cannot be written is refused, before any work."""
        if self.save is not None and self.certificate is not None:
            raise InvalidArgumentError("--certificate is another name of --save: give one of them")
        files = {"--output": (self.output, plan_for(self.engine, "--engine")), "--save": (self.save, SOLUTION)}
        files |= {"--certificate": (self.certificate, SOLUTION), "--log": (self.log, LOG)}
        require_outputs(files, inputs)
        if self.output is not None:
            require_target(self.output, self.engine, labels)
        elif self.engine != "native":
            raise InvalidArgumentError(f"--engine {self.engine} says what the plan's file is: give its name with -o")
        return replace(self, save=self.save or self.certificate, certificate=None)

    def write(self, solution: Solution) -> None:
        """Write what the options name."""
        if self.output is not None:
            write_plan(solution.plan, self.output, self.engine)
        if self.save is not None:
            solution.save(self.save)


@grouped
def run(
    loads: options.LoadFiles,
    where: options.DeploymentOptions,
    search: _Search,
    outputs: _Outputs,
    reading: options.Reading,
    json: options.Json = False,
) -> int:
    """Plan where experts live, with a proven bound and the gap to it."""
    recorded, model = reading.read(loads, where.gpus)
    deployment = where.deployment(recorded.num_experts, model, outputs.served)
    start = search.start(deployment, model)
    outputs = outputs.checked([*loads, search.warm_start, reading.model_file], recorded.labels)
    unsaid = outputs.output is None and outputs.save is None and not json
    if unsaid:
        require_default_place(loads)
    with progress_table(outputs.log) as progress:
        solution = search.solve(recorded, deployment, start, progress)
        # An interrupt does not lose the best plan while it is being written; a second one does.
        with interrupt_requests():
            outputs.write(solution)
            if unsaid:
                outputs = replace(outputs, save=save_by_default(loads, solution.save))
    if json:
        show(format_solution(solution).rstrip())
        return 0
    show_solution(solution)
    show(f"policy {options.rule_of(deployment)}")
    if outputs.engine != "native" or deployment.dispatch != "even":
        show(f"planned for {ENGINES[outputs.engine].serving_words(deployment)}")
    if solution.interrupted:
        show("interrupted: this is the best plan until then")
    if outputs.output is not None:
        show(f"plan written to {outputs.output}")
        if outputs.engine != "native":
            plans.show_start(outputs.engine, str(outputs.output), solution.plan)
    if outputs.save is not None:
        show(f"solution written to {outputs.save}")
    return 0


def show_solution(solution: Solution) -> None:
    """Print a row per layer and the line that sums them up."""
    frame = solution.to_frame()
    frame["proof"] = [layer.proof.named for layer in solution.layers]
    formats = {"max_load": ",.1f", "mean_load": ",.1f", "imbalance": ".6f", "bound": ".6f", "gap": ".2e"}
    known = ["bound", "gap", "status", "stopped_by", "proof"]
    if solution.objective == "total":
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
