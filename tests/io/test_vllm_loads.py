import json

import numpy as np
import pytest

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError, InvalidPlanError
from eplb_opt.io.content import parse_content
from eplb_opt.io.recording import stack
from eplb_opt.io.vllm import holds_loads, holds_plan, parse_loads
from eplb_opt.loads import Loads
from tests.io.recordings import META, lines, stats

IDENTITY = [[0, 1, 2, 3], [0, 1, 2, 3]]
FIRST = stats([[10, 1, 5, 2], [2, 8, 1, 3]], IDENTITY, step=1)
SECOND = stats([[1, 1, 1, 1], [2, 2, 2, 2]], IDENTITY, step=2)


def content_of(*records):
    return parse_content(lines(*records), "x.jsonl")


def recorded(*records, windows=1):
    return stack([parse_loads(content_of(*records))], windows)


def snapshots(*steps, **facts):
    return parse_content(json.dumps({"snapshots": steps} | facts).encode(), "x.json")


def snapshot(step, **loads):
    return {"step": step, "physical_to_logical_map": [[0, 1, 0], [1, 0, 1]]} | loads


def test_every_record_is_a_step_of_moe_layers_counted_from_0():
    values = [[[10, 1, 5, 2], [2, 8, 1, 3]], [[1, 1, 1, 1], [2, 2, 2, 2]]]
    assert recorded(META, FIRST, SECOND, windows=2) == Loads(values, numbering="moe")
    assert recorded(META, FIRST, SECOND) == Loads(np.sum(values, axis=0), numbering="moe")


def test_replicas_are_summed_and_slots_without_an_expert_left_out():
    # Slots 0 and 2 hold expert 1, slot 4 none: 3 + 5 for expert 1, 4 and 6 for the others, and 9 for nobody.
    assert recorded(stats([[3, 4, 5, 6, 9]], [[1, 0, 1, 2, -1]])).values.tolist() == [[[4, 8, 6]]]


def test_every_record_has_its_own_map():
    moved = stats([[7, 8]], [[1, 0]], step=2)
    assert recorded(stats([[7, 8]], [[0, 1]]), moved, windows=2).values.tolist() == [[[7, 8]], [[8, 7]]]


def test_markers_and_fields_of_other_versions_are_left_out():
    session = {"record_type": "session_metadata", "argv": ["vllm", "serve"]}
    run = {"record_type": "bench_run_start", "run_index": 0, "label": "warm"}
    older = {**FIRST, "num_ranks": 2, "num_layers": 2, "tokens": [[11, 7], [10, 4]]}
    assert recorded(session, META, run, older, run, SECOND) == recorded(META, FIRST, SECOND)
    assert recorded(older, SECOND) == recorded(META, FIRST, SECOND)


def test_one_record_alone_is_read():
    content = parse_content(lines(FIRST), "x.json")
    assert (content.kind, holds_loads(content)) == ("json", True)
    assert stack([parse_loads(content)]) == recorded(META, FIRST)


def test_a_last_line_without_its_end_is_read_if_it_is_complete():
    content = parse_content(lines(META, FIRST).rstrip(b"\n"), "x.jsonl")
    assert stack([parse_loads(content)]) == recorded(META, FIRST)


@pytest.mark.parametrize("lost", [1, 2, 10, 60])
def test_a_recorder_that_was_stopped_leaves_one_sentence(lost):
    content = parse_content(lines(META, FIRST, SECOND)[:-lost], "x.jsonl")
    if lost == 1:
        assert stack([parse_loads(content)]) == recorded(META, FIRST, SECOND)
        return
    with pytest.raises(FileFormatError, match=r"^x\.jsonl line 3 is cut off.*; remove this last line"):
        stack([parse_loads(content)])


def changed(**fields):
    return {**FIRST, **fields}


