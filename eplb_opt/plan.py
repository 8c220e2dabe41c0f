"""Plan: slot -> expert for every layer; everything else is derived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.arrays import frozen_array
from eplb_opt.deployment import Deployment, Dispatch, require_deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.layers import Labelled, Layers, Numbering, describe_ids

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Plan(Labelled):
    """Which expert lives in which slot, for every layer.

    Birth checks the shape only; `eplb_opt.verify` checks the rules, so that a faulty plan can be looked at.

    Attributes
    ----------
    physical_to_logical
        Expert of each slot, int64 of shape ``(layers, slots)``, read-only.
    deployment
        Where the slots are.
    num_experts
        Logical experts of a layer.
    layer_ids
        Layer of each row, increasing; default ``0, 1, ...``.
    num_model_layers, numbering, moe_layer_ids
        What the ids count, and the other layers of the model: see `Labelled`.
    """

    physical_to_logical: NDArray[np.int64]
    deployment: Deployment
    num_experts: int
    layer_ids: tuple[int, ...] = ()
    num_model_layers: int = 0
    numbering: Numbering = "decoder"
    moe_layer_ids: tuple[int, ...] | None = ()
    label_error: ClassVar = InvalidPlanError

    def __post_init__(self) -> None:
        try:
            mapping = np.asarray(self.physical_to_logical)
        except ValueError:
            raise InvalidPlanError("the plan is ragged: every layer needs the same number of slots") from None
        if mapping.ndim != 2 or mapping.shape[0] == 0 or mapping.dtype.kind not in "iu":
            raise InvalidPlanError(
                f"a plan maps (layers, slots) to integer expert ids; got shape {mapping.shape} of {mapping.dtype}"
            )
        require_deployment(self.deployment)
        if mapping.shape[1] != self.deployment.num_slots:
            raise InvalidPlanError(
                f"the plan has {mapping.shape[1]} slots, the deployment num_slots={self.deployment.num_slots}"
            )
        positive_int("num_experts", self.num_experts, InvalidPlanError)
        object.__setattr__(self, "physical_to_logical", frozen_array(mapping.astype(np.int64)))
        self.complete_labels()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        mine, theirs = ((p.deployment, p.num_experts, p.labels) for p in (self, other))
        return mine == theirs and np.array_equal(self.physical_to_logical, other.physical_to_logical)

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_layers(self) -> int:
        """Planned layers, one per entry of `layer_ids`."""
        return int(self.physical_to_logical.shape[0])

    @cached_property
    def replica_counts(self) -> NDArray[np.int64]:
        """Replicas of each expert, shape ``(layers, experts)``; ids out of range are not counted."""
        layer, slot = np.nonzero(self._in_range)
        counts = np.zeros((self.num_layers, self.num_experts), dtype=np.int64)
        np.add.at(counts, (layer, self.physical_to_logical[layer, slot]), 1)
        return frozen_array(counts)

    @property
    def _in_range(self) -> NDArray[np.bool_]:
        return (self.physical_to_logical >= 0) & (self.physical_to_logical < self.num_experts)

    def logical_to_physical(self, width: int | None = None) -> NDArray[np.int64]:
        """Slots of each expert by increasing slot, -1 padded: shape ``(layers, experts, width)``.

        `width` defaults to the largest replica count over all layers; a smaller one is an `InvalidArgumentError`.
        """
        largest = int(self.replica_counts.max())
        width = largest if width is None else width
        if width < largest:
            raise InvalidArgumentError(f"width={width} is less than the largest replica count {largest}")
        table = np.full((self.num_layers, self.num_experts, width), -1, dtype=np.int64)
        layer, slot = np.nonzero(self._in_range)
        expert = self.physical_to_logical[layer, slot]
        # A stable sort keeps slots of one expert in order; the position within the run is the replica's rank.
        order = np.lexsort((slot, expert, layer))
        layer, slot, expert = layer[order], slot[order], expert[order]
        run = layer * self.num_experts + expert
        first = np.searchsorted(run, run, side="left")
        table[layer, expert, np.arange(len(run)) - first] = slot
        return table

    def to_torch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``(phy2log, log2phy, logcnt)``, the three int64 CPU tensors of DeepSeek's EPLB."""
        import torch

        mappings = (self.physical_to_logical, self.logical_to_physical(), self.replica_counts)
        phy2log, log2phy, logcnt = (torch.tensor(mapping, dtype=torch.int64) for mapping in mappings)
        return phy2log, log2phy, logcnt

    def dispatched(self, dispatch: Dispatch) -> Plan:
        """The same plan under another dispatch.

        Raises
        ------
        InvalidArgumentError
            An unknown one.
        InvalidDeploymentError
            One that asks for nodes, which do not divide the GPUs.
        """
        one_of("dispatch", dispatch, get_args(Dispatch))
        return replace(self, deployment=replace(self.deployment, dispatch=dispatch))

    def select(self, layer_ids: Iterable[int]) -> Plan:
        """The plan of some of its layers, in the given, increasing order; an absent layer is an error."""
        wanted = tuple(layer_ids)
        missing = sorted(set(wanted) - set(self.layer_ids))
        if missing:
            raise InvalidPlanError(f"the plan has no layer {describe_ids(tuple(missing))}; it has {self.labels}")
        rows = [self.layer_ids.index(layer) for layer in wanted]
        labels = replace(self.labels, ids=wanted)
        return replace(self, physical_to_logical=self.physical_to_logical[rows], **labels.fields)

    def with_draft_layers(self, count: int) -> Plan:
        """The plan with `count` layers more behind the last layer of the model, which get the last row.

        Draft layers (MTP, NextN) are recorded by nobody, and engines that count them ask for a row all the same.
        """
        rows = np.concatenate([self.physical_to_logical, np.repeat(self.physical_to_logical[-1:], count, axis=0)])
        labels = self.labels
        drafts = tuple(range(labels.num_model_layers, labels.num_model_layers + count))
        known = labels.moe_layer_ids
        longer = replace(
            labels,
            ids=labels.ids + drafts,
            num_model_layers=labels.num_model_layers + count,
            moe_layer_ids=None if known is None else known + drafts,
        )
        return replace(self, physical_to_logical=rows, **longer.fields)

    def numbered_as(self, labels: Layers) -> Plan:
        """The plan with its layers counted as in `labels`, the layers of the same model.

        Raises
        ------
        InvalidPlanError
            They do not both count decoder layers, and how many have experts is not known or not the same.
        """
        mine = self.labels
        # MoE layers that are counted from 0 are others where they are more: rows may be of all decoder layers.
        counted_alike = mine.numbering == "decoder" or mine.num_model_layers == labels.num_model_layers
        if mine.numbering == labels.numbering and counted_alike:
            return self
        if mine.moe_layer_ids is None or labels.moe_layer_ids is None:
            raise InvalidPlanError(
                f"the plan counts {_counted(mine)}, what it is for {_counted(labels)}: say which layers have experts"
            )
        if len(mine.moe_layer_ids) != len(labels.moe_layer_ids):
            raise InvalidPlanError(
                f"the plan counts {_counted(mine)}, what it is for {_counted(labels)}: these are not as many"
            )
        ids = tuple(labels.moe_layer_ids[index] for index in mine.moe_indices)
        return replace(self, **replace(labels, ids=ids).fields)


def way_to_plan(value: object) -> str:
    """What to do with something that stands where a plan should."""
    held = isinstance(getattr(value, "plan", None), Plan)
    return "give its .plan" if held else "read_plan reads one from a file"


def _counted(labels: Layers) -> str:
    what = "MoE layers from 0" if labels.numbering == "moe" else "decoder layers"
    ids = labels.ids if labels.moe_layer_ids is None else labels.moe_layer_ids
    return f"{what} ({describe_ids(ids)})"
