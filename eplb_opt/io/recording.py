"""Recording: the loads of one file, step by step; several recordings make the windows of one `Loads`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import list_few
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.files import distinct_names, naming
from eplb_opt.io.doubts import layers_left_out
from eplb_opt.io.windowing import Windowing
from eplb_opt.layers import Layers, Numbering, describe_ids
from eplb_opt.loads import Loads
from eplb_opt.long_table import last_expert

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """What one file, or one folder of files, recorded.

    Attributes
    ----------
    name
        The path, for messages.
    blocks
        Consecutive steps: each block is a `Loads` with a window per step, whose source is its place in the file.
        Blocks of a large file are read when they are gone through.
    every_decoder_layer
        Whether layers without experts have rows too, which are zero in all steps.
    open_ended
        Whether experts without a token have no place in the file, so that there may be some behind the last one.
    windowed
        Whether the steps are windows already, which one sum of all would lose.
    what
        What kind of recording it is, for people.
    """

    name: str
    blocks: Iterable[Loads]
    every_decoder_layer: bool = False
    open_ended: bool = False
    windowed: bool = False
    what: str = ""

    @classmethod
    def of(
        cls,
        values: Any,
        name: str,
        layer_ids: Iterable[int] = (),
        num_model_layers: int = 0,
        every_decoder_layer: bool = False,
        numbering: Numbering = "decoder",
        moe_layer_ids: Iterable[int] | None = (),
        open_ended: bool = False,
    ) -> Recording:
        """Recording of `values`, of shape ``(steps, layers, experts)``, ``(layers, experts)`` or ``(experts,)``.

        Raises
        ------
        InvalidLoadsError
            Values that are no loads, or are all zero; the message begins with `name`.
        """
        steps = block_of(values, name, layer_ids, num_model_layers, numbering, moe_layer_ids)
        if not steps.values.any():
            raise no_token(name)
        return cls(name, (steps,), every_decoder_layer, open_ended)

    @property
    def steps(self) -> Loads:
        """All steps, each a window."""
        blocks = list(self.blocks)
        return Loads(np.concatenate([block.values for block in blocks]), source=self.name, **blocks[0].labels.fields)

    def summed(self, windowing: Windowing) -> Loads:
        """Steps summed into windows; those that are windows already as they are, unless several are asked for.

        Raises
        ------
        InvalidArgumentError
            Fewer steps than windows, or than a window has.
        InvalidLoadsError
            No step, blocks of different shapes, windows without a token, or a sum of 2**53 tokens or more.
        """
        if self.windowed and windowing == Windowing():
            return self.steps
        blocks = iter(self.blocks)
        first = next(blocks, None)
        if first is None:
            raise InvalidLoadsError(f"{self.name} holds no recorded step")

        def steps(first: Loads) -> Iterator[NDArray[Any]]:
            for block in chain([first], blocks):
                _require_same_model(first, block)
                yield from block.values

        values = windowing.sums(steps(first), self.name)
        if not values.any():
            raise no_token(self.name)
        return Loads(values, source=self.name, **first.labels.fields)


def block_of(
    values: Any,
    name: str,
    layer_ids: Iterable[int] = (),
    num_model_layers: int = 0,
    numbering: Numbering = "decoder",
    moe_layer_ids: Iterable[int] | None = (),
) -> Loads:
    """Checked steps in `values`, which may be all zero; an `InvalidLoadsError` that begins with `name` if not loads."""
    with naming(name), np.errstate(all="ignore"):
        _require_stored(values)
        moe_ids = None if moe_layer_ids is None else tuple(moe_layer_ids)
        return Loads(values, tuple(layer_ids), name, num_model_layers, numbering, moe_ids)


def stack(recordings: Iterable[Recording], windows: int = 1, window_length: int | None = None) -> Loads:
    """Loads of one model from its recordings, each summed into windows as `read_loads` describes.

    Rows without a token in any window of any file are dropped where the recorder counts every decoder layer.

    Raises
    ------
    InvalidLoadsError
        Recordings that differ in experts, layers or layers of the model.
    """
    windowing = Windowing.of(windows, window_length)
    parts: list[Loads] = []
    names: list[str] = []
    kinds: list[str] = []
    drop = open_ended = False
    for recording in recordings:
        parts.append(recording.summed(windowing))
        _require_same_model(parts[0], parts[-1], recording.open_ended)
        names.append(recording.name)
        kinds.append(recording.what)
        drop |= recording.every_decoder_layer
        open_ended |= recording.open_ended
    first = parts[0]
    values = np.concatenate([part.values for part in parts])
    rows = np.flatnonzero(values.any(axis=(0, 2))) if drop else np.arange(first.num_layers)
    for doubt in (*layers_left_out(len(rows), first.num_layers), *(last_expert(values) if open_ended else ())):
        logger.warning("%s: %s", first.source, doubt)
    names = distinct_names(names)
    return Loads(
        values[:, rows],
        source=_described(list(zip(names, kinds, strict=True))),
        window_names=_window_names(names, parts),
        **_labels_of(first, rows).fields,
    )


def _labels_of(loads: Loads, rows: NDArray[np.intp]) -> Layers:
    """Labels of the rows that are kept; the others are of layers without experts."""
    ids = tuple(loads.layer_ids[row] for row in rows)
    dropped = set(loads.layer_ids) - set(ids)
    known = loads.labels.moe_layer_ids
    moe_ids = None if known is None else tuple(layer for layer in known if layer not in dropped)
    return replace(loads.labels, ids=ids, moe_layer_ids=moe_ids)


def _window_names(names: list[str], parts: list[Loads]) -> tuple[str, ...]:
    """Of several files the name of each, and which of its windows it is where it has several."""
    if len(parts) == 1:
        return parts[0].window_names
    return tuple(
        name if part.num_windows == 1 else f"{name}, {window}"
        for name, part in zip(names, parts, strict=True)
        for window in part.window_names
    )


def _described(sources: list[tuple[str, str]]) -> str:
    """Names of files, and what they hold: once where all hold the same."""
    kinds = {what for _, what in sources}
    if len(kinds) > 1:
        return list_few([_described([source]) for source in sources])
    names = list_few([name for name, _ in sources])
    return f"{names} ({what})" if (what := kinds.pop()) else names


def _require_stored(values: Any) -> None:
    """Refuse a tensor that repeats its memory: a file of a few bytes could claim any size."""
    try:
        stored = values.untyped_storage().nbytes()
    except (AttributeError, RuntimeError):
        return
    if values.numel() * values.element_size() > stored:
        raise InvalidLoadsError(
            f"the tensor of shape {tuple(values.shape)} repeats {stored} stored bytes; save tensor.contiguous()"
        )


def _require_same_model(first: Loads, other: Loads, open_ended: bool = False) -> None:
    facts = (
        ("{} experts", first.num_experts, other.num_experts),
        ("{} layers", first.num_layers, other.num_layers),
        ("{} layers in the model", first.num_model_layers, other.num_model_layers),
        ("{}", str(first.labels), str(other.labels)),
        ("experts in layers {}", _ids(first.labels.moe_layer_ids), _ids(other.labels.moe_layer_ids)),
    )
    for words, mine, theirs in facts:
        if mine != theirs:
            # Experts without a token have no place in such a file.
            way_out = "; say experts where the model has as many" if open_ended and words == "{} experts" else ""
            raise InvalidLoadsError(
                f"{first.source} has {words.format(mine)}, {other.source} has {words.format(theirs)}{way_out}"
            )


def _ids(ids: tuple[int, ...] | None) -> str:
    return "that are not known" if ids is None else describe_ids(ids)


def no_token(name: str) -> InvalidLoadsError:
    """What is wrong with a recording whose loads are all 0."""
    return InvalidLoadsError(f"{name}: no token was recorded, every load is 0")
