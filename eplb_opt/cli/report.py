"""eplb-opt report: recordings and plans as one page for people."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options
from eplb_opt.cli.outputs import HTML, MARKDOWN, SOLUTION, require_outputs
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.tables import show
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import read_plan, read_solution
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.engines import ENGINES
from eplb_opt.io.files import write_whole
from eplb_opt.io.recognition import plan_engine
from eplb_opt.loads import Loads
from eplb_opt.models import Model
from eplb_opt.plan import Plan
from eplb_opt.report import make_report
from eplb_opt.report.verdict import verdict_of
from eplb_opt.solution import Solution


def run(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Recordings, plans and a solution, in any order.")
    ],
    gpus: options.Gpus = None,
    slots: options.Slots = None,
    redundant: options.Redundant = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = None,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    objective: Annotated[str, typer.Option(help="total, mean or worst over windows; auto: mean for several.")] = "auto",
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds for plan and bounds.")] = 60.0,
    seed: Annotated[int, typer.Option(help="For random choices.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Steps at once; default: the usable cores.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the page goes, as HTML.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Where the same goes as Markdown, without figures.")] = None,
    save: Annotated[Path | None, typer.Option(help="Where plan, bounds, proofs and trace go, as JSON.")] = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    model: options.ModelName = None,
) -> int:
    """Judge plans, or make one, on one page. How good they are, how much better is possible, what to deploy."""
    found = _Files.of(files)
    recorded, shape = options.recording_of(found.recordings, format, windows, model, window_length)
    asked: Deployment | None = None
    if gpus is None:
        options.require_gpus_for(
            slots=slots is not None,
            redundant=redundant is not None,
            nodes=nodes != 1,
            groups=groups is not None,
            policy=policy != "auto",
            no_distinct=not distinct,
        )
    else:
        if slots is None and redundant is None:
            slots = found.slots(recorded)
        shape_of = (gpus, slots, redundant, nodes, groups, policy, distinct)
        asked = options.deployment_of(recorded.num_experts, *shape_of, shape)
    deployment, solution, plans = found.read(recorded, asked, shape)
    _require_outputs(files, output, markdown, save)
    with progress_line() as progress:
        report = make_report(
            recorded,
            deployment,
            plans,
            solution,
            objective=objective,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            command=_command(context),
            progress=progress,
        )
    if save is not None:
        # An interrupt does not lose the solution while it is being written; a second one does.
        with interrupt_requests():
            report.solution.save(save)
    if output is not None:
        write_whole(output, report.to_html())
    if markdown is not None:
        write_whole(markdown, report.to_markdown())
    show("\n".join(verdict_of(report).sentences))
    if report.solution.interrupted:
        show("interrupted: this is the best plan until then")
    for what, path in (("report", output), ("report", markdown), ("solution", save)):
        if path is not None:
            show(f"{what} written to {path}")
    return 0


@dataclass(frozen=True)
class _Files:
    """Files told apart by what they hold, in the order in which they were given.

    `known` are plans whose file says the deployment, solutions among them; `sized` those that say the GPUs alone.
    """

    recordings: list[Path]
    plans: list[Path]
    solutions: list[Path]
    known: list[Path]
    sized: list[Path]

    @classmethod
    def of(cls, paths: list[Path]) -> _Files:
        found = cls([], [], [], [], [])
        for path in paths:
            engine, content = _opened(path)
            (found.plans if engine else found.recordings).append(path)
            if engine == "native" and content is not None:
                found.known.append(path)
                if content.value["format"] == "eplb_opt.solution":
                    found.solutions.append(path)
            elif engine and ENGINES[engine].knows_gpus:
                found.sized.append(path)
        if not found.recordings:
            names = ", ".join(map(str, paths))
            raise InvalidArgumentError(f"no recording among {names}: give one for the plan to be judged on")
        return found

    def slots(self, recorded: Loads) -> int | None:
        """Slots of the first plan; ``None`` without plans."""
        for path in self.plans:
            return read_plan(path, num_experts=recorded.num_experts).deployment.num_slots
        return None

    def read(
        self, recorded: Loads, asked: Deployment | None, model: Model | None
    ) -> tuple[Deployment, Solution | None, dict[str, Plan]]:
        """The deployment that files or options say, the first solution, and all other plans by name."""
        solution = read_solution(self.solutions[0]) if self.solutions else None
        deployment = self._deployment(recorded, asked) if solution is None else solution.plan.deployment
        self._require_one_deployment(recorded, deployment, asked)
        plans = {}
        paths = [path for path in self.plans if path not in self.solutions[:1]]
        for path, name in zip(paths, _names(paths), strict=True):
            plan = read_plan(path, deployment=deployment, num_experts=recorded.num_experts)
            plans[name] = plan if model is None else model.label_plan(plan)
        return deployment, solution, plans

    def _deployment(self, recorded: Loads, asked: Deployment | None) -> Deployment:
        for path in self.known or ([] if asked else self.sized):
            return read_plan(path, num_experts=recorded.num_experts).deployment
        if asked is None:
            raise InvalidArgumentError("give the number of GPUs: --gpus")
        return asked

    def _require_one_deployment(self, recorded: Loads, deployment: Deployment, asked: Deployment | None) -> None:
        paths = dict.fromkeys([*self.solutions[:1], *self.known])
        others = {str(path): read_plan(path, num_experts=recorded.num_experts).deployment for path in paths}
        first = next(iter(others), "")
        if asked is not None:
            others["the options"] = asked
        for name, other in others.items():
            if _rules(other) != _rules(deployment):
                verb = "say" if name == "the options" else "is for"
                raise InvalidArgumentError(
                    f"{first} is for {_rules(deployment)}; {name} {verb} {_rules(other)}: a report is about one of them"
                )


def _opened(path: Path) -> tuple[str | None, Content | None]:
    """The engine whose plan a file is, and the file's content; no engine for anything else."""
    try:
        content = read_content(path)
    except FileFormatError:
        # Reading it as a recording says what is wrong with it.
        return None, None
    return plan_engine(content), content


def _names(paths: list[Path]) -> list[str]:
    """File names, with their folders where names are the same."""
    shared = Counter(path.name for path in paths)
    return [path.name if shared[path.name] == 1 else str(path) for path in paths]


def _rules(deployment: Deployment) -> str:
    """What a deployment asks of a plan, in words."""
    rule = "any expert on any GPU"
    if deployment.hierarchical:
        rule = f"{deployment.num_groups} groups bound to {deployment.num_nodes} nodes"
    copies = "" if deployment.distinct else ", copies may share a GPU"
    return f"{deployment.num_gpus} GPUs, {deployment.num_slots} slots, {rule}{copies}"


def _require_outputs(files: list[Path], output: Path | None, markdown: Path | None, save: Path | None) -> None:
    if output is None and markdown is None:
        raise InvalidArgumentError("nothing would be written: give -o report.html, --markdown report.md, or both")
    outputs = {"--output": (output, HTML), "--markdown": (markdown, MARKDOWN), "--save": (save, SOLUTION)}
    require_outputs(outputs, files)


def _command(context: typer.Context) -> str:
    """The command as it could be typed again: what was given, and nothing that is a default."""
    words = ["eplb-opt", "report"]
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
    return shlex.join(words)
