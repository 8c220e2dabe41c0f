"""Loads: recorded tokens per window, layer and expert."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from reprlib import repr as short
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arrays import frozen_array
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.frames import values_of_frame
from eplb_opt.layers import Labelled, Numbering
from eplb_opt.nested import misfit, no_number
from eplb_opt.tokens import require_tokens


@dataclass(frozen=True, eq=False)
class Loads(Labelled):
    """Expert loads of a model's MoE layers, in tokens, taken as exact.

    Attributes
    ----------
    values
        Shape ``(windows, layers, experts)``, read-only, int64 or float64. Each is 0 or at least 1e-200, and those of a
        layer sum to less than 2**53. Also accepted at birth: ``(layers, experts)``, ``(experts,)``, nested lists, torch
        tensors on any device.
    layer_ids
        Layer of each row, increasing; default ``0, 1, ...``.
    source
        Where the loads come from, for people.
    num_model_layers, numbering, moe_layer_ids
        What the ids count, and the other layers of the model: see `Labelled`.
    window_names
        What people call each window, such as the name of its file; default ``"window 0"``, ``"window 1"``, ...

    Raises
    ------
    InvalidLoadsError
        Values that are no numbers, negative, NaN, infinite or out of range (the first one is named), a wrong shape, or
        names of other windows than there are.
    """

    values: NDArray[Any]
    layer_ids: tuple[int, ...] = ()
    source: str = ""
    num_model_layers: int = 0
    numbering: Numbering = "decoder"
    moe_layer_ids: tuple[int, ...] | None = ()
    window_names: tuple[str, ...] = ()
    label_error: ClassVar = InvalidLoadsError

    def __post_init__(self) -> None:
        values = _as_token_array(self.values)
        object.__setattr__(self, "values", frozen_array(values))
        self.complete_labels()
        object.__setattr__(self, "window_names", _as_names(self.window_names, self.num_windows))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Loads):
            return NotImplemented
        return self.labels == other.labels and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_windows(self) -> int:
        """Windows: spans of time or workloads."""
        return int(self.values.shape[0])

    @property
    def num_layers(self) -> int:
        """Recorded layers, one per entry of `layer_ids`."""
        return int(self.values.shape[1])

    @property
    def num_experts(self) -> int:
        """Logical experts of a layer."""
        return int(self.values.shape[2])

    @cached_property
    def loaded(self) -> NDArray[np.bool_]:
        """Which layers have load in which windows, shape ``(windows, layers)``.

        Only these pairs count in figures over windows and layers: where nothing is to be balanced there is no balance.
        """
        return frozen_array(np.any(self.values, axis=2))

    @classmethod
    def of(cls, loads: Any) -> Loads:
        """`loads` itself if it is a `Loads`, else a `Loads` around the data frame, array, tensor or nested list."""
        if hasattr(loads, "iloc"):
            return cls(*values_of_frame(loads))
        return loads if isinstance(loads, Loads) else cls(loads)


def _as_names(names: Any, num_windows: int) -> tuple[str, ...]:
    """A name for each window."""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InvalidLoadsError(f"window_names={short(names)} is not a list of names")
    if names and len(names) != num_windows:
        raise InvalidLoadsError(f"there are {len(names)} window_names for {num_windows} windows")
    return tuple(names) or tuple(f"window {window}" for window in range(num_windows))


def _as_token_array(values: Any) -> NDArray[Any]:
    """Values as int64 or float64 of shape ``(windows, layers, experts)``, all of them tokens."""
    array = _as_array(values)
    if array.ndim == 0 or array.ndim > 3:
        raise InvalidLoadsError(
            f"loads have shape {array.shape}; expected (experts,), (layers, experts) or (windows, layers, experts)"
        )
    if array.size == 0:
        raise InvalidLoadsError(f"loads of shape {array.shape} are empty")
    array = array.reshape((1,) * (3 - array.ndim) + array.shape)
    require_tokens(array)
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def _as_array(values: Any) -> NDArray[Any]:
    values = _plain(values)
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidLoadsError(misfit(values)) from None
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    # NumPy leaves integers as they are that are too large for its own.
    if array.dtype.kind in "iub" or (array.dtype.kind == "O" and all(isinstance(load, int) for load in array.flat)):
        return array
    if isinstance(getattr(values, "loads", None), Loads):
        raise InvalidLoadsError(f"a {type(values).__name__} is not loads; give its .loads")
    wrong = no_number(values)
    raise InvalidLoadsError(f"loads are of type {array.dtype}, not numbers" + f": {wrong}" * bool(wrong))


def _plain(values: Any) -> Any:
    """Values with tensors as arrays, at any depth of lists; what NumPy would forget of them is refused."""
    if isinstance(values, str | os.PathLike):
        raise InvalidLoadsError(f"loads are {str(values)[:40]!r}, not numbers; read_loads reads files")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InvalidLoadsError("loads are a masked array with hidden values; fill them, for instance with filled(0)")
    if any(hasattr(values, labels) for labels in ("columns", "iloc", "coords")):
        kind = f"{type(values).__module__.partition('.')[0]}.{type(values).__name__}"
        raise InvalidLoadsError(
            f"loads hold a {kind}, whose labels are not read; give one pandas data frame, or arrays"
        )
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = values.tolist()
    if isinstance(values, list | tuple) and values and not isinstance(values[0], Real | str):
        return [_plain(value) for value in values]
    if not hasattr(values, "detach"):
        return values
    try:
        values = values.detach().cpu()
        # NumPy has no bfloat16; float64 holds every torch float exactly.
        return values.double().numpy() if values.is_floating_point() else values.numpy()
    except (TypeError, RuntimeError):
        raise InvalidLoadsError("the loads are no dense array of numbers") from None
