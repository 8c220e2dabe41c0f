"""SGLang: recordings of its expert distribution recorder, and the plan of ``--init-expert-location``.

SGLang counts decoder layers, those without experts included: DeepSeek-V3 has 61 rows, of which 0-2 hold no experts.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from eplb_opt.errors import FileFormatError, InvalidLoadsError, InvalidPlanError
from eplb_opt.files import naming
from eplb_opt.full_table import full_table
from eplb_opt.io.content import Content, list_names
from eplb_opt.io.engine import Engine, Serving
from eplb_opt.io.mappings import Given, make_plan, parse_mapping
from eplb_opt.io.recording import Recording
from eplb_opt.io.start import StartLine, file_word, node_notes, node_words, words
from eplb_opt.io.tensors import listed, saved
from eplb_opt.io.windowing import Windowing
from eplb_opt.layers import increasing_ids
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

_COUNTS = "logical_count"
_MAP = "physical_to_logical_map"
_LAYERS = "layer_ids"
# The recorder says which rank wrote the file; other writers of the counts do not.
_RANK = "rank"
_LAYOUT, _RANKS = "logical_count_layout", "rank_layer_expert"
_CHECKED = "SGLang 0.5.23"
_PAGE = "eplb_opt/plugins/sglang.md"
_WITH_BACKEND = "with an all-to-all backend (--moe-a2a-backend other than none)"
_PLUGGED = "in the plug-in with EPLB_OPT_PLAN"
_SERVINGS = (
    Serving("nearest", f"{_WITH_BACKEND}, --ep-dispatch-algorithm dynamic"),
    Serving("sglang-static", f"{_WITH_BACKEND}, --ep-dispatch-algorithm static"),
    Serving("even", f"without an all-to-all backend, or {_PLUGGED}; --ep-dispatch-algorithm dynamic"),
    Serving("optimal", f"{_WITH_BACKEND}, {_PLUGGED}, --ep-dispatch-algorithm lp"),
)
_ALGORITHMS = {"sglang-static": "static", "optimal": "lp"}
# Of the dispatches that plans are made for, what has to be there and what happens otherwise.
_NOTES = {
    "even": (
        "the plan was made for an even split: with an all-to-all backend SGLang lets each rank use only the nearest "
        "replicas of a plan from a file, so that loads are less even than planned; then plan with --dispatch nearest, "
        f"or let the plug-in hand out the plan: {_PAGE}"
    ),
    "nearest": (
        "the plan was made for an all-to-all backend (--moe-a2a-backend), with which each rank uses the nearest "
        "replicas; without one, or in the plug-in, SGLang splits loads evenly: then plan with --dispatch even"
    ),
    "sglang-static": (
        "the plan was made for an all-to-all backend (--moe-a2a-backend), without which SGLang refuses static dispatch,"
        " and for this file: with other rows of any layer the ranks draw other replicas"
    ),
    "optimal": (
        "lp needs an all-to-all backend (--moe-a2a-backend), CUDA and a model of the DeepSeek-V2 family; and of a plan "
        "from a file each rank has only the nearest replicas, so that the split is not free: let the plug-in hand out "
        f"the plan, {_PAGE}"
    ),
    "by-rank": (
        "the plan was made for dispatch by-rank, which SGLang does not do; plan with --dispatch nearest for an "
        "all-to-all backend, with --dispatch even without one"
    ),
}


def holds_loads(content: Content) -> bool:
    """Whether this is a recording: a dictionary with ``logical_count``, as JSON or saved by torch."""
    return content.kind in ("json", "torch") and content.has_key(_COUNTS)


def parse_loads(content: Content) -> Recording:
    """Recording of ``logical_count``, of shape ``(layers, experts)`` or ``(steps, layers, experts)``.

    Rows are all decoder layers of the model. Where the key ``logical_count_layout`` says ``rank_layer_expert``, the
    first axis is the ranks that the tokens came from, and they are summed to one step. In a file of the recorder, which
    has the key ``rank``, steps without a token are left out: they are places of its buffer where no forward pass is,
    or passes of a draft model, which it does not count. Other keys are ignored, except ``layer_ids`` of a JSON file,
    with which `format_loads` names the rows to keep.

    Steps are in the order of the buffer. One of limited size begins again at its start when it is full, and goes on
    in its middle in a second recording: then the last passes come first, and no key says so.

    Raises
    ------
    FileFormatError
        No ``logical_count``, or another layout.
    InvalidLoadsError
        Values that are no loads.
    """
    if not holds_loads(content):
        raise FileFormatError(f"{content.name} is {content}; a recording of SGLang has the key {_COUNTS!r}")
    recording = Recording.of(content.value[_COUNTS], content.name, every_decoder_layer=True)
    if content.has_key(_LAYOUT):
        recording = _over_ranks(recording.steps, content.value[_LAYOUT], _axes(content.value[_COUNTS]))
    if content.has_key(_RANK):
        recording = _with_tokens(recording.steps)
    if content.kind == "json" and content.has_key(_LAYERS):
        return _labelled(recording.steps, content.value[_LAYERS])
    return recording


def format_loads(loads: Loads, name: str) -> str:
    """JSON text with ``logical_count``: a row per decoder layer, zeros where nothing was recorded.

    The key ``layer_ids``, which SGLang ignores, is there only if a recorded layer has no token: its zeros alone
    would say that the layer has no experts.

    Raises
    ------
    FileFormatError
        MoE layers counted from 0, or layers with experts that have no row: neither can be said by rows of decoder
        layers.
    """
    if loads.numbering == "moe":
        raise FileFormatError(
            f"{name} has a row per decoder layer, and the loads count MoE layers from 0: give layer_ids, or write .npz"
        )
    if loads.labels.moe_layer_ids != loads.layer_ids:
        raise FileFormatError(f"{name} cannot say that other layers than those with a row have experts; write .npz")
    counts = np.zeros((loads.num_windows, loads.num_model_layers, loads.num_experts), dtype=loads.values.dtype)
    counts[:, list(loads.layer_ids)] = loads.values
    content: dict[str, Any] = {_COUNTS: (counts if loads.num_windows > 1 else counts[0]).tolist()}
    if not loads.values.any(axis=(0, 2)).all():
        content[_LAYERS] = list(loads.layer_ids)
    return json.dumps(content) + "\n"


def holds_plan(content: Content) -> bool:
    """Whether this is a plan: ``physical_to_logical_map``, as JSON or saved by torch."""
    return content.kind in ("json", "torch") and content.has_key(_MAP)


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of ``physical_to_logical_map``, a row per decoder layer, reduced to the given layer ids.

    The file says nothing about GPUs: without a given deployment, `make_plan` tells what is assumed. Nor does it say
    which layers have experts: given layer ids do.

    Raises
    ------
    FileFormatError
        The key is missing, or not alone (SGLang refuses such a file).
    InvalidPlanError
        Rows that are no mapping, or another number of rows than the model has decoder layers.
    """
    name = content.name
    if not holds_plan(content):
        raise FileFormatError(f"{name} is {content}; a plan of SGLang has the key {_MAP!r}")
    others = [key for key in content.value if key != _MAP]
    if others:
        raise FileFormatError(f"{name} has other keys than {_MAP!r}, which SGLang refuses: {list_names(others)}")
    mapping = parse_mapping(listed(content.value[_MAP]), name)
    if given.num_model_layers not in (None, len(mapping)):
        raise InvalidPlanError(f"{name} has {len(mapping)} rows, the model {given.num_model_layers} decoder layers")
    plan = make_plan(mapping, given.deployment, given.num_experts, name, moe_layer_ids=None)
    return given.select(plan, name)


