"""DeepSeek's EPLB: its three tensors in a .pt or .npz file.

Rows are MoE layers from 0, as its callers count them; files written here also keep the labels of the rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import FileFormatError, InvalidPlanError
from eplb_opt.io.content import Content, list_names
from eplb_opt.io.engine import Engine, Serving
from eplb_opt.io.mappings import Given, make_plan, parse_mapping
from eplb_opt.io.start import StartLine
from eplb_opt.io.tensors import listed, saved
from eplb_opt.plan import Plan

_MAP, _REPLICAS, _COUNTS = "phy2log", "log2phy", "logcnt"
_LABELS = ("layer_ids", "num_model_layers", "moe_layer_ids")


def holds_plan(content: Content) -> bool:
    """Whether this is a plan: arrays or tensors by name, ``phy2log`` among them."""
    return content.kind in ("numpy", "torch") and content.has_key(_MAP)


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of ``phy2log``, checked against ``log2phy`` (replicas in any order) and ``logcnt`` where these are there.

    Raises
    ------
    FileFormatError
        Another file, or unknown names.
    InvalidPlanError
        Tensors that are no mapping or contradict each other, or what contradicts what was given.
    """
    name = content.name
    if not holds_plan(content):
        raise FileFormatError(f"{name} is {content}; a plan of DeepSeek's EPLB has a tensor {_MAP!r}")
    others = [key for key in content.value if key not in (_MAP, _REPLICAS, _COUNTS, *_LABELS)]
    if others:
        raise FileFormatError(f"{name} holds more than the tensors of DeepSeek's EPLB: {list_names(others)}")
    mapping = parse_mapping(listed(content.value[_MAP]), name)
    tables = {key: _table(content.value[key], key, name) for key in (_REPLICAS, _COUNTS) if key in content.value}
    experts = given.num_experts
    for key, table in tables.items():
        if table.ndim != {_REPLICAS: 3, _COUNTS: 2}[key] or len(table) != len(mapping):
            raise InvalidPlanError(f"{name}: {key} has shape {table.shape}, which does not fit {mapping.shape}")
        if experts not in (None, table.shape[1]):
            raise InvalidPlanError(f"{name}: {key} is for {table.shape[1]} experts, not num_experts={experts}")
        experts = table.shape[1]
    labels = _labels(content, given, len(mapping))
    plan = make_plan(mapping, given.deployment, experts, name, **labels)
    _require_agreement(plan, tables, name)
    return given.select(plan, name) if plan.numbering == "decoder" else plan


def format_plan(plan: Plan, name: str) -> bytes:
    """``phy2log``, ``log2phy`` and ``logcnt``, int64, and the labels of the rows."""
    arrays = {_MAP: plan.physical_to_logical, _REPLICAS: plan.logical_to_physical(), _COUNTS: plan.replica_counts}
    labels = plan.labels
    if labels.numbering == "decoder":
        # No layers with experts: they are not known.
        values = (labels.ids, (labels.num_model_layers,), labels.moe_layer_ids or ())
        arrays |= {key: np.array(value, dtype=np.int64) for key, value in zip(_LABELS, values, strict=True)}
    if name.endswith(".pt"):
        return saved(arrays)
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def demands(plan: Plan) -> Iterator[str]:
    """What DeepSeek's EPLB asks of a plan beyond the rules of placement: nothing."""
    return iter(())


def start_line(path: str, plan: Plan) -> StartLine:
    """How a program in Python takes the file."""
    load = f"numpy.load({path!r})" if path.endswith(".npz") else f"torch.load({path!r}, weights_only=True)"
    return StartLine((f"tensors = {load}",), notes=('tensors["phy2log"], tensors["log2phy"], tensors["logcnt"]',))


ENGINE = Engine(
    "DeepSeek's EPLB",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    suffixes=(".pt", ".npz"),
    no_draft_layers="tensors of DeepSeek's EPLB end with the last MoE layer of the model",
    servings=(Serving("even"),),
)


def _table(value: Any, key: str, name: str) -> NDArray[np.int64]:
    try:
        table = np.array(listed(value))
    except ValueError:
        table = np.array(None)
    if table.dtype.kind not in "iu":
        raise InvalidPlanError(f"{name}: {key} is no tensor of integers")
    return table.astype(np.int64)


def _labels(content: Content, given: Given, rows: int) -> dict[str, Any]:
    if "layer_ids" not in content.value:
        return given.labels(rows, content.name)
    found = {key: _table(content.value[key], key, content.name).reshape(-1) for key in _LABELS if key in content.value}
    layers = int(found["num_model_layers"][0]) if found.get("num_model_layers", np.array([])).size else 0
    if given.num_model_layers not in (None, layers):
        raise InvalidPlanError(f"{content.name} is for {layers} decoder layers, the model has {given.num_model_layers}")
    ids: dict[str, Any] = {
        key: tuple(found[key].tolist()) for key in _LABELS if key in found and key != "num_model_layers"
    }
    return ids | {"num_model_layers": layers}


def _require_agreement(plan: Plan, tables: dict[str, NDArray[np.int64]], name: str) -> None:
    counts = tables.get(_COUNTS)
    if counts is not None and not np.array_equal(counts, plan.replica_counts):
        row, expert = np.argwhere(counts != plan.replica_counts)[0]
        raise InvalidPlanError(
            f"{name}: layer row {row}: {_COUNTS} gives expert {expert} {counts[row, expert]} replicas, "
            f"{_MAP} {plan.replica_counts[row, expert]}"
        )
    replicas = tables.get(_REPLICAS)
    if replicas is None:
        return
    if replicas.shape[2] < plan.replica_counts.max():
        raise InvalidPlanError(f"{name}: {_REPLICAS} is {replicas.shape[2]} wide, an expert has more replicas")
    # The published policy ranks replicas by when they were made, and not by their slots.
    mine, theirs = (np.sort(table, axis=2) for table in (plan.logical_to_physical(replicas.shape[2]), replicas))
    if not np.array_equal(mine, theirs):
        row, expert, _ = np.argwhere(mine != theirs)[0]
        raise InvalidPlanError(f"{name}: layer row {row}: {_REPLICAS} and {_MAP} place expert {expert} differently")
