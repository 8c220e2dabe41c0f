"""Files of a report: recordings, plans and a solution, told apart by what they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from eplb_opt.arguments import list_few
from eplb_opt.cli import options
from eplb_opt.cli import plans as plan_files
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import distinct_names
from eplb_opt.io import native
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.recognition import ENGINES, plan_engine
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.report.words import runs_of
from eplb_opt.solution import Solution


@dataclass(frozen=True)
class Files:
    """Files told apart by what they hold, in the order in which they were given.

    `known` are plans whose file says the deployment, solutions among them; `sized` those that say the GPUs alone.
    `contents` are what the files of plans hold, and for which engine. `old` is the file of the plan that runs, where
    one is given as that: a plan too, and no solution, as what it proves is about other loads.
    """

    recordings: list[Path]
    plans: list[Path]
    solutions: list[Path]
    known: list[Path]
    sized: list[Path]
    contents: dict[Path, tuple[Content, str]]
    old: Path | None

    @classmethod
    def of(cls, paths: list[Path], old: Path | None = None) -> Files:
        """Files by what they hold.

        Raises
        ------
        InvalidArgumentError
            No recording, or an old plan that is none or that is given twice.
        """
        found = cls([], [], [], [], [], {}, old)
        if old in paths:
            raise InvalidArgumentError(f"{old} is given twice: leave it out where it is not --old")
        for path in paths if old is None else [old, *paths]:
            engine, content = _opened(path)
            if not engine or content is None:
                if path == old:
                    raise InvalidArgumentError(f"--old {old} is not the file of a plan")
                found.recordings.append(path)
                continue
            found.plans.append(path)
            found.contents[path] = content, engine
            if engine == "native":
                found.known.append(path)
                if native.holds_solution(content) and path != old:
                    found.solutions.append(path)
            elif ENGINES[engine].knows_gpus:
                found.sized.append(path)
        if not found.recordings:
            names = list_few(list(map(str, paths)))
            raise InvalidArgumentError(f"no recording among {names}: give one for the plan to be judged on")
        return found

    def deployment(
        self, recorded: Loads, size: options.Size, asked: plan_files.Asked, model: Model | None
    ) -> Deployment | None:
        """The deployment that the options say, with what they leave out from the first file that says it."""
        slots, redundant = size.slots, size.redundant
        if asked == plan_files.Asked():
            options.DeploymentOptions(slots=slots, redundant=redundant).require_gpus()
            return None
        facts = asked.facts(*self._says(), model)
        if slots is None and redundant is None and self.plans:
            slots = self._plan(self.plans[0], recorded).deployment.num_slots
        listed = {name for name in ("gpu_slots", "gpu_speeds") if facts.get(name) is not None}
        if listed and asked.gpu_file is None:
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
            gpu_file=asked.gpu_file,
        )
        return shape.deployment(recorded.num_experts, model)

    def read(
        self, recorded: Loads, wanted: Deployment | None, model: Model | None
    ) -> tuple[Deployment, Solution | None, dict[str, Plan], Plan | None]:
        """The deployment that options or files say, the first solution, all other plans by name, and the old plan."""
        deployment = self._one_deployment(recorded, wanted)
        solution = None
        if self.solutions:
            self._require_dispatch(self.solutions[0], recorded, deployment)
            solution = plan_files.PlanSource.on(deployment, *self.contents[self.solutions[0]]).solution(model)
        paths = [path for path in self.plans if path not in (*self.solutions[:1], self.old)]
        read = {
            path: plan_files.PlanSource.on(deployment, *self.contents[path]).plan(recorded.num_experts, model=model)[0]
            for path in (*paths, *([] if self.old is None else [self.old]))
        }
        named = {name: read[path] for path, name in zip(paths, distinct_names(paths), strict=True)}
        return deployment, solution, named, None if self.old is None else read[self.old]

    def old_words(self, recorded: Loads, deployment: Deployment, asked: plan_files.Asked) -> list[str]:
        """What a command has to be told of the deployment of the old plan: what its file does not say."""
        if self.old in self.known and self._plan(self.old, recorded).deployment == deployment:
            return []
        said = replace(plan_files.Asked.of(deployment), gpu_file=asked.gpu_file)
        usual = {"nodes": 1, "groups": 1, "policy": "auto", "distinct": True}
        # What is as usual may be otherwise in a file that says it.
        left_out = (
            {} if self.old in self.known else {n: None for n, value in usual.items() if getattr(said, n) == value}
        )
        return options.given(replace(said, **left_out))

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
