"""Plans through the files of every engine and back: nothing is lost that is told again, layers keep their numbers."""

import json
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidPlanError
from eplb_opt.io import read_plan, write_plan
from eplb_opt.io.content import parse_content
from eplb_opt.io.engines import parse_plan, relabelled, violations_for
from eplb_opt.io.mappings import Given
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan
from tests.io.nouns import plans

FILES = [
    ("native", "x.json"),
    ("sglang", "x.json"),
    ("sglang", "x.pt"),
    ("vllm", "x.jsonl"),
    ("trtllm", "x.yaml"),
    ("ascend", "x.json"),
    ("deepseek", "x.pt"),
    ("deepseek", "x.npz"),
]
COUNTING = [("vllm", "x.jsonl"), ("ascend", "x.json")]
# A model of seven layers, experts in 1, 3 and 5, and a plan for two of them.
WHOLE = Plan(np.array([[0, 1, 2, 0], [1, 2, 0, 1], [2, 1, 0, 2]]), Deployment(2, 4), 3, (1, 3, 5), 7)
PART = WHOLE.select([1, 5])


def content_of(plan, engine, name):
    data = ENGINES[engine].format(plan, name)
    return parse_content(data.encode() if isinstance(data, str) else data, name)


def given_of(plan):
    return Given(plan.deployment, plan.num_experts, plan.layer_ids, plan.num_model_layers)


@pytest.mark.parametrize(("engine", "name"), FILES)
@given(plan=plans())
def test_a_plan_reads_back_exactly_with_what_the_file_does_not_say(engine, name, plan):
    assume(not violations_for(plan, engine))
    content = content_of(plan, engine, name)
    assert parse_plan(content, "auto", given_of(plan)) == plan
    assert parse_plan(content, engine, given_of(plan)) == plan


@pytest.mark.parametrize(("engine", "name"), FILES)
@given(plan=plans(), part=st.booleans(), counted=st.booleans(), drafts=st.integers(0, 2))
def test_what_is_written_is_what_was_read_back_and_nothing_else_is_written(engine, name, plan, part, counted, drafts):
    assume(not violations_for(plan, engine))
    if part:
        plan = replace(plan.select(plan.layer_ids[-1:]), moe_layer_ids=plan.layer_ids)
    if counted and ENGINES[engine].numbering != "decoder":
        plan = Plan(plan.physical_to_logical, plan.deployment, plan.num_experts, numbering="moe")
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        if drafts and engine != "trtllm":
            with pytest.raises(InvalidArgumentError, match=f"draft_layers={drafts}, but .*: leave it out"):
                write_plan(plan, path, engine, draft_layers=drafts)
            assert not path.exists()
            return
        write_plan(plan, path, engine, draft_layers=drafts)
        ids = plan.layer_ids if plan.numbering == "decoder" else None
        if ENGINES[engine].numbering == "moe" and ids:
            ids = plan.labels.moe_layer_ids
        layers = None if ids is None else plan.num_model_layers
        back = read_plan(path, engine, plan.deployment, plan.num_experts, ids, layers).select(plan.layer_ids)
        assert back.physical_to_logical.tolist() == plan.physical_to_logical.tolist()
        if drafts:
            rows = content_of(plan.with_draft_layers(drafts), engine, name).value
            assert rows == path.read_text()


@pytest.mark.parametrize(("engine", "name"), FILES)
@given(plan=plans())
def test_a_plan_that_counts_moe_layers_reads_back_or_asks_which_they_are(engine, name, plan):
    assume(not violations_for(plan, engine))
    counted = Plan(plan.physical_to_logical, plan.deployment, plan.num_experts, numbering="moe")
    told = Given(plan.deployment, plan.num_experts)
    if ENGINES[engine].numbering == "decoder":
        with pytest.raises(InvalidPlanError, match=r"counts MoE layers from 0 .* decoder layers are wanted"):
            content_of(counted, engine, name)
    else:
        assert parse_plan(content_of(counted, engine, name), engine, told) == counted


@pytest.mark.parametrize(("engine", "name"), [file for file in FILES if file[0] not in ("native", "deepseek")])
def test_layers_of_the_model_that_are_not_planned_get_their_experts_in_order(engine, name):
    told = Given(WHOLE.deployment, 3, WHOLE.layer_ids, 7)
    filled = parse_plan(content_of(PART, engine, name), engine, told)
    assert filled.layer_ids == (1, 3, 5)
    assert filled.physical_to_logical.tolist() == [[0, 1, 2, 0], [0, 1, 2, 0], [2, 1, 0, 2]]


@pytest.mark.parametrize(("engine", "name"), COUNTING)
def test_engines_that_count_moe_layers_get_the_place_among_them(engine, name):
    counted = parse_plan(content_of(WHOLE, engine, name), engine, Given(WHOLE.deployment))
    assert counted.numbering == "moe"
    assert counted.layer_ids == (0, 1, 2)
    assert counted.numbered_as(WHOLE.labels) == WHOLE
    assert WHOLE.numbered_as(counted.labels) == counted


