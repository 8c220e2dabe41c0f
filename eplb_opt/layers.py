"""Layers: which layers of a model the rows of loads and plans are."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_args

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.errors import EplbOptError

# More layers than any model has: beyond, a damaged file would take all memory.
MOST_LAYERS = 10_000
# Ids that a sentence lists.
_MOST_NAMED = 8
# What ids count: all decoder layers of the model, or those with experts alone.
Numbering = Literal["decoder", "moe"]


@dataclass(frozen=True)
class Layers:
    """Labels of rows.

    Attributes
    ----------
    ids
        Layer of each row, increasing from 0 on.
    num_model_layers
        Layers that the model has, as counted by `numbering`.
    numbering
        ``"decoder"``: ids count all decoder layers. ``"moe"``: ids count the layers with experts from 0, and nothing
        says which decoder layers they are.
    moe_layer_ids
        All layers of the model with experts, as counted by `numbering`; ``None`` where nothing says which they are.
    """

    ids: tuple[int, ...]
    num_model_layers: int
    numbering: Numbering
    moe_layer_ids: tuple[int, ...] | None

    @classmethod
    def of(
        cls,
        count: int,
        ids: Iterable[Any],
        num_model_layers: Any,
        numbering: Numbering,
        moe_layer_ids: Iterable[Any] | None,
        error: type[EplbOptError],
    ) -> Layers:
        """Labels of `count` rows: by default those from 0 on, of a model that has no other layers."""
        one_of("numbering", numbering, get_args(Numbering), error)
        rows = increasing_ids(ids, count, error)
        layers = positive_int("num_model_layers", num_model_layers or rows[-1] + 1, error)
        if layers > MOST_LAYERS:
            raise error(f"layer {layers - 1} is beyond the {MOST_LAYERS} layers that are taken for possible")
        if rows[-1] >= layers:
            raise error(f"num_model_layers={layers} leaves no room for layer {rows[-1]}")
        if numbering == "moe":
            return cls(rows, layers, numbering, tuple(range(layers)))
        if moe_layer_ids is None:
            return cls(rows, layers, numbering, None)
        given = tuple(moe_layer_ids)
        with_experts = increasing_ids(given, len(given), error) if given else rows
        if with_experts[-1] >= layers:
            raise error(f"num_model_layers={layers} leaves no room for layer {with_experts[-1]}")
        missing = sorted(set(rows) - set(with_experts))
        if missing:
            raise error(f"layer {missing[0]} has a row and is not among moe_layer_ids")
        return cls(rows, layers, numbering, with_experts)

    @property
    def fields(self) -> dict[str, Any]:
        """The labels as arguments of `Loads` and `Plan`; these leave out layers with experts that are just the rows."""
        follows = self.numbering == "moe" or self.moe_layer_ids == self.ids
        return {
            "layer_ids": self.ids,
            "num_model_layers": self.num_model_layers,
            "numbering": self.numbering,
            "moe_layer_ids": () if follows else self.moe_layer_ids,
        }

    @property
    def moe_indices(self) -> tuple[int, ...]:
        """Place of each row among the layers with experts, from 0; a `LookupError` where these are not known."""
        if self.moe_layer_ids is None:
            raise LookupError("the layers with experts are not known")
        place = {layer: index for index, layer in enumerate(self.moe_layer_ids)}
        return tuple(place[layer] for layer in self.ids)

    def __str__(self) -> str:
        what = "MoE layer" if self.numbering == "moe" else "layer"
        return f"{what}{'s' * (len(self.ids) > 1)} {describe_ids(self.ids)}"


class Labelled:
    """Rows that say which layers of a model they are: what `Loads` and `Plan` have in common.

    Attributes
    ----------
    layer_ids
        Layer of each row, increasing; default ``0, 1, ...``.
    num_model_layers
        Layers of the model, as counted by `numbering`; default: up to the last of `layer_ids`.
    numbering
        ``"decoder"``: ids count all decoder layers, those without experts included. ``"moe"``: ids count the layers
        with experts from 0, and which decoder layers these are is not known.
    moe_layer_ids
        All layers of the model with experts, where these are more than `layer_ids`; ``None``: not known.
    """

    layer_ids: tuple[int, ...]
    num_model_layers: int
    numbering: Numbering
    moe_layer_ids: tuple[int, ...] | None
    # What contradictions of the labels are.
    label_error: ClassVar[type[EplbOptError]]

    @property
    def num_layers(self) -> int:
        """Rows."""
        raise NotImplementedError

    @property
    def labels(self) -> Layers:
        """Which layers the rows are."""
        given = self.layer_ids, self.num_model_layers, self.numbering, self.moe_layer_ids
        return Layers.of(self.num_layers, *given, self.label_error)

    def complete_labels(self) -> None:
        """At birth: put what is left out in its place, and refuse what contradicts itself."""
        for name, value in self.labels.fields.items():
            object.__setattr__(self, name, value)


def describe_ids(ids: tuple[int, ...]) -> str:
    """Ids in words: ``3-60``, or a list where they are not contiguous, shortened where it is long."""
    if len(ids) > 1 and ids[-1] - ids[0] + 1 == len(ids):
        return f"{ids[0]}-{ids[-1]}"
    if len(ids) > _MOST_NAMED:
        return f"{', '.join(map(str, ids[: _MOST_NAMED - 1]))}, ..., {ids[-1]} ({len(ids)} layers)"
    return ", ".join(map(str, ids))


def increasing_ids(ids: Iterable[Any], count: int, error: type[EplbOptError]) -> tuple[int, ...]:
    """Layer ids as a tuple of `count` increasing integers from 0; no ids: ``0 .. count - 1``."""
    try:
        numbers = tuple(operator.index(number) for number in ids) or tuple(range(count))
    except TypeError:
        raise error("layer ids are not integers") from None
    if len(numbers) != count:
        raise error(f"{len(numbers)} layer ids for {count} layers")
    if numbers[0] < 0:
        raise error(f"layer ids are not increasing from 0 on: they begin with {numbers[0]}")
    for row, (before, after) in enumerate(pairwise(numbers), 1):
        if after <= before:
            raise error(f"layer ids are not increasing from 0 on: row {row} has layer {after} behind layer {before}")
    return numbers
