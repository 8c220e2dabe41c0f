"""Plans from files as commands read them: all by the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from eplb_opt.arguments import nearest
from eplb_opt.cli import options
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.tables import show
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.files import naming
from eplb_opt.io import native
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.engines import engine_of, parse_plan, relabelled, start_line
from eplb_opt.io.mappings import Given
from eplb_opt.io.recognition import ENGINES
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution

# As the options of a deployment, but that the file of a plan may say it already.
Nodes = Annotated[int | None, typer.Option("--nodes", help="Number of nodes; default: as the file says, else 1.")]
Policy = Annotated[
    str | None,
    typer.Option("--policy", help="auto, hierarchical or global; default: as the file says, else auto."),
]
Distinct = Annotated[
    bool | None, typer.Option(help="At most one replica of an expert on a GPU; default: as the file says, else yes.")
]


@dataclass(frozen=True)
class Asked:
    """What the options of a command say of the deployment of a plan; ``None`` where they say nothing."""

    gpus: options.Gpus = None
    nodes: Nodes = None
    groups: options.Groups = None
    policy: Policy = None
    distinct: Distinct = None
    dispatch: options.DispatchName = None
    gpu_file: options.GpuFile = None

    @classmethod
    def of(cls, deployment: Deployment) -> Asked:
        """Options that say all of a deployment but its slots, and what is said of GPUs one by one."""
        numbers = deployment.num_gpus, deployment.num_nodes, deployment.num_groups
        return cls(*numbers, deployment.policy, deployment.distinct, deployment.dispatch)

    def facts(self, content: Content | None, engine: str, model: Model | None = None) -> dict[str, Any]:
        """Arguments of `Deployment` but for the slots: of the options, else of the file if any, else of the model.

        Without a number of GPUs, and where the options say nothing, what is left out is as the file is read.

        Raises
        ------
        InvalidArgumentError
            Options that mean nothing, as neither they nor the file say how many GPUs there are.
        """
        names = ("num_nodes", "num_groups", "policy", "distinct", "dispatch")
        values = (self.nodes, self.groups, self.policy, self.distinct, self.dispatch)
        asked = options.gpu_facts(self.gpus, self.gpu_file)
        asked |= {name: value for name, value in zip(names, values, strict=True) if value is not None}
        written: dict[str, Any] = {}
        if content is not None and (reads := ENGINES[engine].facts):
            written = reads(content)
        if not asked:
            return written
        if "num_gpus" not in asked | written:
            option = next(iter(asked)).removeprefix("num_")
            option = "no-distinct" if self.distinct is False and option == "distinct" else option
            raise InvalidArgumentError(f"--{option} needs --gpus: no file says how many GPUs there are")
        return {"num_groups": 1 if model is None else model.num_groups} | written | asked


def show_start(engine: str, path: str, plan: Plan) -> None:
    """Print what makes an engine take the file of a plan."""
    show(f"{ENGINES[engine].title}:")
    for line in start_line(engine, path, plan).script.splitlines():
        show(f"  {line}")


@dataclass(frozen=True)
class PlanSource:
    """A file of a plan as a command reads it: what it holds, for which engine, and what the options ask of the plan.

    `listed` is what is said of GPUs one by one, where it is not the file that says it.
    """

    content: Content
    engine: str = "auto"
    asked: Asked = Asked()
    listed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def on(cls, deployment: Deployment, content: Content, engine: str = "auto") -> PlanSource:
        """A file whose plan is one for a deployment, but for the number of its slots."""
        return cls(content, engine, Asked.of(deployment), deployment.listed)

    @property
    def says_gpus(self) -> bool:
        """Whether the options say the GPUs, or the file does."""
        reads = ENGINES[self.engine if self.engine != "auto" else engine_of(self.content)].facts
        asked = self.asked.gpus is not None or self.asked.gpu_file is not None
        return asked or (reads is not None and "num_gpus" in reads(self.content))

    def beside(self, loads: Sequence[Path]) -> PlanSource:
        """Beside loads that are instances, a plan whose GPUs nothing says is for their deployment."""
        if self.says_gpus:
            return self
        deployment = Instances.among(loads).deployment(gpus_said=False)
        if deployment is None:
            return self
        theirs, asked = Asked.of(deployment), self.asked
        unsaid = {each.name: getattr(theirs, each.name) for each in fields(Asked) if getattr(asked, each.name) is None}
        return replace(self, asked=replace(asked, **unsaid), listed=deployment.listed)

    def plan(
        self,
        num_experts: int | None = None,
        num_model_layers: int | None = None,
        model: Model | None = None,
        layer_ids: tuple[int, ...] | None = None,
    ) -> tuple[Plan, bool]:
        """The plan in the file, and whether its GPUs are known: the options say them, or the file does.

        Of a model, or with layer ids, the layers with experts. Rows that the engine counts by itself are believed as it
        reads them: only those of native plans and of DeepSeek's tensors that are counted from 0 get other numbers.

        Raises
        ------
        FileFormatError, InvalidPlanError
            As of `eplb_opt.read_plan`; a plan of another model, or without a row for a layer of it that has experts.
        InvalidArgumentError
            Options of a deployment where nothing says how many GPUs there are, or layer ids that contradict the file.
        """
        content = self.content
        name = self.engine if self.engine != "auto" else engine_of(content)
        numbering = ENGINES[name].numbering
        facts = self.asked.facts(content, name, model)
        if model is not None:
            num_experts = model.num_experts
            num_model_layers = model.num_layers if numbering == "decoder" else None
        given = Given(
            partial(self._deployment, facts) if self.asked != Asked() else None,
            num_experts,
            layer_ids if numbering is not None else None,
            num_model_layers,
        )
        plan = parse_plan(content, name, given)
        if model is not None:
            plan = model.label_plan(plan)
            if missing := model.missing_rows(plan):
                more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
                raise InvalidPlanError(f"{content.name}: {missing[0]}{more}", missing)
        elif layer_ids is not None and numbering is None:
            plan = relabelled(plan, layer_ids)
        return plan, "num_gpus" in facts

    def solution(self, model: Model | None = None) -> Solution:
        """The solution in the file, its plan as `plan` reads it and its layers with the plan's numbers."""
        solution = native.parse_solution(self.content)
        plan, _ = replace(self, engine="native").plan(model=model)
        layers = solution.layers
        if len(layers) > plan.num_layers:
            layers = tuple(layer for layer in layers if layer.layer_id in plan.layer_ids)
        numbered = (replace(layer, layer_id=layer_id) for layer, layer_id in zip(layers, plan.layer_ids, strict=True))
        return replace(solution, plan=plan, layers=tuple(numbered))

    def _deployment(self, facts: dict[str, Any], slots: int) -> Deployment:
        """The deployment of a plan with so many slots."""
        gpus = facts["num_gpus"]
        facts = {**facts, **self.listed}
        if facts.get("gpu_slots") is not None:
            with naming(self.content.name):
                return Deployment(num_slots=slots, **facts)
        one_each = Deployment(num_slots=gpus, **facts)
        if slots % gpus:
            nodes = one_each.binding_nodes
            shares = [number for number in range(nodes, slots + 1, nodes) if slots % number == 0]
            raise InvalidDeploymentError(
                f"--gpus {gpus} cannot share the {slots} slots of {self.content.name} equally{nearest(gpus, shares)}"
            )
        return replace(one_each, num_slots=slots)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """A file of a plan, and what its reader is told."""

    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan: native JSON or an engine's file.")]
    engine: Annotated[str, typer.Option(help=f"Format of the plan: auto, {', '.join(ENGINES)}.")] = "auto"
    asked: Asked

    def source(self, loads: Sequence[Path] = ()) -> PlanSource:
        """The file, read, beside the loads of the command."""
        return PlanSource(read_content(self.plan), self.engine, self.asked).beside(loads)
