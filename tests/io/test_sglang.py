import json

import numpy as np
import pytest
import torch
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, FileFormatError, InvalidArgumentError, InvalidLoadsError, InvalidPlanError
from eplb_opt.io import read_loads
from eplb_opt.io.content import Content, parse_content
from eplb_opt.io.engines import write_plan
from eplb_opt.io.mappings import Given
from eplb_opt.io.recording import stack
from eplb_opt.io.sglang import format_loads, format_plan, holds_loads, holds_plan, parse_loads, parse_plan
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from tests.io.containers import saved
from tests.io.nouns import loads

STAT = {
    "rank": 0,
    "average_utilization_rate_over_window": None,
    "logical_count": [[[0, 0, 0, 0], [5, 1, 0, 2]], [[0, 0, 0, 0], [4, 2, 1, 1]]],
}


def as_json(value):
    return parse_content(json.dumps(value).encode(), "x.json")


def mapping(*rows):
    return as_json({"physical_to_logical_map": rows})


def one_line(info):
    assert "\n" not in str(info.value)
    assert str(info.value).startswith("x.json")


@pytest.mark.parametrize("content", [as_json(STAT), as_json({"logical_count": STAT["logical_count"][0]})])
def test_rows_without_a_token_are_dropped_and_the_others_keep_their_decoder_layer(content):
    recorded = stack([parse_loads(content)], windows=1)
    assert recorded.layer_ids == (1,)
    assert recorded.num_model_layers == 2
    assert recorded.values.dtype == np.int64


def test_dumps_of_the_recorder_are_read_like_json():
    dump = saved({**STAT, "logical_count": torch.tensor(STAT["logical_count"], dtype=torch.int32)})
    content = parse_content(dump, "x.pt")
    assert holds_loads(content)
    assert parse_loads(content).steps == parse_loads(as_json(STAT)).steps


def test_places_of_the_recorders_buffer_without_a_pass_are_no_steps(tmp_path):
    path, empty = tmp_path / "decode.pt", [[0] * 4] * 2
    first, second = STAT["logical_count"]
    torch.save({**STAT, "logical_count": torch.tensor([empty, first, empty, second, empty, empty])}, path)
    assert read_loads(path, windows=2) == Loads([[[5, 1, 0, 2]], [[4, 2, 1, 1]]], (1,))
    assert read_loads(path, window_length=2) == Loads([[[9, 3, 1, 3]]], (1,))
    # Windows of other files are what they say.
    path.write_text(json.dumps({"logical_count": [first, empty]}))
    assert read_loads(path, windows=2) == Loads([[[5, 1, 0, 2]], [[0, 0, 0, 0]]], (1,))


def test_a_per_pass_dump_is_refused_with_its_keys():
    dump = parse_content(saved({"records": [], "last_physical_to_logical_map": torch.ones(1, 2)}), "x.json")
    with pytest.raises(FileFormatError, match=r"keys 'records', 'last_.* has the key 'logical_count'") as info:
        parse_loads(dump)
    one_line(info)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ([[1, -1]], "load -1 at window 0, layer row 0, expert 1"),
        ([[[5, 5]], [[-1, 1]]], "load -1 at window 1"),
        ([[1, 2], [3]], "ragged"),
        ([["a", "b"]], "not numbers"),
        ([[None, 1]], "not numbers"),
        ([[[[1]]]], "shape"),
        (7, "shape"),
        ({}, "not numbers"),
        ([[]], "empty"),
        ([[0, 0], [0, 0]], "no token"),
        ([[2**64]], r"is 2\*\*53 tokens or more"),
    ],
)
def test_counts_that_are_no_loads_are_refused_by_file_and_place(counts, says):
    with pytest.raises(InvalidLoadsError, match=says) as info:
        parse_loads(as_json({"logical_count": counts}))
    one_line(info)


@given(loads())
def test_loads_written_for_sglang_read_back_exactly(written):
    content = parse_content(format_loads(written, "x.json").encode(), "x.json")
    back = stack([parse_loads(content)], written.num_windows)
    assert back == written
    assert back.values.dtype == written.values.dtype


def test_one_window_is_written_as_a_table_and_nothing_else():
    written = Loads([[1, 2]], (1,), num_model_layers=3)
    assert json.loads(format_loads(written, "x.json")) == {"logical_count": [[0, 0], [1, 2], [0, 0]]}


def test_a_layer_without_tokens_is_told_from_a_layer_without_experts():
    written = Loads([[0, 0], [1, 2]], (1, 2))
    text = format_loads(written, "x.json")
    assert json.loads(text)["layer_ids"] == [1, 2]
    assert stack([parse_loads(parse_content(text.encode(), "x.json"))], 1) == written


@pytest.mark.parametrize("layer_ids", [[], "1", [2], [1, 1], [-1], [0.5]])
def test_layer_ids_that_name_no_rows_are_refused(layer_ids):
    with pytest.raises(InvalidLoadsError) as info:
        parse_loads(as_json({"logical_count": [[0, 0], [1, 2]], "layer_ids": layer_ids}))
    one_line(info)


