"""eplb-opt report: recordings and plans as one page for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import deployment_words, lists, options
from eplb_opt.cli import plans as plan_files
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.methods import named_methods
from eplb_opt.cli.outputs import HTML, MARKDOWN, SOLUTION, require_outputs
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.report_files import Files
from eplb_opt.cli.running import command_line
from eplb_opt.cli.tables import show
from eplb_opt.cli.unfolding import grouped
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io.start import file_word
from eplb_opt.report import Report, make_report
from eplb_opt.report.curve import REPLAN
from eplb_opt.report.verdict import verdict_of


@dataclass(frozen=True, kw_only=True)
class _Wanted(options.Size):
    """The deployment of the report; ``None`` where the options say nothing."""

    nodes: plan_files.Nodes = None
    groups: options.Groups = None
    policy: plan_files.Policy = None
    distinct: plan_files.Distinct = None
    dispatch: options.DispatchName = None
    gpu_file: options.GpuFile = None

    @property
    def asked(self) -> plan_files.Asked:
        """The same as the reader of a plan is told."""
        shape = self.gpus, self.nodes, self.groups, self.policy, self.distinct
        return plan_files.Asked(*shape, self.dispatch, self.gpu_file)


@dataclass(frozen=True, kw_only=True)
class _Effort(options.Effort):
    """What the report may spend, and on what."""

    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds of all searches together.")] = 60.0
    objective: options.Objective = "auto"


@dataclass(frozen=True, kw_only=True)
class _Change:
    """The plan that runs, and what is to be told of a change from it."""

    old: Annotated[
        Path | None,
        typer.Option(help="The plan that runs: the page says what a change from it costs. It is judged as PLANS are."),
    ] = None
    max_moves: Annotated[
        str | None,
        typer.Option(
            "--max-moves",
            "--moves",
            help="With --old: the most moves of each plan of a curve, such as 0,500,1000; default: parts of the slots.",
        ),
    ] = None
    bandwidth: options.Bandwidth = None

    @property
    def limits(self) -> tuple[int, ...] | None:
        """Limits on all moves, where the options say some."""
        for option, value in (("--max-moves", self.max_moves), ("--bandwidth", self.bandwidth)):
            if self.old is None and value is not None:
                raise InvalidArgumentError(
                    f"{option} is about a change from the plan that runs: give its file as --old"
                )
        return None if self.max_moves is None else lists.whole_numbers_of("--max-moves", self.max_moves)

    def command(self, recordings: list[Path], shape: list[str]) -> str:
        """The beginning of a call of replan; `shape` is what else it has to be told."""
        files = (file_word(str(path)) for path in (self.old, *recordings))
        bandwidth = [] if self.bandwidth is None else ["--bandwidth", f"{self.bandwidth:g}"]
        return command_line("replan", *files, *shape, *bandwidth)


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Where page and solution go; ``None``: nowhere."""

    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the page goes, as HTML.")] = None
    markdown: Annotated[Path | None, typer.Option(help="Where the same goes as Markdown, without figures.")] = None
    save: Annotated[Path | None, typer.Option(help="Where plan, bounds, proofs and trace go, as JSON.")] = None

    def require(self, inputs: list[Path | None]) -> None:
        """Refuse what cannot be written, before any work."""
        if self.output is None and self.markdown is None:
            raise InvalidArgumentError("nothing would be written: give -o report.html, --markdown report.md, or both")
        files = {"--output": (self.output, HTML), "--markdown": (self.markdown, MARKDOWN)}
        require_outputs(files | {"--save": (self.save, SOLUTION)}, inputs)

    def write(self, report: Report) -> None:
        """Write what the options name."""
        if self.save is not None:
            # An interrupt does not lose the solution while it is being written; a second one does.
            with interrupt_requests():
                report.solution.save(self.save)
        if self.output is not None:
            write_whole(self.output, report.to_html())
        if self.markdown is not None:
            write_whole(self.markdown, report.to_markdown())

    def tell(self) -> None:
        """Say what was written."""
        for what, path in (("report", self.output), ("report", self.markdown), ("solution", self.save)):
            if path is not None:
                show(f"{what} written to {path}")


@grouped
def run(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Recordings, plans and a solution, in any order.")
    ],
    wanted: _Wanted,
    change: _Change,
    effort: _Effort,
    outputs: _Outputs,
    reading: options.Reading,
    timing: options.Timing,
    methods: Annotated[
        str | None,
        typer.Option(help="What to judge besides: heuristics (compare --help), functions (my_rule.py:balance)."),
    ] = None,
) -> int:
    """Judge plans, or make one, on one page. How good they are, how much better is possible, what to deploy."""
    limits, found = change.limits, Files.of(files, change.old)
    judged = named_methods(methods) or []
    instances = Instances.among(found.recordings, context)
    # A plan's file says more than the loads do, and the report refuses what does not go together.
    wanted = wanted if found.known else instances.complete(wanted)
    effort = replace(effort, objective=effort.objective if found.solutions else instances.objective(effort.objective))
    recorded, model = reading.read(found.recordings, wanted.gpus)
    asked = found.deployment(recorded, wanted, wanted.asked, model)
    deployment, solution, plans, old_plan = found.read(recorded, asked, model)
    outputs.require([*files, change.old, reading.model_file])
    replan_command = REPLAN
    if old_plan is not None:
        shape = found.old_words(recorded, deployment, wanted.asked)
        shape += [*options.given(reading), *options.given(timing)]
        replan_command = change.command(found.recordings, shape)
    with progress_line() as progress:
        report = make_report(
            recorded,
            deployment,
            plans,
            solution,
            old_plan=old_plan,
            max_moves=limits,
            bandwidth=change.bandwidth,
            methods=judged,
            model=model,
            command=_command(context),
            progress=progress,
            replan_command=replan_command,
            **asdict(effort),
            **asdict(timing),
        )
    outputs.write(report)
    show("\n".join(verdict_of(report).sentences))
    for error in filter(None, report.methods.values()):
        show(f"no plan: {error}")
    if report.solution.interrupted:
        show("interrupted: this is the best plan until then")
    if wanted.leaves_slots_open and not found.plans:
        show(deployment_words.fewest_words(report.deployment, recorded.num_experts))
    outputs.tell()
    return 0


def _command(context: typer.Context) -> str:
    """The command as it could be typed again: what was given, and nothing that is a default."""
    words = ["report"]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if value is None or value == parameter.default:
            continue
        if isinstance(value, list | tuple):
            words += map(str, value)
        elif isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            words += [parameter.opts[0], f"{value:g}" if isinstance(value, float) else str(value)]
    return command_line(*words)
