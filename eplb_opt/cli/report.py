"""eplb-opt report: recordings and plans as one page for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import list_few
from eplb_opt.cli import options
from eplb_opt.cli import plans as plan_files
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.methods import named_methods
from eplb_opt.cli.outputs import HTML, MARKDOWN, SOLUTION, require_outputs
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.running import command_line
from eplb_opt.cli.tables import show
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import distinct_names, write_whole
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import native
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.recognition import ENGINES, plan_engine
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.report import Report, make_report
from eplb_opt.report.verdict import verdict_of
from eplb_opt.report.words import runs_of
from eplb_opt.solution import Solution


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
    asked = named_methods(methods) or []
    found = _Files.of(files)
    instances = Instances.among(found.recordings, context)
    # A plan's file says more than the loads do, and the report refuses what does not go together.
    wanted = wanted if found.known else instances.complete(wanted)
    effort = replace(effort, objective=effort.objective if found.solutions else instances.objective(effort.objective))
    recorded, model = reading.read(found.recordings, wanted.gpus)
    deployment, solution, plans = found.read(recorded, found.deployment(recorded, wanted, model), model)
    outputs.require([*files, reading.model_file])
    with progress_line() as progress:
        report = make_report(
            recorded,
            deployment,
            plans,
            solution,
            methods=asked,
            model=model,
            command=_command(context),
            progress=progress,
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
        show(options.fewest_words(report.deployment, recorded.num_experts))
    outputs.tell()
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

    def deployment(self, recorded: Loads, wanted: _Wanted, model: Model | None) -> Deployment | None:
        """The deployment that the options say, with what they leave out from the first file that says it."""
        slots, redundant = wanted.slots, wanted.redundant
        if wanted.asked == plan_files.Asked():
            options.DeploymentOptions(slots=slots, redundant=redundant).require_gpus()
            return None
        facts = wanted.asked.facts(*self._says(), model)
        if slots is None and redundant is None and self.plans:
            slots = self._plan(self.plans[0], recorded).deployment.num_slots
        listed = {name for name in ("gpu_slots", "gpu_speeds") if facts.get(name) is not None}
        if listed and wanted.asked.gpu_file is None:
            # A plan's file says them.
            return Deployment(num_slots=slots or recorded.num_experts + (redundant or 0), **facts)
        shape = options.DeploymentOptions(
            gpus=facts["num_gpus"],
            slots=slots,
            redundant=redundant,
            nodes=facts.get("num_nodes", 1),
            groups=facts["num_groups"],
            policy=facts.get("policy", "auto"),
            distinct=facts.get("distinct", True),
            dispatch=facts.get("dispatch"),
            gpu_file=wanted.asked.gpu_file,
        )
        return shape.deployment(recorded.num_experts, model)

    def read(
        self, recorded: Loads, wanted: Deployment | None, model: Model | None
    ) -> tuple[Deployment, Solution | None, dict[str, Plan]]:
        """The deployment that options or files say, the first solution, and all other plans by name."""
        deployment = self._one_deployment(recorded, wanted)
        solution = None
        if self.solutions:
            self._require_dispatch(self.solutions[0], recorded, deployment)
            solution = plan_files.PlanSource.on(deployment, *self.contents[self.solutions[0]]).solution(model)
        paths = [path for path in self.plans if path not in self.solutions[:1]]
        plans = {
            name: plan_files.PlanSource.on(deployment, *self.contents[path]).plan(recorded.num_experts, model=model)[0]
            for path, name in zip(paths, distinct_names(paths), strict=True)
        }
        return deployment, solution, plans

    def _require_dispatch(self, path: Path, recorded: Loads, deployment: Deployment) -> None:
        """Refuse a solution for another dispatch: its values and bounds would be about something else."""
        solved = self._plan(path, recorded).deployment.dispatch
        if solved != deployment.dispatch:
            raise InvalidArgumentError(
                f"{path} is a solution for dispatch {solved}, not {deployment.dispatch}: leave out --dispatch, or give "
                f"its plan alone, which eplb-opt convert {path} --to native -o PLAN writes"
            )

    def _says(self) -> tuple[Content | None, str]:
        """The first file that says its GPUs, and its engine."""
        return next((self.contents[path] for path in (*self.solutions, *self.known, *self.sized)), (None, ""))

    def _plan(self, path: Path, recorded: Loads) -> Plan:
        """The plan of a file as the file alone has it."""
        return plan_files.PlanSource(*self.contents[path]).plan(recorded.num_experts)[0]

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


def _rules(deployment: Deployment) -> str:
    """What a deployment asks of a plan, in words."""
    rule = "any expert on any GPU"
    if deployment.hierarchical:
        rule = f"{deployment.num_groups} groups bound to {deployment.num_nodes} nodes"
    copies = "" if deployment.distinct else ", copies may share a GPU"
    listed = "".join(f", {name} {runs_of(values)}" for name, values in deployment.listed.items())
    return f"{deployment.num_gpus} GPUs, {deployment.num_slots} slots, {rule}{copies}{listed}"


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