BAD = {
    "second meta": ([META, META, FIRST], FileFormatError, "line 2 is eplb_load_meta, which comes once and first"),
    "late meta": ([FIRST, META], FileFormatError, "line 2 is eplb_load_meta, which .* behind eplb_load_stats"),
    "unknown type": ([META, {"record_type": "heat"}], FileFormatError, "line 2 has the unknown record_type 'heat'"),
    "plan": ([META, {"record_type": "eplb_initial_mapping"}], FileFormatError, "unknown record_type 'eplb_initial_"),
    "number as type": ([META, {"record_type": 1}], FileFormatError, "line 2: 'record_type' is 1, not str"),
    "no type": ([META, {"step": 1}], FileFormatError, "line 2 has no key 'record_type'"),
    "no object": ([META, [1]], FileFormatError, "line 2 is .*, not an object"),
    "later version": ([META, changed(version=2)], FileFormatError, "line 2 is version 2; known versions: 1"),
    "meta alone": ([META, META | {"record_type": "bench_run_start"}], InvalidLoadsError, "holds no recorded step"),
    "other layers": ([META | {"num_layers": 3}, FIRST], FileFormatError, "with a row for each of 3 layers"),
    "no layers": ([META | {"num_layers": 0}, FIRST], FileFormatError, "with a row for each of 0 layers"),
    "no map": ([META, {**FIRST, "p2l_map": None}], FileFormatError, "line 2: 'p2l_map' is None, not list"),
    "narrow map": ([META, changed(p2l_map=[[0, 1], [0, 1]])], InvalidLoadsError, r"line 2: loads have shape \(2, 4\)"),
    "ragged map": ([META, changed(p2l_map=[[0, 1], [0]])], InvalidPlanError, "is not a row of expert ids"),
    "float map": ([META, changed(p2l_map=[[0, 1, 2, 3.0]] * 2)], InvalidPlanError, "is not a row of expert ids"),
    "huge map": ([META, changed(p2l_map=[[0, 1, 2, 10**15]] * 2)], InvalidPlanError, "holds expert 1000000000000000"),
    "low map": ([META, changed(p2l_map=[[0, 1, 2, -2]] * 2)], InvalidPlanError, "holds expert -2"),
    "empty map": ([META, changed(p2l_map=[])], InvalidPlanError, "is not a row of expert ids"),
    "no slot": ([META, changed(p2l_map=[[0, 1, 2, 3], [0, 1, 1, 3]])], InvalidPlanError, "no slot for expert 2 in lay"),
    "unused": ([META, changed(p2l_map=[[-1] * 4] * 2)], InvalidLoadsError, "empty"),
    "negative": ([META, changed(expert_load=[[1, 1, -1, 1]] * 2)], InvalidLoadsError, "line 2, .*: load -1 at"),
    "ragged": ([META, changed(expert_load=[[1, 1], [1]])], InvalidLoadsError, "line 2, .* ragged"),
    "steps": ([META, changed(expert_load=[[[1] * 4] * 2] * 2)], FileFormatError, "is no table of slots"),
    "too many": ([META, changed(expert_load=[[2**62] * 4] * 2)], InvalidLoadsError, r"is 2\*\*53 tokens or more"),
    "other experts": (
        [FIRST, stats([[1, 1, 1, 1]] * 2, [[0, 1, 2, 0]] * 2)],
        InvalidLoadsError,
        r"x\.jsonl line 1 has 4 experts, x\.jsonl line 2 has 3",
    ),
    "zeros": ([META, changed(expert_load=[[0] * 4] * 2)], InvalidLoadsError, "no token was recorded"),
}


@pytest.mark.parametrize(("records", "error", "says"), BAD.values(), ids=BAD)
def test_records_that_are_no_load_stats_are_refused_by_line(records, error, says):
    with pytest.raises(error, match=says) as info:
        recorded(*records)
    assert str(info.value).startswith("x.jsonl")
    assert "\n" not in str(info.value)


def test_nan_is_no_load():
    content = parse_content(lines(META) + lines(FIRST).replace(b"10,", b"NaN,"), "x.jsonl")
    with pytest.raises(FileFormatError, match=r"x\.jsonl line 2 .*holds NaN|x\.jsonl line 2 holds NaN"):
        stack([parse_loads(content)])


def test_recordings_and_plans_are_told_apart():
    plan = {"record_type": "eplb_initial_mapping", "version": 1}
    for content in (parse_content(lines(plan), "x.json"), content_of(plan, plan)):
        assert not holds_loads(content)
        with pytest.raises(FileFormatError, match="a recording of vLLM has 'record_type' or 'snapshots'"):
            parse_loads(content)
    assert not holds_plan(content_of(META, FIRST))
    assert not holds_plan(parse_content(lines(FIRST), "x.json"))


def test_every_snapshot_is_a_step_and_its_window_is_read():
    content = snapshots(
        snapshot(100, window_expert_load=[[1, 2, 3], [4, 5, 6]], latest_expert_load=[[0, 0, 1], [0, 0, 1]]),
        snapshot(200, window_expert_load=[[10, 20, 30], [40, 50, 60]]),
        world_size=3,
        num_moe_layers=2,
        num_physical_experts=3,
        num_logical_experts=2,
        num_redundant_experts=1,
        window_size=100,
    )
    # Layer 0 holds expert 0 in slots 0 and 2, layer 1 in slot 1.
    values = [[[1 + 3, 2], [5, 4 + 6]], [[10 + 30, 20], [50, 40 + 60]]]
    assert stack([parse_loads(content)], 2) == Loads(values, numbering="moe")


def test_snapshots_without_windows_are_read_by_their_last_step():
    content = snapshots(snapshot(100, latest_expert_load=[[1, 2, 3], [4, 5, 6]]))
    assert stack([parse_loads(content)]).values.tolist() == [[[4, 2], [5, 10]]]


WINDOW = {"window_expert_load": [[1, 2, 3], [4, 5, 6]]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (snapshots(snapshot(1, **WINDOW), snapshot(1, **WINDOW)), "'snapshots' 1 is for step 1, which has one already"),
        (snapshots(snapshot(1, **WINDOW), snapshot(2)), "'snapshots' 1 has no key 'window_expert_load'"),
        (snapshots(snapshot(1)), "'snapshots' 0 has no key 'latest_expert_load'"),
        (snapshots({"step": 1, **WINDOW}), "has no key 'physical_to_logical_map'"),
        (snapshots(snapshot("1", **WINDOW)), "'step' is '1', not int"),
        (snapshots(snapshot(1, **WINDOW), num_moe_layers=3), "with a row for each of 3 layers"),
        (snapshots(snapshot(1, **WINDOW), num_logical_experts=3), "has 2 experts, not num_logical_experts=3"),
        (snapshots(3), "'snapshots' 0 is 3, not an object"),
        (snapshots(), "holds no recorded step"),
        (parse_content(b'{"snapshots": {}}', "x.json"), "'snapshots' is {}, not list"),
    ],
)
def test_snapshots_that_are_none_are_refused_by_place(content, says):
    with pytest.raises(EplbOptError, match=says) as info:
        stack([parse_loads(content)])
    assert str(info.value).startswith("x.json")
    assert "\n" not in str(info.value)
