"""eplb-opt solve: from recorded loads to a plan file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import deployment_words, options, plans
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.layer_rows import ROWS, show_layers
from eplb_opt.cli.next_commands import Written
from eplb_opt.cli.outputs import LOG, SOLUTION, plan_for, require_default_place, require_outputs, save_by_default
from eplb_opt.cli.progress import progress_table
from eplb_opt.cli.search import Search
from eplb_opt.cli.tables import show
from eplb_opt.cli.unfolding import grouped
from eplb_opt.cli.verdict import Verdict
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import write_plan
from eplb_opt.io.engines import require_target
from eplb_opt.io.recognition import ENGINES
from eplb_opt.layers import Layers
from eplb_opt.plan import Plan
from eplb_opt.renumbering import renumbered, renumbered_apart
from eplb_opt.report.words import runs_of
from eplb_opt.solution import Solution, format_solution

Rows = Annotated[str, typer.Option(help="Layers to print: deciding, those with the most left to gain; all.")]


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

    def checked(self, inputs: list[Path | None], labels: Layers, deployment: Deployment) -> _Outputs:
        """The same with one name of the solution's file; what cannot be written is refused, before any work."""
        if self.save is not None and self.certificate is not None:
            raise InvalidArgumentError("--certificate is another name of --save: give one of them")
        files = {"--output": (self.output, plan_for(self.engine, "--engine")), "--save": (self.save, SOLUTION)}
        files |= {"--certificate": (self.certificate, SOLUTION), "--log": (self.log, LOG)}
        require_outputs(files, inputs)
        if self.output is not None:
            require_target(self.output, self.engine, labels, deployment)
        elif self.engine != "native":
            raise InvalidArgumentError(f"--engine {self.engine} says what the plan's file is: give its name with -o")
        return replace(self, save=self.save or self.certificate, certificate=None)

    def write(self, solution: Solution) -> None:
        """Write what the options name."""
        if self.output is not None:
            write_plan(solution.plan, self.output, self.engine)
        if self.save is not None:
            solution.save(self.save)

    def tell(self, plan: Plan) -> None:
        """Say what was written, and what makes an engine take it."""
        if self.output is not None:
            show(f"plan written to {self.output}")
            if self.engine != "native":
                plans.show_start(self.engine, str(self.output), plan)
        if self.save is not None:
            show(f"solution written to {self.save}")


@grouped
def run(
    context: typer.Context,
    loads: options.LoadFiles,
    where: options.DeploymentOptions,
    search: Search,
    outputs: _Outputs,
    reading: options.Reading,
    timing: options.Timing,
    rows: Rows = ROWS[0],
    json: options.Json = False,
) -> int:
    """Plan where experts live, with a proven bound and the gap to it."""
    one_of("--rows", rows, ROWS)
    instances = Instances.among(loads, context)
    where = instances.complete(where)
    search = replace(search, objective=instances.objective(search.objective))
    recorded, model = reading.read(loads, where.gpus)
    deployment = where.deployment(recorded.num_experts, model, outputs.served)
    search.require(recorded, json)
    step = timing.step(model)
    start = search.start(deployment, model)
    inputs = [*loads, search.warm_start, reading.model_file, where.gpu_file]
    outputs = outputs.checked(inputs, recorded.labels, deployment)
    unsaid = outputs.output is None and outputs.save is None and not json
    if unsaid:
        require_default_place(loads, "solution", "name a file with --save, or print the solution with --json")
    with progress_table(outputs.log) as progress:
        solution = search.solve(recorded, deployment, start, progress)
        # An interrupt does not lose the best plan while it is being written; a second one does.
        with interrupt_requests():
            if start is not None:
                keep_apart = renumbered_apart if search.survive else renumbered
                solution = replace(solution, plan=keep_apart(start, solution.plan))
            outputs.write(solution)
            if unsaid:
                outputs = replace(outputs, save=save_by_default(loads, "solution", solution.save))
    if json:
        show(format_solution(solution).rstrip())
        return 0
    show_layers(solution, rows, search.target_gap)
    for line in _planned_for(deployment, recorded.num_experts, where, instances, outputs.engine):
        show(line)
    if solution.interrupted:
        show("interrupted: this is the best plan until then")
    show("")
    for line in Verdict(
        solution, recorded, loads, outputs.engine, start, search.warm_start, step, search.survive
    ).lines():
        show(line)
    if recorded.num_windows > 1:
        show(search.held_out_words(recorded, solution))
    show("")
    outputs.tell(solution.plan)
    written = Written(loads, reading, timing, where, search.objective, outputs.output, outputs.engine, outputs.save)
    for number, command in enumerate(written.next_commands(solution.plan)):
        show(f"{'' if number else 'next:':<5} {command}")
    return 0


def _planned_for(
    deployment: Deployment, num_experts: int, where: options.DeploymentOptions, instances: Instances, engine: str
) -> Iterator[str]:
    """What the plan is for: of the slots, GPUs, policy and engine what the options leave open or need not say."""
    if where.leaves_slots_open:
        yield deployment_words.fewest_words(deployment, num_experts)
    yield from instances.words(deployment)
    for name, values in deployment.listed.items():
        yield f"{name.replace('gpu_', '')} of GPUs {runs_of(values)}"
    yield f"policy {deployment_words.policy_words(deployment)}"
    if engine != "native" or deployment.dispatch != "even":
        yield f"planned for {ENGINES[engine].serving_words(deployment)}"
