"""Arrays: loads as NumPy files (.npy, .npz) and torch tensors (.pt)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from eplb_opt.errors import FileFormatError
from eplb_opt.io.content import Content, list_names
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads

_LABELS = ("layer_ids", "num_model_layers")


def holds_arrays(content: Content) -> bool:
    """Whether this is a NumPy file."""
    return content.kind == "numpy"


def parse_arrays(content: Content) -> Recording:
    """Recording of an array of shape ``(experts,)``, ``(layers, experts)`` or ``(steps, layers, experts)``.

    A .npz file holds it as ``loads``, as ``logical_count``, or as its only array; its optional arrays ``layer_ids``
    and ``num_model_layers`` label the rows. All rows are kept.

    Raises
    ------
    FileFormatError
        Several arrays of other names, or labels that are no integers.
    InvalidLoadsError
        Values that are no loads.
    """
    if isinstance(content.value, np.ndarray):
        return Recording.of(content.value, content.name)
    arrays = content.value
    layer_ids, num_model_layers = (_labels(arrays, key, content.name) for key in _LABELS)
    if len(num_model_layers) > 1:
        raise FileFormatError(f"{content.name}: num_model_layers holds {len(num_model_layers)} numbers, not one")
    values = arrays[_loads_key(arrays, content.name)]
    return Recording.of(values, content.name, layer_ids, sum(num_model_layers))


def holds_tensor(content: Content) -> bool:
    """Whether this is a torch file with nothing but a tensor."""
    return content.kind == "torch" and hasattr(content.value, "detach")


def parse_tensor(content: Content) -> Recording:
    """Recording of a saved tensor, of the same shapes as an array; all rows are kept.

    Raises
    ------
    FileFormatError
        A file that holds something else than a tensor.
    InvalidLoadsError
        Values that are no loads.
    """
    if not holds_tensor(content):
        raise FileFormatError(f"{content.name} is {content}, not a saved tensor")
    return Recording.of(content.value, content.name)


def format_npz(loads: Loads, name: str) -> bytes:
    """A .npz file with the arrays ``loads``, ``layer_ids`` and ``num_model_layers``."""
    stream = io.BytesIO()
    np.savez(
        stream,
        loads=loads.values,
        layer_ids=np.array(loads.layer_ids),
        num_model_layers=np.array(loads.num_model_layers),
    )
    return stream.getvalue()


def format_npy(loads: Loads, name: str) -> bytes:
    """A .npy file of shape ``(windows, layers, experts)``; a `FileFormatError` if rows need labels to be told apart."""
    if loads.layer_ids != tuple(range(loads.num_model_layers)):
        raise FileFormatError(f"{name} cannot hold layer ids, .npy is one bare array; write .npz")
    stream = io.BytesIO()
    np.save(stream, loads.values)
    return stream.getvalue()


def _loads_key(arrays: dict[str, Any], name: str) -> str:
    for key in ("loads", "logical_count"):
        if key in arrays:
            return key
    keys = [key for key in arrays if key not in _LABELS]
    if len(keys) != 1:
        found = list_names(keys) or "none"
        raise FileFormatError(f"{name} has no array 'loads' or 'logical_count' and not a single other one: {found}")
    return keys[0]


def _labels(arrays: dict[str, Any], key: str, name: str) -> list[int]:
    labels = np.asarray(arrays.get(key, []))
    if labels.size and (labels.dtype.kind not in "iu" or labels.ndim > 1):
        raise FileFormatError(
            f"{name}: {key} is of type {labels.dtype} and shape {labels.shape}, not a list of integers"
        )
    return [int(label) for label in labels.reshape(-1)]
