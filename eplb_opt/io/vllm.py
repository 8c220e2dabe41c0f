"""vLLM: recordings of its expert loads, and the plan of ``initial_mapping_path``, one JSON line.

vLLM counts MoE layers from 0. Both are files of vLLM's offline EPLB (pull request 41141); releases without it take
plans through `eplb_opt.plugins.vllm`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from eplb_opt.errors import FileFormatError, InvalidPlanError
from eplb_opt.full_table import full_table
from eplb_opt.io.content import Content, list_names
from eplb_opt.io.engine import Engine, Serving
from eplb_opt.io.folding import fold, slot_map
from eplb_opt.io.mappings import Given, make_plan, numbered_rows, parse_mapping
from eplb_opt.io.record import Record
from eplb_opt.io.recording import Recording, block_of
from eplb_opt.io.start import StartLine, dispatch_notes, vllm_notes, vllm_ranks, words
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

_PLAN_TYPE = "eplb_initial_mapping"
_VERSION = 1
_KEYS = ("record_type", "version", "num_redundant_experts", "num_slots", "initial_global_assignments")
# vLLM's table of replicas has a fixed width.
_MOST_REDUNDANT = 1023
_WHERE = (
    "releases (vLLM 0.33.0 and before) take a plan only through the plug-in, eplb_opt/plugins/vllm.md, and refuse "
    "initial_mapping_path; to the command of a vLLM built with pull request 41141 add"
)
_META, _STATS = "eplb_load_meta", "eplb_load_stats"
# What benchmark scripts write between the records of vLLM.
_MARKERS = ("session_metadata", "bench_run_start")
_SNAPSHOTS, _WINDOW, _LATEST = "snapshots", "window_expert_load", "latest_expert_load"


def holds_plan(content: Content) -> bool:
    """Whether this is a plan: one JSON record of the type ``eplb_initial_mapping``."""
    return content.kind == "json" and content.has_key("record_type") and content.value["record_type"] == _PLAN_TYPE


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of ``initial_global_assignments``, a row per MoE layer from 0.

    Given layer ids say which decoder layers the rows are. The number of experts is that of the file.

    Raises
    ------
    FileFormatError
        Another record, an unknown version or key, or numbers that contradict the rows.
    InvalidPlanError
        Rows that are no mapping, a MoE layer without a row, or what contradicts what was given.
    """
    name = content.name
    if not holds_plan(content):
        raise FileFormatError(f"{name} is {content}; a plan of vLLM has 'record_type': '{_PLAN_TYPE}'")
    record = Record(name, content.value)
    version = record.get("version", int)
    if version != _VERSION:
        raise FileFormatError(f"{name} is version {version} of {_PLAN_TYPE}; known versions: {_VERSION}")
    others = [key for key in content.value if key not in _KEYS]
    if others:
        raise FileFormatError(f"{name} has keys that vLLM does not know: {list_names(others)}")
    layers, rows = numbered_rows(record.get("initial_global_assignments", dict), name)
    if layers != tuple(range(len(layers))):
        raise InvalidPlanError(f"{name} has no row for MoE layer {min(set(range(len(layers))) - set(layers))}")
    mapping = parse_mapping(rows, name)
    slots, redundant = (record.get(key, int) for key in ("num_slots", "num_redundant_experts"))
    if slots != mapping.shape[1]:
        raise FileFormatError(f"{name} says num_slots={slots}, and its rows have {mapping.shape[1]} slots")
    if not 0 <= redundant < slots:
        raise FileFormatError(f"{name} says num_redundant_experts={redundant} of {slots} slots")
    experts = slots - redundant
    if given.num_experts not in (None, experts):
        raise InvalidPlanError(
            f"{name} has {slots} slots, {redundant} of them redundant, so {experts} experts, "
            f"not num_experts={given.num_experts}"
        )
    return make_plan(mapping, given.deployment, experts, name, **given.labels(len(rows), name))


def format_plan(plan: Plan, name: str) -> str:
    """One JSON line of the type ``eplb_initial_mapping``, with a row per MoE layer of the model."""
    table = full_table(plan, "moe")
    record = {
        "record_type": _PLAN_TYPE,
        "version": _VERSION,
        "num_redundant_experts": plan.deployment.num_slots - plan.num_experts,
        "num_slots": plan.deployment.num_slots,
        "initial_global_assignments": {str(layer): row for layer, row in enumerate(table.tolist())},
    }
    return json.dumps(record) + "\n"


def demands(plan: Plan) -> Iterator[str]:
    """What vLLM asks of a plan beyond the rules of placement."""
    redundant = plan.deployment.num_slots - plan.num_experts
    if redundant > _MOST_REDUNDANT:
        yield f"{redundant} redundant experts are more than the {_MOST_REDUNDANT} that vLLM takes"


