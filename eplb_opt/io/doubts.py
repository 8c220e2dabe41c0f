"""Doubts: where loads look like something else, in words. Nobody can know, so doubts are told and refuse nothing."""

from __future__ import annotations

import numpy as np

from eplb_opt.layers import describe_ids
from eplb_opt.loads import Loads

# Ids of experts are smaller than this; a layer of real traffic has few loads that are.
_MOST_EXPERTS = 1024
# With fewer rows, columns, experts or GPUs than this, what looks odd is an accident.
_LEAST_TABLE = 4
# Sums of floats that differ by less are the same.
_RTOL = 1e-9


def doubts_of(loads: Loads) -> list[str]:
    """What is odd about loads by themselves.

    Ids in place of counts, files of ranks in place of workloads, labels or sums in place of an expert, and experts in
    place of layers.
    """
    return [doubt for doubt in (_ids(loads), _ranks(loads), *_margins(loads), _exchanged(loads)) if doubt]


def doubts_on(loads: Loads, num_gpus: int) -> list[str]:
    """What is odd about loads that are planned for so many GPUs: an axis of GPUs in place of layers or experts.

    Only of loads that count MoE layers from 0, as arrays do: other files name what their axes are.
    """
    axes = {"layers": loads.num_layers, "experts": loads.num_experts} if loads.numbering == "moe" else {}
    return [
        f"the recording has as many {axis} as there are GPUs, {size}: if its axes are ranks and slots, these are not "
        "loads of experts; say what is meant with experts and layers"
        for axis, size in axes.items()
        if size == num_gpus >= _LEAST_TABLE
    ]


def layers_without_load(loads: Loads) -> list[str]:
    """A sentence that names the layers without any token, if there are such."""
    idle = tuple(layer for row, layer in enumerate(loads.layer_ids) if not loads.values[:, row].any())
    if not idle:
        return []
    which = f"layer {idle[0]}" if len(idle) == 1 else f"layers {describe_ids(idle)}"
    return [
        f"no token was recorded in {which} ({len(idle)} of {loads.num_layers} with experts): nothing is known of "
        "these, and any plan is optimal there"
    ]


def layers_left_out(kept: int, layers: int) -> list[str]:
    """A sentence where so few layers of a recorder that counts them all have a token that the recorder is in doubt."""
    if 2 * kept >= layers:
        return []
    return [
        f"only {kept} of {layers} decoder layers have a token, and the others are taken for layers without experts: "
        "was everything recorded?"
    ]


def _ids(loads: Loads) -> str:
    rows = loads.values.reshape(-1, loads.num_experts)
    if loads.values.dtype.kind != "i" or min(rows.shape) < _LEAST_TABLE or rows.max() >= _MOST_EXPERTS:
        return ""
    ordered = np.sort(rows, axis=1)
    steps = np.diff(ordered, axis=1)
    different = bool((steps > 0).all())
    # A plan names every expert in every layer, some of them more than once.
    all_named = bool((ordered[:, 0] == 0).all() and (steps <= 1).all() and (ordered[:, -1] > 0).all())
    if not (different or all_named):
        return ""
    what = "all different" if different else "all numbers from 0 on"
    return (
        f"the loads of each layer are small integers, {what}: if they are ids of experts, as in a plan or in a list of "
        "the hottest, these are no loads; say what is meant with experts and layers"
    )


def _margins(loads: Loads) -> list[str]:
    """Columns and rows beside those of experts and layers, as tables have them."""
    values = loads.values
    way_out = "if that is their sum, leave it out, or say what is meant with experts and layers"
    if loads.num_experts == 1 and loads.num_layers > 1:
        return [f"each of {loads.num_layers} layers has one expert: if these are the experts of a layer, give one row"]
    if min(values.shape[1:]) < _LEAST_TABLE or not values.any():
        return []
    found = []
    first = values[:, :, 0]
    if (np.diff(first, axis=1) == 1).all():
        found.append("the loads of expert 0 count the layers: if these are labels, leave them out")
    # A sum of floats depends on their order.
    if np.allclose(values[:, :, -1], values[:, :, :-1].sum(axis=2), rtol=_RTOL, atol=0):
        found.append(f"expert {loads.num_experts - 1} has as much load as all others: {way_out}")
    if np.allclose(values[:, -1], values[:, :-1].sum(axis=1), rtol=_RTOL, atol=0):
        found.append(f"layer {loads.layer_ids[-1]} has the loads of all others: {way_out}")
    return found


def _exchanged(loads: Loads) -> str:
    """Every layer of a model sees all tokens, so that layers have equal sums and experts have not."""
    if min(loads.values.shape[1:]) < _LEAST_TABLE:
        return ""
    layers, experts = loads.values.sum(axis=2), loads.values.sum(axis=1)
    if np.allclose(layers, layers.mean(), rtol=_RTOL, atol=0):
        return ""
    if not np.allclose(experts, experts.mean(axis=1, keepdims=True), rtol=_RTOL, atol=0):
        return ""
    return (
        "all experts have the same load over the layers, and layers differ, and every layer should see all tokens: if "
        "rows are experts, transpose the table"
    )


def _ranks(loads: Loads) -> str:
    seen = loads.values > 0
    loaded = np.flatnonzero(seen.any(axis=(1, 2)))
    if len(loaded) < 2 or loads.num_experts < _LEAST_TABLE or int(seen.sum(axis=0).max()) > 1:
        return ""
    return (
        f"no expert has load in two of the {len(loaded)} windows: if these are not workloads but ranks, each of which "
        "counted its own experts alone, add them up and give one"
    )
