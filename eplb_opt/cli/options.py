"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from eplb_opt.arguments import nearest, positive_int
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError
from eplb_opt.files import naming
from eplb_opt.io import read_loads
from eplb_opt.io.doubts import doubts_on, layers_without_load
from eplb_opt.io.gpu_file import read_gpus
from eplb_opt.io.load_files import FORMAT_NAMES
from eplb_opt.io.model_config import config_path, find_model
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.step import Step
from eplb_opt.time_model import PRESETS

logger = logging.getLogger(__name__)

LoadFiles = Annotated[
    list[Path], typer.Argument(metavar="LOADS...", help="Recordings, files or folders; several are several windows.")
]
Experts = Annotated[int | None, typer.Option("--experts", help="Experts of a layer that the recordings have to have.")]
NumLayers = Annotated[
    int | None, typer.Option("--layers", help="Layers with experts, or decoder layers, that they have to have.")
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A known model, as deepseek-v3 or deepseek-ai/DeepSeek-V3, or the path of a config.json; any other name "
        "lists those that are known.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Gpus = Annotated[
    int | None, typer.Option("--gpus", help="Number of GPUs; may be left out where a plan's file says it.")
]
GpuFile = Annotated[
    Path | None,
    typer.Option(
        "--gpu-file",
        help="GPUs that differ: a CSV table with a header slots,speed (or one of them) and a row for each GPU, or a "
        "JSON list of such objects.",
    ),
]
Groups = Annotated[
    int | None, typer.Option("--groups", help="Number of expert groups; default: those of --model, else 1.")
]

DispatchName = Annotated[
    Dispatch | None,
    typer.Option(
        "--dispatch", help="Which replica serves a GPU's tokens; default: as a file or an engine has it, else even."
    ),
]