@pytest.mark.parametrize(("engine", "name"), COUNTING)
def test_layer_ids_that_are_not_as_many_as_moe_layers_are_refused_with_both_numberings(engine, name):
    with pytest.raises(InvalidPlanError, match=r"counts MoE layers from 0 \(0-2\), .* 2 decoder layers 3-4"):
        parse_plan(content_of(WHOLE, engine, name), engine, Given(layer_ids=(3, 4)))


def test_a_file_of_sglang_does_not_say_which_layers_have_experts():
    read = parse_plan(content_of(WHOLE, "sglang", "x.json"), "sglang", Given(WHOLE.deployment))
    assert read.moe_layer_ids is None
    with pytest.raises(InvalidPlanError, match=r"counts decoder layers \(0-6\), and MoE layers are wanted"):
        content_of(read, "vllm", "x.jsonl")
    assert relabelled(read, (1, 3, 5)) == replace(WHOLE, num_model_layers=7)


def test_a_draft_layer_gets_the_last_row_and_is_left_out_where_the_model_is_told():
    content = content_of(WHOLE.with_draft_layers(1), "trtllm", "x.yaml")
    rows = yaml.safe_load(content.value)["initial_global_assignments"]
    assert rows == {1: [0, 1, 2, 0], 3: [1, 2, 0, 1], 5: [2, 1, 0, 2], 7: [2, 1, 0, 2]}
    assert parse_plan(content, "trtllm", Given(WHOLE.deployment, num_model_layers=7)) == WHOLE
    assert parse_plan(content, "trtllm", Given(WHOLE.deployment)).layer_ids == (1, 3, 5, 7)


def test_the_file_for_vllm_is_one_record_of_the_documented_keys():
    text = ENGINES["vllm"].format(Plan(np.array([[0, 1, 2, 0], [1, 2, 0, 1]]), Deployment(2, 4), 3), "x")
    assert text.count("\n") == 1
    assert json.loads(text) == {
        "record_type": "eplb_initial_mapping",
        "version": 1,
        "num_redundant_experts": 1,
        "num_slots": 4,
        "initial_global_assignments": {"0": [0, 1, 2, 0], "1": [1, 2, 0, 1]},
    }


def test_the_file_for_tensorrt_llm_has_its_three_keys():
    content = content_of(WHOLE, "trtllm", "x.yaml")
    assert yaml.safe_load(content.value) == {
        "num_slots": 4,
        "layer_updates_per_iter": 0,
        "initial_global_assignments": {1: [0, 1, 2, 0], 3: [1, 2, 0, 1], 5: [2, 1, 0, 2]},
    }


def test_the_file_for_ascend_lists_devices():
    content = content_of(Plan(np.array([[0, 1, 2, 0]]), Deployment(2, 4), 3), "ascend", "x.json")
    devices = [{"device_id": 0, "device_expert": [0, 1]}, {"device_id": 1, "device_expert": [2, 0]}]
    layer = {"layer_id": 0, "device_count": 2, "device_list": devices}
    assert content.value == {"moe_layer_count": 1, "layer_list": [layer]}


def test_the_file_for_deepseek_holds_the_tensors_of_the_interface():
    tensors = content_of(WHOLE, "deepseek", "x.pt").value
    for name, tensor in zip(("phy2log", "log2phy", "logcnt"), WHOLE.to_torch(), strict=True):
        assert torch.equal(tensors[name], tensor)


def test_ascend_refuses_an_expert_twice_on_a_device():
    doubled = Plan(np.array([[0, 0, 1, 2]]), Deployment(2, 4, distinct=False), 3)
    assert violations_for(doubled, "ascend") == ("layer 0: device 0 holds expert 0 more than once",)
    assert violations_for(doubled, "sglang") == ()


def test_vllm_has_room_for_a_fixed_number_of_redundant_experts():
    rows = np.arange(1028)[np.newaxis] % 4
    plan = Plan(rows, Deployment(257, 1028), 4)
    assert violations_for(plan, "vllm") == ("1024 redundant experts are more than the 1023 that vLLM takes",)


def changed(engine, change, name="x.json"):
    """The content of a written plan after `change` of its parsed value."""
    content = content_of(WHOLE, engine, name)
    value = yaml.safe_load(content.value) if engine == "trtllm" else content.value
    change(value)
    text = yaml.safe_dump(value) if engine == "trtllm" else json.dumps(value)
    return parse_content(text.encode(), name)


