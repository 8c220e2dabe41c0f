"""Mappings: rows of expert ids in a file become a `Plan`."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.io.files import naming
from eplb_opt.plan import Plan

# A deployment, or one for a number of slots that only the file knows.
DeploymentFor = Deployment | Callable[[int], Deployment]


@dataclass(frozen=True)
class Given:
    """What the reader of a plan was told, because its file may not say it; ``None`` where nothing was told.

    Attributes
    ----------
    deployment
        Where the slots are.
    num_experts
        Logical experts of a layer.
    layer_ids
        Decoder layers with experts.
    num_model_layers
        Decoder layers of the model.
    """

    deployment: DeploymentFor | None = None
    num_experts: int | None = None
    layer_ids: tuple[int, ...] | None = None
    num_model_layers: int | None = None

    def __post_init__(self) -> None:
        for name in ("num_experts", "num_model_layers"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, positive_int(name, value))

    def select(self, plan: Plan, name: str) -> Plan:
        """The given layers of a plan, all of them where none were given; an absent one is an `InvalidPlanError`."""
        if self.layer_ids is None:
            return plan
        with naming(name):
            return plan.select(self.layer_ids)


def parse_mapping(rows: Any, name: str) -> NDArray[np.int64]:
    """Expert of each slot, shape ``(layers, slots)``, from a list of rows.

    Raises
    ------
    InvalidPlanError
        Something else than equally long lists of integers; the message names the row and the slot.
    """
    if not isinstance(rows, list) or not rows:
        raise InvalidPlanError(f"{name} holds {reprlib.repr(rows)}, not one row of expert ids per layer")
    for layer, row in enumerate(rows):
        if not isinstance(row, list) or not row:
            raise InvalidPlanError(f"{name}: layer row {layer} is {reprlib.repr(row)}, not a list of expert ids")
        if len(row) != len(rows[0]):
            raise InvalidPlanError(f"{name}: layer row {layer} has {len(row)} slots, layer row 0 has {len(rows[0])}")
        for slot, expert in enumerate(row):
            if type(expert) is not int or abs(expert) > np.iinfo(np.int64).max:
                raise InvalidPlanError(
                    f"{name}: layer row {layer}, slot {slot} holds {reprlib.repr(expert)}, not an expert id"
                )
    return np.array(rows, dtype=np.int64)


def make_plan(
    mapping: NDArray[np.int64],
    deployment: DeploymentFor | None,
    num_experts: int | None,
    name: str,
    layer_ids: tuple[int, ...] = (),
    num_model_layers: int = 0,
) -> Plan:
    """Plan of a mapping, not yet verified; `name` begins every message.

    Without a deployment there is one GPU that may hold an expert several times, so that only the rules that need no
    topology hold. Without a number of experts, ids end at the largest one.

    Raises
    ------
    InvalidPlanError
        More experts than slots, a deployment with other slots, or layer ids that do not fit the rows.
    """
    slots = mapping.shape[1]
    if num_experts is None:
        layer, slot = np.unravel_index(mapping.argmax(), mapping.shape)
        num_experts = max(int(mapping[layer, slot]) + 1, 1)
        if num_experts > slots:
            raise InvalidPlanError(
                f"{name}: layer row {layer}, slot {slot} holds expert {num_experts - 1}, "
                f"but {slots} slots cannot hold experts 0-{num_experts - 1}"
            )
    elif num_experts > slots:
        raise InvalidPlanError(f"{name} has {slots} slots, too few for num_experts={num_experts}")
    if deployment is None:
        deployment = Deployment(num_gpus=1, num_slots=slots, distinct=False)
    elif not isinstance(deployment, Deployment):
        deployment = deployment(slots)
    with naming(name):
        return Plan(mapping, deployment, num_experts, layer_ids, num_model_layers)
