"""Arrays: loads as NumPy files (.npy, .npz) and torch tensors (.pt)."""

from __future__ import annotations

import io
import re
from typing import Any, get_args

import numpy as np

from eplb_opt.errors import FileFormatError
from eplb_opt.io.content import Content, list_names
from eplb_opt.io.recording import Recording
from eplb_opt.layers import Numbering
from eplb_opt.loads import Loads

# What arrays are called that hold plans, ids or loads of something else than experts.
_OTHER_THINGS = re.compile(
    r"phy|log2|map|slot|rank|gpu|npu|device|node|moe_load|logcnt|replica|ids?$|ind(ex|ices)|top|logits", re.IGNORECASE
)
_LABELS = ("layer_ids", "num_model_layers", "numbering", "moe_layer_ids")


def holds_arrays(content: Content) -> bool:
    """Whether this is a NumPy file."""
    return content.kind == "numpy"


def parse_arrays(content: Content) -> Recording:
    """Recording of an array of shape ``(experts,)``, ``(layers, experts)`` or ``(steps, layers, experts)``.

    A .npz file holds it as ``loads``, as ``logical_count``, or as its only array; its optional arrays ``layer_ids``,
    ``num_model_layers``, ``numbering`` and ``moe_layer_ids`` label the rows as in `Loads`, where no ``moe_layer_ids``
    at all are those of the rows, and an empty list is none known. Rows without ids are MoE layers counted from 0. All
    rows are kept.

    Raises
    ------
    FileFormatError
        Several arrays of other names, or labels that are none.
    InvalidLoadsError
        Values that are no loads.
    """
    if isinstance(content.value, np.ndarray):
        return Recording.of(content.value, content.name, numbering="moe")
    arrays = content.value
    values = arrays[_loads_key(arrays, content.name)]
    return Recording.of(values, content.name, **_labels(arrays, content.name))


def holds_tensor(content: Content) -> bool:
    """Whether this is a torch file with nothing but a tensor."""
    return content.kind == "torch" and hasattr(content.value, "detach")


def parse_tensor(content: Content) -> Recording:
    """Recording of a saved tensor, of the same shapes as an array; all rows are kept, MoE layers counted from 0.

    This is also what scripts of vLLM-Ascend and callers of DeepSeek's EPLB save.

    Raises
    ------
    FileFormatError
        A file that holds something else than a tensor.
    InvalidLoadsError
        Values that are no loads.
    """
    if not holds_tensor(content):
        raise FileFormatError(f"{content.name} is {content}, not a saved tensor")
    return Recording.of(content.value, content.name, numbering="moe")


def format_npz(loads: Loads, name: str) -> bytes:
    """A .npz file with the array ``loads`` and every label of its rows."""
    stream = io.BytesIO()
    labels = loads.labels
    np.savez(
        stream,
        allow_pickle=False,
        loads=loads.values,
        layer_ids=np.array(labels.ids),
        num_model_layers=np.array(labels.num_model_layers),
        numbering=np.array(labels.numbering),
        moe_layer_ids=np.array(labels.moe_layer_ids or (), dtype=np.int64),
    )
    return stream.getvalue()


def format_npy(loads: Loads, name: str) -> bytes:
    """A .npy file of shape ``(windows, layers, experts)``, which reads back as MoE layers counted from 0.

    Raises
    ------
    FileFormatError
        Ids other than 0, 1, ... to the last layer of the model: one bare array cannot hold them.
    """
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
    if _OTHER_THINGS.search(keys[0]):
        raise FileFormatError(
            f"{name} has the array {keys[0]!r}, which is not called the loads of experts; if it is, call it 'loads'"
        )
    return keys[0]


def _labels(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    """Labels as arguments of `Recording.of`."""
    ids, layers, moe_ids = (_integers(arrays, key, name) for key in ("layer_ids", "num_model_layers", "moe_layer_ids"))
    if len(layers) > 1:
        raise FileFormatError(f"{name}: num_model_layers holds {len(layers)} numbers, not one")
    if (layers or moe_ids) and not ids:
        raise FileFormatError(f"{name} has labels and no layer_ids, which say what layers its rows are")
    numbering = str(np.asarray(arrays["numbering"])) if "numbering" in arrays else "decoder" if ids else "moe"
    if numbering not in get_args(Numbering):
        raise FileFormatError(f"{name}: numbering is {numbering[:40]!r}, not one of {', '.join(get_args(Numbering))}")
    known = moe_ids or (None if "moe_layer_ids" in arrays else ())
    return {"layer_ids": ids, "num_model_layers": sum(layers), "numbering": numbering, "moe_layer_ids": known}


def _integers(arrays: dict[str, Any], key: str, name: str) -> list[int]:
    labels = np.asarray(arrays.get(key, []))
    if labels.size and (labels.dtype.kind not in "iu" or labels.ndim > 1):
        raise FileFormatError(
            f"{name}: {key} is of type {labels.dtype} and shape {labels.shape}, not a list of integers"
        )
    return [int(label) for label in labels.reshape(-1)]