ROWS = "initial_global_assignments"
DAMAGE = {
    "vllm unknown key": ("vllm", lambda v: v.update(note=1), "keys that vLLM does not know: 'note'"),
    "vllm version": ("vllm", lambda v: v.update(version=2), "version 2 .* known versions: 1"),
    "vllm slots": ("vllm", lambda v: v.update(num_slots=5), "num_slots=5, and its rows have 4"),
    "vllm redundant": ("vllm", lambda v: v.update(num_redundant_experts=4), "num_redundant_experts=4 of 4 slots"),
    "vllm experts": ("vllm", lambda v: v.update(num_redundant_experts=2), "2 experts, not num_experts=3"),
    "vllm missing layer": ("vllm", lambda v: v[ROWS].pop("1"), "no row for MoE layer 1"),
    "vllm odd layer": ("vllm", lambda v: v[ROWS].update({"01": [0, 1, 2, 0]}), "two rows for layer 1"),
    "vllm no layer": ("vllm", lambda v: v[ROWS].clear(), "has no layer"),
    "vllm word": ("vllm", lambda v: v[ROWS].update(a=[0]), "a row for 'a'"),
    "vllm expert lost": ("vllm", lambda v: v[ROWS].update({"0": [0, 1, 1, 0]}), "expert 2 has no replica"),
    "trtllm unknown key": ("trtllm", lambda v: v.update(ep_size=8), "keys that TensorRT-LLM refuses: 'ep_size'"),
    "trtllm slots": ("trtllm", lambda v: v.update(num_slots=8), "num_slots=8, and its rows have 4"),
    "trtllm updates": ("trtllm", lambda v: v.update(layer_updates_per_iter=-1), "less than 0"),
    "trtllm ragged": ("trtllm", lambda v: v[ROWS].update({3: [0, 1, 2]}), "has 3 slots, layer row 0 has 4"),
    "trtllm range": ("trtllm", lambda v: v[ROWS].update({3: [0, 1, 2, 3]}), "holds expert 3, ids end at 2"),
    "ascend count": ("ascend", lambda v: v.update(moe_layer_count=9), "moe_layer_count=9, and has 3 layers"),
    "ascend order": ("ascend", lambda v: v["layer_list"].reverse(), "layer_id 2, and vLLM-Ascend reads places"),
    "ascend devices": (
        "ascend",
        lambda v: v["layer_list"][1].update(device_count=3),
        "device_count=3, and has 2 devices",
    ),
    "ascend device": (
        "ascend",
        lambda v: v["layer_list"][1]["device_list"].reverse(),
        "device_id 1, not its place 0",
    ),
    "ascend widths": (
        "ascend",
        lambda v: v["layer_list"][2]["device_list"][1].update(device_expert=[0]),
        "layer row 1 has 1 slots, layer row 0 has 2",
    ),
    "ascend doubled": (
        "ascend",
        lambda v: v["layer_list"][0]["device_list"][0].update(device_expert=[0, 0]),
        "holds expert 0 more than once|expert 1 has no replica",
    ),
    "sglang key": ("sglang", lambda v: v.update(note=1), "SGLang refuses: 'note'"),
}


@pytest.mark.parametrize(("engine", "change", "says"), DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_its_engine_would_refuse_or_misread_is_refused(engine, change, says):
    with pytest.raises((FileFormatError, InvalidPlanError)) as info:
        parse_plan(changed(engine, change), engine, Given(num_experts=3))
    sentences = (str(info.value), *getattr(info.value, "violations", ()))
    assert any(re.search(says, sentence) for sentence in sentences), sentences
    assert "\n" not in str(info.value)


def test_a_yaml_key_that_is_there_twice_is_refused():
    text = "num_slots: 2\ninitial_global_assignments:\n  3: [0, 1]\n  3: [1, 0]\n"
    with pytest.raises(FileFormatError, match="has the key 3 twice"):
        parse_plan(parse_content(text.encode(), "x.yaml"), "trtllm")
    with pytest.raises(FileFormatError, match="is not valid YAML"):
        parse_plan(parse_content(b"initial_global_assignments:\n  3: [0, 1\n", "x.yaml"), "trtllm")


TENSORS = {
    "counts": ({"logcnt": torch.tensor([[2, 1, 1], [1, 2, 1], [1, 2, 1]])}, "logcnt gives expert 1 2 replicas"),
    "replicas": ({"log2phy": torch.zeros(3, 3, 2, dtype=torch.int64)}, "place expert 0 differently"),
    "narrow": ({"log2phy": torch.zeros(3, 3, 1, dtype=torch.int64)}, "log2phy is 1 wide"),
    "shape": ({"logcnt": torch.ones(3, dtype=torch.int64)}, "logcnt has shape"),
    "floats": ({"logcnt": torch.ones(3, 3)}, "logcnt is no tensor of integers"),
    "other": ({"weights": torch.ones(3)}, "more than the tensors of DeepSeek's EPLB: 'weights'"),
}


@pytest.mark.parametrize(("change", "says"), TENSORS.values(), ids=TENSORS)
def test_tensors_that_contradict_each_other_are_refused(change, says):
    content = content_of(WHOLE, "deepseek", "x.pt")
    with pytest.raises((FileFormatError, InvalidPlanError), match=says):
        parse_plan(replace(content, value=content.value | change), "deepseek")


@given(st.permutations(range(2)))
def test_the_order_of_replicas_in_log2phy_does_not_matter(order):
    content = content_of(WHOLE, "deepseek", "x.pt")
    shuffled = content.value["log2phy"][:, :, list(order)]
    assert (
        parse_plan(replace(content, value=content.value | {"log2phy": shuffled}), "deepseek", given_of(WHOLE)) == WHOLE
    )