def test_a_plan_has_every_decoder_layer_and_no_other_key():
    plan = Plan(np.array([[3, 2, 1, 0, 3, 2]]), Deployment(2, 6), num_experts=4, layer_ids=(1,), num_model_layers=3)
    trivial = [0, 1, 2, 3, 0, 1]
    assert json.loads(format_plan(plan, "x.json")) == {
        "physical_to_logical_map": [trivial, [3, 2, 1, 0, 3, 2], trivial]
    }


def test_without_a_deployment_only_rules_without_topology_hold():
    plan = parse_plan(mapping([0, 0, 1], [1, 0, 0]), Given())
    assert plan.deployment == Deployment(1, 3, distinct=False)
    assert plan.num_experts == 2
    assert plan.layer_ids == (0, 1)
    assert plan.num_model_layers == 2


def test_given_layers_are_selected_and_the_model_keeps_its_size():
    plan = parse_plan(mapping([0, 1], [1, 0], [0, 1]), Given(layer_ids=(1,)))
    assert plan.layer_ids == (1,)
    assert plan.num_model_layers == 3


@pytest.mark.parametrize(
    ("content", "known", "says"),
    [
        (mapping([0, 1], [0]), Given(), "layer row 1 has 1 slots, layer row 0 has 2"),
        (mapping([0, 1], [0, 1.0]), Given(), r"layer row 1, slot 1 holds 1\.0, not an expert id"),
        (mapping([0, True]), Given(), "slot 1 holds True"),
        (mapping([0, None]), Given(), "slot 1 holds None"),
        (mapping([0, "1"]), Given(), "slot 1 holds '1'"),
        (mapping([0, 10**30]), Given(), "slot 1 holds 1000"),
        (mapping([0, 10**12]), Given(), "slot 1 holds expert 1000000000000, but 2 slots cannot hold"),
        (mapping([0, 1], 5), Given(), "layer row 1 is 5, not a list"),
        (mapping([]), Given(), "layer row 0 is "),
        (mapping(), Given(), "not one row of expert ids per layer"),
        (as_json({"physical_to_logical_map": None}), Given(), "holds None"),
        (mapping([0, 1]), Given(num_experts=3), "2 slots, too few for num_experts=3"),
        (mapping([0, 1]), Given(Deployment(1, 4)), "has 2 slots, the deployment num_slots=4"),
        (mapping([0, 1]), Given(num_model_layers=2), "has 1 rows, the model 2 decoder layers"),
        (mapping([0, 1]), Given(layer_ids=(0, 1)), "has no layer 1"),
        (mapping([0, 1], [0, 1]), Given(layer_ids=(1, 0)), "not increasing"),
        (mapping([0, 1]), Given(layer_ids=()), "shape"),
    ],
)
def test_rows_that_are_no_plan_are_refused_by_name(content, known, says):
    with pytest.raises(InvalidPlanError, match=says) as info:
        parse_plan(content, known)
    one_line(info)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"logical_count": [[1]]}, "keys 'logical_count'; a plan of SGLang has the key 'physical_to_logical_map'"),
        ({"physical_to_logical_map": [[0]], "note": 1}, "other keys .* SGLang refuses: 'note'"),
        ([[0, 1]], r"json \(list\)"),
    ],
)
def test_files_that_sglang_would_refuse_are_refused(value, says):
    with pytest.raises(FileFormatError, match=says) as info:
        parse_plan(as_json(value), Given())
    one_line(info)


def test_plans_and_recordings_are_told_apart():
    assert holds_plan(mapping([0]))
    assert not holds_loads(mapping([0]))
    assert not holds_plan(as_json(STAT))


@pytest.mark.parametrize("name", ["plan.txt", "plan", "plan.JSON", "plan.json.bak"])
def test_a_name_that_sglang_takes_for_inline_json_is_refused(tmp_path, name):
    plan = Plan(np.array([[0, 1]]), Deployment(1, 2), 2)
    with pytest.raises(FileFormatError, match=r"does not end in \.json or \.pt"):
        write_plan(plan, tmp_path / name, "sglang")
    assert not list(tmp_path.iterdir())


def test_huge_ids_do_not_take_memory():
    with pytest.raises(EplbOptError):
        parse_plan(Content("x.json", "json", {"physical_to_logical_map": [[2**62]]}), Given())


def test_counts_of_source_ranks_are_one_step(tmp_path):
    counts = [[[0, 0], [1, 2]], [[0, 0], [30, 40]]]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"logical_count": counts, "logical_count_layout": "rank_layer_expert"}))
    assert read_loads(path) == Loads([[31, 42]], (1,))
    with pytest.raises(InvalidArgumentError, match="2"):
        read_loads(path, windows=2)
    torch.save({"logical_count": torch.tensor(counts), "logical_count_layout": "rank_layer_expert"}, tmp_path / "a.pt")
    assert read_loads(tmp_path / "a.pt") == Loads([[31, 42]], (1,))
    path.write_text(json.dumps({"logical_count": counts[0], "logical_count_layout": "rank_layer_expert"}))
    with pytest.raises(FileFormatError, match="logical_count_layout 'rank_layer_expert', and logical_count has 2 axes"):
        read_loads(path)
    path.write_text(json.dumps({"logical_count": counts, "logical_count_layout": "step_rank_layer_expert"}))
    with pytest.raises(
        FileFormatError, match="logical_count_layout 'step_rank_layer_expert'; known layouts: rank_layer"
    ):
        read_loads(path)