def format_plan(plan: Plan, name: str) -> bytes | str:
    """``physical_to_logical_map`` alone, as JSON text or, for a name that ends in .pt, saved by torch."""
    table = full_table(plan, "decoder")
    if name.endswith(".pt"):
        return saved({_MAP: table})
    return json.dumps({_MAP: table.tolist()}) + "\n"


def demands(plan: Plan) -> Iterator[str]:
    """What SGLang asks of a plan beyond the rules of placement: nothing."""
    return iter(())


def start_line(path: str, plan: Plan) -> StartLine:
    """What starts SGLang with the file, with the dispatch algorithm that goes with the plan."""
    deployment = plan.deployment
    redundant = deployment.num_slots - plan.num_experts
    ranks = ("--tp-size", deployment.num_gpus, "--ep-size", deployment.num_gpus)
    nodes = node_words(deployment, "--dist-init-addr", "HEAD_NODE:PORT")
    experts = ("--init-expert-location", file_word(path), "--ep-num-redundant-experts", redundant)
    notes = node_notes(deployment, "HEAD_NODE:PORT")
    if redundant:
        notes = (*notes, _NOTES[deployment.dispatch])
    # Without redundant experts there is nothing to choose, and dynamic is taken with every backend.
    algorithm = _ALGORITHMS.get(deployment.dispatch, "dynamic") if redundant else "dynamic"
    line = words(*ranks, *nodes, *experts, "--ep-dispatch-algorithm", algorithm)
    return StartLine((line,), f"add to the command of the engine (checked for {_CHECKED})", notes)


ENGINE = Engine(
    "SGLang",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    suffixes=(".json", ".pt"),
    numbering="decoder",
    no_draft_layers="a plan of SGLang ends with the last decoder layer of the model",
    servings=_SERVINGS,
    ships_eplb=True,
)


def _axes(counts: Any) -> int:
    """Axes of what has been read as loads."""
    return 1 + _axes(counts[0]) if np.ndim(counts[0]) else 1


def _over_ranks(ranks: Loads, layout: Any, axes: int) -> Recording:
    """One step, the sum of what each rank counted."""
    if layout != _RANKS:
        raise FileFormatError(f"{ranks.source} has {_LAYOUT} {reprlib.repr(layout)}; known layouts: {_RANKS}")
    if axes != 3:
        raise FileFormatError(f"{ranks.source} has {_LAYOUT} {_RANKS!r}, and {_COUNTS} has {axes} axes")
    return Recording.of(Windowing().sums(ranks.values, ranks.source), ranks.source, every_decoder_layer=True)


def _with_tokens(steps: Loads) -> Recording:
    """The steps that have a token."""
    return Recording.of(steps.values[steps.loaded.any(axis=1)], steps.source, every_decoder_layer=True)


def _labelled(steps: Loads, layer_ids: Any) -> Recording:
    """The rows of the given layers."""
    with naming(steps.source):
        if not isinstance(layer_ids, list) or not layer_ids:
            raise InvalidLoadsError(f"{_LAYERS} is no list of layers")
        ids = increasing_ids(layer_ids, len(layer_ids), InvalidLoadsError)
        if ids[-1] >= steps.num_layers:
            raise InvalidLoadsError(f"{_LAYERS} names layer {ids[-1]}, and rows end at {steps.num_layers - 1}")
    values = steps.values[:, list(ids)]
    return Recording.of(values, steps.source, ids, steps.num_layers)