def start_line(path: str, plan: Plan) -> StartLine:
    """What starts a vLLM with offline EPLB with the file; no release is one."""
    deployment = plan.deployment
    config = {"num_redundant_experts": deployment.num_slots - plan.num_experts, "initial_mapping_path": path}
    line = words(*vllm_ranks(deployment), "--enable-eplb", "--eplb-config", json.dumps(config))
    return StartLine((line,), _WHERE, (*vllm_notes(deployment), *dispatch_notes(plan, "vLLM", "even")))


ENGINE = Engine(
    "vLLM",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    numbering="moe",
    no_draft_layers="a plan of vLLM ends with the last MoE layer of the model",
    servings=(Serving("even"),),
    ships_eplb=True,
)


def holds_loads(content: Content) -> bool:
    """Whether this is a recording: JSON lines with ``record_type`` that are no plan, or JSON with ``snapshots``."""
    if content.kind == "json lines":
        first = content.value.first
        return isinstance(first, dict) and "record_type" in first and first["record_type"] != _PLAN_TYPE
    if content.kind != "json":
        return False
    known = (_META, _STATS, *_MARKERS)
    return content.has_key(_SNAPSHOTS) or (content.has_key("record_type") and content.value["record_type"] in known)


def parse_loads(content: Content) -> Recording:
    """Recording of load stats, a step per record, or of snapshots, a step per snapshot.

    Counts of slots are summed over the replicas of each expert by the record's own map. In load stats,
    ``eplb_load_meta`` comes before the first record and once, if at all, and markers of benchmark scripts are left
    out. Of snapshots, ``window_expert_load`` is taken, which sums up the steps before it; ``latest_expert_load`` where
    there is none. The map is the one of when the snapshot was made: if the engine moved experts within the window,
    counts of before that are attributed to wrong experts.

    Raises
    ------
    FileFormatError
        Another file, or a snapshot of a step that has one. Records of an unknown type or version, a second
        ``eplb_load_meta`` and the like are found when the steps are read.
    """
    if not holds_loads(content):
        raise FileFormatError(f"{content.name} is {content}; a recording of vLLM has 'record_type' or {_SNAPSHOTS!r}")
    if not content.has_key(_SNAPSHOTS):
        return Recording(content.name, _LoadStats(content))
    return Recording(content.name, list(_snapshots(Record(content.name, content.value))))


@dataclass(frozen=True)
class _LoadStats:
    """The steps of load stats, read anew whenever they are gone through."""

    content: Content

    def __iter__(self) -> Iterator[Loads]:
        name, lines = self.content.name, self.content.value
        layers: int | None = None
        before: str | None = None
        for number, value in [(1, lines)] if self.content.kind == "json" else lines:
            record = Record(f"{name} line {number}", value)
            kind = record.get("record_type", str)
            if kind in _MARKERS:
                continue
            if kind not in (_META, _STATS):
                raise FileFormatError(f"{record.name} has the unknown record_type {kind[:40]!r}")
            if "version" in value and record.get("version", int) != _VERSION:
                raise FileFormatError(f"{record.name} is version {value['version']}; known versions: {_VERSION}")
            if kind == _META and before is not None:
                raise FileFormatError(f"{record.name} is {_META}, which comes once and first, behind {before}")
            if "num_layers" in value:
                layers = record.get("num_layers", int)
            if kind == _STATS:
                yield _logical(record, "expert_load", "p2l_map", layers)
            before = kind


def _snapshots(file: Record) -> Iterator[Loads]:
    """The steps of snapshots; several of one step, which more than one rank has written, are a `FileFormatError`."""
    layers = file.get("num_moe_layers", int) if "num_moe_layers" in file.values else None
    snapshots = file.records(_SNAPSHOTS)
    key = _WINDOW if any(_WINDOW in snapshot.values for snapshot in snapshots) else _LATEST
    seen: set[int] = set()
    for snapshot in snapshots:
        if (step := snapshot.get("step", int)) in seen:
            raise FileFormatError(f"{snapshot.name} is for step {step}, which has one already")
        seen.add(step)
        loads = _logical(snapshot, key, "physical_to_logical_map", layers)
        if "num_logical_experts" in file.values and file.get("num_logical_experts", int) != loads.num_experts:
            raise FileFormatError(
                f"{snapshot.name} has {loads.num_experts} experts, not "
                f"num_logical_experts={file.values['num_logical_experts']}"
            )
        yield loads


def _logical(record: Record, loads: str, mapping: str, layers: int | None) -> Loads:
    """One step: loads of slots under a key, by the map under another, as loads of experts."""
    where = f"{record.name}, {loads!r}"
    counts = block_of(record.get(loads, list), where)
    if counts.num_windows > 1 or layers not in (None, counts.num_layers):
        rows = "its" if layers is None else layers
        raise FileFormatError(f"{where} is no table of slots with a row for each of {rows} layers")
    experts = fold(counts.values[0], slot_map(record.get(mapping, list), f"{record.name}, {mapping!r}"), record.name)
    return block_of(experts, record.name, numbering="moe")
