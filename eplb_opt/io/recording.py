"""Recording: the loads of one file, step by step; several recordings make the windows of one `Loads`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.io.files import naming
from eplb_opt.loads import Loads
from eplb_opt.plan import describe_ids


@dataclass(frozen=True)
class Recording:
    """What one file recorded.

    Attributes
    ----------
    steps
        A window per recorded step, every value checked before steps are summed; the source is the file.
    every_decoder_layer
        Whether layers without experts have rows too, which are zero in all steps.
    """

    steps: Loads
    every_decoder_layer: bool = False

    @classmethod
    def of(
        cls,
        values: Any,
        name: str,
        layer_ids: Iterable[int] = (),
        num_model_layers: int = 0,
        every_decoder_layer: bool = False,
    ) -> Recording:
        """Recording of `values`, of shape ``(steps, layers, experts)``, ``(layers, experts)`` or ``(experts,)``.

        Raises
        ------
        InvalidLoadsError
            Values that are no loads, or are all zero; the message begins with `name`.
        """
        with naming(name), np.errstate(all="ignore"):
            try:
                steps = Loads(values, tuple(layer_ids), name, num_model_layers)
            except (TypeError, RuntimeError):
                raise InvalidLoadsError("the loads are no dense array of numbers") from None
            if not steps.values.any():
                raise InvalidLoadsError("no token was recorded, every load is 0")
        return cls(steps, every_decoder_layer)

    def summed(self, windows: int) -> NDArray[Any]:
        """Steps summed into `windows` contiguous parts, as equal as possible: ``(windows, layers, experts)``.

        Raises
        ------
        InvalidArgumentError
            More windows than steps.
        InvalidLoadsError
            A sum that leaves int64 or float64.
        """
        steps = self.steps.values
        if windows > len(steps):
            raise InvalidArgumentError(
                f"windows={windows} is more than the steps of {self.steps.source}; largest: {len(steps)}"
            )
        return np.stack([self._sum(part) for part in np.array_split(steps, windows)])

    def _sum(self, part: NDArray[Any]) -> NDArray[Any]:
        dtype = part.dtype
        largest = np.iinfo(np.int64).max if dtype.kind == "i" else np.finfo(np.float64).max
        if dtype.kind == "i" and int(part.max()) * len(part) > largest:
            part = part.astype(object)  # exact, where int64 might wrap around
        with np.errstate(over="ignore"):
            total: NDArray[Any] = part.sum(axis=0)
        if total.max() > largest:
            raise InvalidLoadsError(
                f"{self.steps.source}: steps sum to more tokens than {dtype} holds; ask for more windows"
            )
        return total.astype(dtype)


def stack(recordings: Sequence[Recording], windows: int) -> Loads:
    """Loads of one model from its recordings, each summed into `windows` windows.

    Rows without a token in any window of any file are dropped where the recorder counts every decoder layer.

    Raises
    ------
    InvalidLoadsError
        Recordings that differ in experts, layers or layers of the model.
    """
    first = recordings[0].steps
    for recording in recordings[1:]:
        _require_same_model(first, recording.steps)
    values = np.concatenate([recording.summed(windows) for recording in recordings])
    rows = np.arange(first.num_layers)
    if any(recording.every_decoder_layer for recording in recordings):
        rows = np.flatnonzero(values.any(axis=(0, 2)))
    return Loads(
        values[:, rows],
        layer_ids=tuple(first.layer_ids[row] for row in rows),
        source=", ".join(PurePath(recording.steps.source).name for recording in recordings),
        num_model_layers=first.num_model_layers,
    )


def _require_same_model(first: Loads, other: Loads) -> None:
    sizes = (
        ("experts", first.num_experts, other.num_experts),
        ("layers", first.num_layers, other.num_layers),
        ("decoder layers in the model", first.num_model_layers, other.num_model_layers),
    )
    for what, mine, theirs in sizes:
        if mine != theirs:
            raise InvalidLoadsError(f"{first.source} has {mine} {what}, {other.source} has {theirs}")
    if first.layer_ids != other.layer_ids:
        raise InvalidLoadsError(
            f"{first.source} has {describe_ids(first.layer_ids)}, {other.source} has {describe_ids(other.layer_ids)}"
        )
