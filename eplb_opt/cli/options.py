"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import nearest
from eplb_opt.deployment import Deployment, Policy
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError
from eplb_opt.io import read_loads
from eplb_opt.io.doubts import doubts_on, layers_without_load
from eplb_opt.io.engines import ENGINES
from eplb_opt.io.load_files import FORMAT_NAMES
from eplb_opt.layers import MOST_LAYERS
from eplb_opt.loads import Loads
from eplb_opt.models import Model, model_of

logger = logging.getLogger(__name__)

LoadFiles = Annotated[
    list[Path], typer.Argument(metavar="LOADS...", help="Recordings, files or folders; several are several windows.")
]
OptionalLoadFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="[LOADS]...", help="Recordings whose layers and experts it must fit.")
]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan: native JSON or an engine's file.")]
Format = Annotated[str, typer.Option(help=f"Format of the recordings: auto, {', '.join(FORMAT_NAMES)}.")]
Windows = Annotated[int, typer.Option(help="Equal parts to cut each recording into.")]
WindowLength = Annotated[
    int | None,
    typer.Option("--window-length", help="Recorded steps of a window, instead of --windows; a rest is left out."),
]
Experts = Annotated[int | None, typer.Option("--experts", help="Experts of a layer that the recordings have to have.")]
NumLayers = Annotated[
    int | None, typer.Option("--layers", help="Layers with experts, or decoder layers, that they have to have.")
]
Engine = Annotated[str, typer.Option(help=f"Format of the plan: auto, {', '.join(ENGINES)}.")]
ModelName = Annotated[
    str | None,
    typer.Option("--model", help="A known model, as deepseek-v3 or deepseek-ai/DeepSeek-V3; any other name lists all."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Gpus = Annotated[
    int | None, typer.Option("--gpus", help="Number of GPUs; may be left out where a plan's file says it.")
]
Slots = Annotated[int | None, typer.Option("--slots", help="Slots (physical experts) over all GPUs, such as 288.")]
Redundant = Annotated[
    int | None, typer.Option("--redundant", help="Instead of --slots: slots beyond one for each expert.")
]
Nodes = Annotated[int, typer.Option("--nodes", help="Number of nodes.")]
Groups = Annotated[
    int | None, typer.Option("--groups", help="Number of expert groups; default: those of --model, else 1.")
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy",
        help="hierarchical: groups stay on their nodes; global; auto: hierarchical where groups divide by nodes.",
    ),
]
Distinct = Annotated[bool, typer.Option(help="At most one replica of an expert on a GPU.")]
LayerIds = Annotated[str | None, typer.Option("--layer-ids", help="Decoder layers of the rows, such as 3-60 or 1,3,5.")]


def recording_of(
    paths: list[Path],
    format: str,
    windows: int = 1,
    model_name: str | None = None,
    window_length: int | None = None,
    experts: int | None = None,
    layers: int | None = None,
    gpus: int | None = None,
) -> tuple[Loads, Model | None]:
    """The recordings in files, with the layers of the model where one is named, and that model.

    What is odd about them is told in the log, with as many `gpus` as they are planned for.
    """
    model = None if model_name is None else model_of(model_name)
    loads = read_loads(paths, format, windows, window_length, experts=experts, layers=layers)
    loads = loads if model is None else model.label(loads)
    tell(doubts_about(loads, gpus, meant=model is not None or None not in (experts, layers)))
    return loads, model


def tell(doubts: Iterable[str]) -> None:
    """Say doubts in the log, before anything that they may explain is refused."""
    for doubt in doubts:
        logger.warning("%s", doubt)


def doubts_about(loads: Loads, gpus: int | None, *, meant: bool) -> list[str]:
    """What is odd about loads that are planned for so many GPUs, beyond what reading them told.

    Axes are what they are taken for where a model or the options say so: what was `meant`.
    """
    axes = [] if meant or gpus is None else doubts_on(loads, gpus)
    return [*axes, *layers_without_load(loads)]


def deployment_of(
    num_experts: int,
    gpus: int | None,
    slots: int | None,
    redundant: int | None,
    nodes: int,
    groups: int | None,
    policy: str,
    distinct: bool,
    model: Model | None = None,
) -> Deployment:
    """The deployment that the options describe; exactly one of `slots` and `redundant`, or none for no redundancy."""
    if gpus is None:
        raise InvalidArgumentError("give the number of GPUs: --gpus")
    if slots is not None and redundant is not None:
        raise InvalidArgumentError("--slots and --redundant say the same thing; give one of them")
    one_each = Deployment(gpus, gpus, nodes, _groups(groups, model), _policy(policy), distinct)
    return replace(one_each, num_slots=_possible_slots(one_each, num_experts, slots, redundant))


def require_gpus_for(**given: bool) -> None:
    """Refuse options that describe a deployment where --gpus is missing and they would mean nothing."""
    for name, is_given in given.items():
        if is_given:
            raise InvalidArgumentError(f"--{name.replace('_', '-')} needs --gpus")


def rule_of(deployment: Deployment) -> str:
    """The policy in force, in words; ``auto`` says why."""
    nodes, groups = deployment.num_nodes, deployment.num_groups
    if deployment.hierarchical:
        return f"hierarchical: {deployment.groups_per_node} of {groups} groups on each of {nodes} nodes"
    if deployment.policy == "auto" and nodes > 1:
        return f"global: {groups} groups do not divide by {nodes} nodes"
    return "global"


def layer_ids_of(text: str | None) -> tuple[int, ...] | None:
    """``"3-5,8"`` as ``(3, 4, 5, 8)``."""
    if text is None:
        return None
    ids: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            span = range(int(first), int(last) + 1) if dash else [int(first)]
        except ValueError:
            raise InvalidArgumentError(f"--layer-ids {text}: {part!r} is neither a number nor a range a-b") from None
        if not 0 < len(span) <= MOST_LAYERS:
            raise InvalidArgumentError(f"--layer-ids {text}: {part!r} is not a range of layers from low to high")
        ids.extend(span)
    return tuple(ids)


def numbers_of(option: str, text: str | None) -> list[float] | None:
    """``"1,0.5"`` as ``[1.0, 0.5]``."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidArgumentError(f"{option} {text} is not a list of numbers such as 1,0.5") from None


def _possible_slots(shape: Deployment, num_experts: int, slots: int | None, redundant: int | None) -> int:
    """The slots that the options say, or a refusal in the words of these options."""
    total = num_experts + (redundant or 0) if slots is None else slots
    possible = shape.possible_slots(num_experts)
    if total in possible:
        return total
    refusal = shape.refusal_of(total, num_experts)
    if slots is not None:
        raise InvalidDeploymentError(f"--slots {slots}: {refusal}{nearest(slots, possible)}")
    spare = range(possible.start - num_experts, possible.stop - num_experts, possible.step)
    said = "without --redundant and --slots" if redundant is None else f"--redundant {redundant}"
    raise InvalidDeploymentError(f"{said}: {refusal}{nearest(redundant or 0, spare, '--redundant ')}")


def _groups(groups: int | None, model: Model | None) -> int:
    if groups is not None:
        return groups
    return 1 if model is None else model.num_groups


def _policy(policy: str) -> Policy:
    return policy  # type: ignore[return-value]  # Deployment refuses any other word
