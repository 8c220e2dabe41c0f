"""eplb-opt report: recordings and plans as one page for people."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import list_few
from eplb_opt.cli import options
from eplb_opt.cli import plans as plan_files
from eplb_opt.cli.outputs import HTML, MARKDOWN, SOLUTION, require_outputs
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.tables import show
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import native
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.engines import ENGINES
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
    nodes: plan_files.Nodes = None,
    groups: options.Groups = None,
    policy: plan_files.Policy = None,
    distinct: plan_files.Distinct = None,
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
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
) -> int:
    """Judge plans, or make one, on one page. How good they are, how much better is possible, what to deploy."""
    found = _Files.of(files)
    recorded, shape = options.recording_of(
        found.recordings, format, windows, model, window_length, experts, layers, gpus
    )
    asked = plan_files.Asked(gpus, nodes, groups, policy, distinct)
    deployment, solution, plans = found.read(recorded, found.wanted(recorded, asked, slots, redundant, shape), shape)
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
    `contents` are what the files of plans hold, and for which engine.
    """

    recordings: list[Path]
    plans: list[Path]
    solutions: list[Path]
    known: list[Path]
    sized: list[Path]
    contents: dict[Path, tuple[Content, str]]

    @classmethod
    def of(cls, paths: list[Path]) -> _Files:
        found = cls([], [], [], [], [], {})
        for path in paths:
            engine, content = _opened(path)
            if not engine or content is None:
                found.recordings.append(path)
                continue
            found.plans.append(path)
            found.contents[path] = content, engine
            if engine == "native":
                found.known.append(path)
                if native.holds_solution(content):
                    found.solutions.append(path)
            elif ENGINES[engine].knows_gpus:
                found.sized.append(path)
        if not found.recordings:
            names = list_few(list(map(str, paths)))
            raise InvalidArgumentError(f"no recording among {names}: give one for the plan to be judged on")
        return found

    def wanted(
        self, recorded: Loads, asked: plan_files.Asked, slots: int | None, redundant: int | None, model: Model | None
    ) -> Deployment | None:
        """The deployment that the options say, with what they leave out from the first file that says it."""
        if asked == plan_files.Asked():
            options.require_gpus_for(slots=slots is not None, redundant=redundant is not None)
            return None
        facts = asked.facts(*self._says(), model)
        if slots is None and redundant is None and self.plans:
            slots = self._plan(self.plans[0], recorded).deployment.num_slots
        numbers = facts["num_gpus"], slots, redundant, facts.get("num_nodes", 1), facts["num_groups"]
        rules = facts.get("policy", "auto"), facts.get("distinct", True)
        return options.deployment_of(recorded.num_experts, *numbers, *rules, model)

    def read(
        self, recorded: Loads, wanted: Deployment | None, model: Model | None
    ) -> tuple[Deployment, Solution | None, dict[str, Plan]]:
        """The deployment that options or files say, the first solution, and all other plans by name."""
        deployment = self._one_deployment(recorded, wanted)
        asked = plan_files.Asked.of(deployment)
        solution = plan_files.solution_of(self.contents[self.solutions[0]][0], asked, model) if self.solutions else None
        paths = [path for path in self.plans if path not in self.solutions[:1]]
        plans = {
            name: plan_files.plan_of(*self.contents[path], asked, recorded.num_experts, model=model)[0]
            for path, name in zip(paths, _names(paths), strict=True)
        }
        return deployment, solution, plans

    def _says(self) -> tuple[Content | None, str]:
        """The first file that says its GPUs, and its engine."""
        return next((self.contents[path] for path in (*self.solutions, *self.known, *self.sized)), (None, ""))

    def _plan(self, path: Path, recorded: Loads) -> Plan:
        """The plan of a file as the file alone has it."""
        return plan_files.plan_of(*self.contents[path], plan_files.Asked(), recorded.num_experts)[0]

    def _one_deployment(self, recorded: Loads, wanted: Deployment | None) -> Deployment:
        """The deployment of the options, else of the first file that says it; all have to ask the same of a plan."""
        paths = [*self.solutions[:1], *self.known] or ([] if wanted else self.sized[:1])
        found = {str(path): self._plan(path, recorded).deployment for path in dict.fromkeys(paths)}
        if wanted is not None:
            found["the options"] = wanted
        if not found:
            raise InvalidArgumentError("give the number of GPUs: --gpus")
        first, rules = next((name, _rules(deployment)) for name, deployment in found.items())
        for name, other in found.items():
            if _rules(other) != rules:
                verb = "say" if name == "the options" else "is for"
                raise InvalidArgumentError(
                    f"{first} is for {rules}; {name} {verb} {_rules(other)}: a report is about one of them"
                )
        return wanted or next(iter(found.values()))


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