Objective = Annotated[str, typer.Option(help="total, mean or worst over windows; auto: mean for several.")]
Bandwidth = Annotated[
    float | None, typer.Option(help="GB/s of weights that each GPU can send and receive: how long copying takes.")
]
Seed = Annotated[int, typer.Option(help="For random choices.")]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="Limit work instead of time: always the same plan.")
]
Workers = Annotated[int | None, typer.Option(help="Steps at once; default: the usable cores.")]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How recordings are read, and what they have to hold."""

    format: Annotated[str, typer.Option(help=f"Format of the recordings: auto, {', '.join(FORMAT_NAMES)}.")] = "auto"
    windows: Annotated[int, typer.Option(help="Equal parts to cut each recording into.")] = 1
    window_length: Annotated[
        int | None, typer.Option(help="Recorded steps of a window, instead of --windows; a rest is left out.")
    ] = None
    experts: Experts = None
    layers: NumLayers = None
    model: ModelName = None

    @property
    def known_model(self) -> Model | None:
        """The model that is named, or whose configuration is given, if one is."""
        return None if self.model is None else find_model(self.model)

    @property
    def model_file(self) -> Path | None:
        """The configuration of the model, if it is read from one."""
        return config_path(self.model)

    def recorded(self, paths: list[Path]) -> Loads:
        """The recordings as their files have them."""
        return read_loads(
            paths, self.format, self.windows, self.window_length, experts=self.experts, layers=self.layers
        )

    def read(self, paths: list[Path], gpus: int | None = None) -> tuple[Loads, Model | None]:
        """The recordings, with the layers of the model where one is named, and that model.

        What is odd about them is told in the log, with as many `gpus` as they are planned for.
        """
        model = self.known_model
        loads = self.recorded(paths)
        loads = loads if model is None else model.label(loads)
        self.tell_doubts(loads, gpus, meant=model is not None)
        return loads, model

    def tell_doubts(self, loads: Loads, gpus: int | None, *, meant: bool) -> list[str]:
        """What is odd about loads that are planned for so many GPUs, beyond what reading them told; told in the log.

        Axes are what they are taken for where a model or the options say so: what was `meant`.
        """
        meant = meant or None not in (self.experts, self.layers)
        axes = [] if meant or gpus is None else doubts_on(loads, gpus)
        doubts = [*axes, *layers_without_load(loads)]
        for doubt in doubts:
            logger.warning("%s", doubt)
        return doubts


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many GPUs and slots."""

    gpus: Gpus = None
    slots: Annotated[int | None, typer.Option(help="Slots (physical experts) over all GPUs, such as 288.")] = None
    redundant: Annotated[
        int | None,
        typer.Option(help="Instead of --slots: slots beyond one for each expert; default: as few as the GPUs allow."),
    ] = None

    @property
    def leaves_slots_open(self) -> bool:
        """Whether the number of slots is not said."""
        return self.slots is None and self.redundant is None


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions(Size):
    """The deployment to plan for."""

    nodes: Annotated[int, typer.Option(help="Number of nodes.")] = 1
    groups: Groups = None
    policy: Annotated[
        str,
        typer.Option(
            help="hierarchical: groups stay on their nodes; global; auto: hierarchical where groups divide by nodes."
        ),
    ] = "auto"
    distinct: Annotated[bool, typer.Option(help="At most one replica of an expert on a GPU.")] = True
    dispatch: DispatchName = None
    gpu_file: GpuFile = None

    @property
    def says_gpus(self) -> bool:
        """Whether the GPUs are said."""
        return self.gpus is not None or self.gpu_file is not None

    def deployment(self, num_experts: int, model: Model | None = None, served: Dispatch = "even") -> Deployment:
        """What the options describe; one of `slots` and `redundant`, or neither for the fewest slots that are possible.

        Where they do not say which replica serves a source, it is as `served` says; evenly where there is one of each.
        """
        facts = gpu_facts(self.gpus, self.gpu_file)
        if "num_gpus" not in facts:
            raise InvalidArgumentError("give the number of GPUs: --gpus")
        if self.slots is not None and self.redundant is not None:
            raise InvalidArgumentError("--slots and --redundant say the same thing; give one of them")
        groups = self.groups
        if groups is None:
            groups = 1 if model is None else model.num_groups
        policy: Any = self.policy  # Deployment refuses a word that is no policy.
        gpus = facts["num_gpus"]
        one_each = Deployment(gpus, gpus, self.nodes, groups, policy, self.distinct)
        slots = self._listed_slots(facts, num_experts) or self._possible_slots(one_each, num_experts)
        dispatch = self.dispatch or ("even" if slots == num_experts else served)
        given = {"num_nodes": self.nodes, "num_groups": groups, "policy": policy, "distinct": self.distinct}
        deployment = _named(self.gpu_file, num_slots=slots, dispatch=dispatch, **given, **facts)
        deployment.require_room_for(num_experts)
        return deployment

    def require_gpus(self) -> None:
        """Refuse options that would mean nothing, where --gpus is missing."""
        for field in fields(self):
            if not self.says_gpus and getattr(self, field.name) != field.default:
                raise InvalidArgumentError(f"--{'no-' * (field.name == 'distinct')}{field.name} needs --gpus")

    def _listed_slots(self, facts: Mapping[str, Any], num_experts: int) -> int:
        """The slots that a file lists, which the other options may repeat; 0 where none does."""
        listed = facts.get("gpu_slots")
        if listed is None:
            return 0
        total = sum(positive_int(f"{self.gpu_file}: slots of GPU {g}", size) for g, size in enumerate(listed))
        for option, value, same in (("slots", self.slots, total), ("redundant", self.redundant, total - num_experts)):
            if value not in (None, same):
                raise InvalidArgumentError(f"--{option} {value}, but the slots of {self.gpu_file} sum to {total}")
        return total

    def _possible_slots(self, shape: Deployment, num_experts: int) -> int:
        """The slots that the options say, or a refusal in the words of these options."""
        possible = shape.possible_slots(num_experts)
        if self.leaves_slots_open:
            total = possible.start
        else:
            total = num_experts + (self.redundant or 0) if self.slots is None else self.slots
        if total in possible:
            return total
        refusal = shape.refusal_of(total, num_experts)
        if self.redundant is None:
            said = "" if self.slots is None else f"--slots {self.slots}: "
            raise InvalidDeploymentError(f"{said}{refusal}{nearest(total, possible)}")
        spare = range(possible.start - num_experts, possible.stop - num_experts, possible.step)
        raise InvalidDeploymentError(
            f"--redundant {self.redundant}: {refusal}{nearest(self.redundant, spare, '--redundant ')}"
        )


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What a command may spend; the names of its fields are those of arguments of `eplb_opt.solve`."""

    time_limit: Annotated[float, typer.Option(help="Seconds of each call of solve.")] = 60.0
    seed: Seed = 0
    workers: Workers = None


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What turns loads into milliseconds of a step; the fields are named as the arguments of `eplb_opt.size`."""

    time_model: Annotated[
        str | None,
        typer.Option(help=f"Microseconds of a GPU: {', '.join(PRESETS)}, or a JSON file with constants of your own."),
    ] = None
    tokens_per_gpu: Annotated[
        float | None, typer.Option(help="Tokens that each GPU brings to a step, for --time-model.")
    ] = None

    def step(self, model: Model | None) -> Step | None:
        """The step that these options describe, if they do."""
        return Step.of(self.time_model, self.tokens_per_gpu, model)


def gpu_facts(gpus: int | None, gpu_file: Path | None) -> dict[str, Any]:
    """The number of GPUs, if it is said, and what a file says of them one by one, as arguments of `Deployment`."""
    if gpu_file is None:
        return {} if gpus is None else {"num_gpus": gpus}
    listed = read_gpus(gpu_file)
    rows = len(next(iter(listed.values())))
    if gpus not in (None, rows):
        raise InvalidArgumentError(f"--gpus {gpus}, but {gpu_file} has a row for each of {rows} GPUs")
    return {"num_gpus": rows, **listed}


def _named(gpu_file: Path | None, **facts: Any) -> Deployment:
    """A deployment; what is wrong with a file's numbers is told with its name."""
    if gpu_file is None:
        return Deployment(**facts)
    with naming(str(gpu_file)):
        return Deployment(**facts)


def given(group: Any) -> list[str]:
    """Options of a group that are not as by default, as words of a command."""
    words: list[str] = []
    for field in fields(group):
        value = getattr(group, field.name)
        if value != field.default:
            option = field.name.replace("_", "-")
            words += [f"--no-{option}"] if value is False else [f"--{option}", str(value)]
    return words
