"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.deployment import Deployment, Policy
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io import read_plan
from eplb_opt.plan import Plan

LoadFiles = Annotated[list[Path], typer.Argument(metavar="LOADS...", help="Recordings; several are several windows.")]
OptionalLoadFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="[LOADS]...", help="Recordings whose layers and experts it must fit.")
]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan: native JSON or an engine's file.")]
Format = Annotated[str, typer.Option(help="Format of the recordings: auto, sglang, numpy, csv, torch.")]
Windows = Annotated[int, typer.Option(help="Equal parts to cut each recording into.")]
Engine = Annotated[str, typer.Option(help="Format of the plan: auto, native, sglang.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Gpus = Annotated[int | None, typer.Option("--gpus", help="Number of GPUs.")]
Slots = Annotated[int | None, typer.Option("--slots", help="Number of slots (physical experts) over all GPUs.")]
Redundant = Annotated[int | None, typer.Option("--redundant", help="Slots beyond one for each expert.")]
Nodes = Annotated[int, typer.Option("--nodes", help="Number of nodes.")]
Groups = Annotated[int, typer.Option("--groups", help="Number of expert groups.")]
PolicyOption = Annotated[str, typer.Option("--policy", help="auto, hierarchical or global.")]
Distinct = Annotated[bool, typer.Option(help="At most one replica of an expert on a GPU.")]
LayerIds = Annotated[str | None, typer.Option("--layer-ids", help="Decoder layers of the rows, such as 3-60 or 1,3,5.")]


def deployment_of(
    num_experts: int,
    gpus: int | None,
    slots: int | None,
    redundant: int | None,
    nodes: int,
    groups: int,
    policy: str,
    distinct: bool,
) -> Deployment:
    """The deployment that the options describe; exactly one of `slots` and `redundant`, or none for no redundancy."""
    if gpus is None:
        raise InvalidArgumentError("give the number of GPUs: --gpus")
    if slots is not None and redundant is not None:
        raise InvalidArgumentError("--slots and --redundant say the same thing; give one of them")
    total = num_experts + (redundant or 0) if slots is None else slots
    return Deployment(gpus, total, nodes, groups, _policy(policy), distinct)


def plan_of(
    path: Path,
    engine: str,
    gpus: int | None,
    nodes: int,
    groups: int,
    policy: str,
    distinct: bool,
    num_experts: int | None = None,
    num_model_layers: int | None = None,
) -> tuple[Plan, bool]:
    """The plan in a file and whether its deployment is known, from the file or from the options."""

    def deployment(slots: int) -> Deployment:
        return Deployment(gpus or 1, slots, nodes, groups, _policy(policy), distinct)

    given = None if gpus is None else deployment
    plan = read_plan(path, engine, given, num_experts, num_model_layers=num_model_layers)
    # Where nobody says the GPUs, readers assume one that may hold an expert twice.
    unknown = Deployment(num_gpus=1, num_slots=plan.deployment.num_slots, distinct=False)
    return plan, given is not None or plan.deployment != unknown


def layer_ids_of(text: str | None) -> tuple[int, ...] | None:
    """``"3-5,8"`` as ``(3, 4, 5, 8)``."""
    if text is None:
        return None
    ids: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            ids.extend(range(int(first), int(last) + 1) if dash else [int(first)])
        except ValueError:
            raise InvalidArgumentError(f"--layer-ids {text}: {part!r} is neither a number nor a range a-b") from None
    return tuple(ids)


def _policy(policy: str) -> Policy:
    return policy  # type: ignore[return-value]  # Deployment refuses any other word
