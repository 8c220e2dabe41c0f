"""Whatever bytes a reader meets, it answers or raises an `EplbOptError` of one line."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError
from eplb_opt.io import read_loads
from eplb_opt.io.arrays import format_npz
from eplb_opt.io.content import parse_content
from eplb_opt.io.engines import parse_plan
from eplb_opt.io.load_files import parse_recording
from eplb_opt.io.native import format_plan, parse_solution
from eplb_opt.io.recording import stack
from eplb_opt.io.sglang import format_plan as format_sglang
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution, format_solution
from tests.examples import examples
from tests.io.containers import npy, npz, saved
from tests.io.recordings import META, history, lines, passes_of, rank_file, stats
from tests.io.test_native import SOLUTION

PLAN = Plan(np.array([[0, 1, 2, 0], [2, 1, 0, 2]]), Deployment(2, 4), 3, (1, 2), 4)
COUNTS = [[[0, 0, 0], [1, 2, 3]], [[0, 0, 0], [4, 5, 6]]]
TENSOR = torch.tensor(COUNTS)
MAP = [[0, 1, 0], [1, 0, -1]]
SNAPSHOTS = [{"step": step, "window_expert_load": [[1, 2, 3]] * 2, "physical_to_logical_map": MAP} for step in (1, 2)]
RANK = save({"7_1": np.array([1, 2, 3]), "7_2": np.array([4, 5, 6]), "8_1": np.ones(3, int), "8_2": np.ones(3, int)})
STATISTIC = {"meta_info.json": b'{"num_experts": 3}', "rank0.safetensors": RANK, "rank1.safetensors": RANK}
PASSES = {
    rank_file(rank): saved(passes_of(rank, {7: [[1, 2, 3]] * 2, 8: [[0, 0, rank]] * 2}, MAP)) for rank in range(2)
}


def loads_of(data):
    return stack([parse_recording(parse_content(data, "x.csv"))], 1)


def folder_with(name, others):
    """Reader of a folder in which one file has the data and the others are whole."""

    def loads_of_folder(data):
        with tempfile.TemporaryDirectory() as folder:
            for other, whole in {**others, name: data}.items():
                (Path(folder) / other).write_bytes(whole)
            return read_loads(folder)

    return loads_of_folder


def plan_of(data):
    return parse_plan(parse_content(data, "x.json"))


def solution_of(data):
    return parse_solution(parse_content(data, "x.json"))


READERS = {
    "sglang json": (loads_of, json.dumps({"rank": 0, "logical_count": COUNTS}).encode(), Loads),
    "sglang pt": (loads_of, saved({"rank": 0, "logical_count": TENSOR}), Loads),
    "tensor": (loads_of, saved(TENSOR), Loads),
    "legacy tensor": (loads_of, saved(TENSOR, _use_new_zipfile_serialization=False), Loads),
    "npy": (loads_of, npy(np.array(COUNTS)), Loads),
    "npy float": (loads_of, npy(np.array(COUNTS, dtype=np.float32)), Loads),
    "npz": (loads_of, npz(loads=COUNTS, layer_ids=[3, 4], num_model_layers=6), Loads),
    "labelled npz": (loads_of, format_npz(Loads([[1, 2]], (1,), "", 4, "decoder", (1, 3)), "x.npz"), Loads),
    "csv": (loads_of, b"layer_id,0,1\n3,1,2\n5,3.5,4\n", Loads),
    "csv without ids": (loads_of, b"e0,e1\n1,2\n3.5,4\n", Loads),
    "vllm load stats": (loads_of, lines(META, stats([[1, 2, 3], [4, 5, 6]], MAP), stats([[1, 0, 0]] * 2, MAP)), Loads),
    "vllm snapshots": (loads_of, json.dumps({"snapshots": SNAPSHOTS, "num_moe_layers": 2}).encode(), Loads),
    "load history": (loads_of, history([[1, 2], [3, 4]], [[5, 6], [7, 8.5]]), Loads),
    "trtllm rank": (folder_with("rank1.safetensors", STATISTIC), STATISTIC["rank1.safetensors"], Loads),
    "trtllm meta": (folder_with("meta_info.json", STATISTIC), STATISTIC["meta_info.json"], Loads),
    "sglang per pass": (folder_with(rank_file(1), PASSES), PASSES[rank_file(1)], Loads),
    "sglang plan": (plan_of, format_sglang(PLAN, "x.json").encode(), Plan),
    "native plan": (plan_of, format_plan(PLAN, "x.json").encode(), Plan),
    "native solution": (solution_of, format_solution(SOLUTION).encode(), Solution),
}


def answers(reader, data, kind):
    try:
        assert isinstance(reader(data), kind)
    except EplbOptError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
        assert str(error)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
def test_the_whole_file_is_read(reader, data, kind):
    assert isinstance(reader(data), kind)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
def test_a_truncated_file_is_answered(reader, data, kind):
    for end in range(0, len(data), max(1, len(data) // 200)):
        answers(reader, data[:end], kind)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
@examples(30)
@given(edits=st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=3)), min_size=1, max_size=3))
def test_a_file_with_other_bytes_is_answered(reader, data, kind, edits):
    for place, patch in edits:
        place %= len(data)
        data = data[:place] + patch + data[place + len(patch) :] if patch else data[:place] + data[place + 1 :]
    answers(reader, data, kind)


@pytest.mark.parametrize("reader", [loads_of, plan_of, solution_of])
@examples(50)
@given(data=st.binary(max_size=40))
def test_any_bytes_are_answered(reader, data):
    for start in (b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"{", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."):
        answers(reader, start + data, object)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=12,
)


@pytest.mark.parametrize("key", ["logical_count", "physical_to_logical_map", "load_history", "snapshots"])
@examples(25)
@given(name=st.none() | st.text(max_size=3), value=VALUES)
def test_any_json_value_is_answered(key, name, value):
    data = json.dumps({key: value} if name is None else {key: value, name: 1}).encode()
    answers(loads_of, data, object)
    answers(plan_of, data, object)


@examples(30)
@given(loads=VALUES, mapping=VALUES, key=st.sampled_from(["version", "num_layers", "step", "more"]), value=VALUES)
def test_any_value_of_a_record_is_answered(loads, mapping, key, value):
    for record in (stats(loads, MAP), stats([[1, 2, 3]] * 2, mapping), stats([[1, 2, 3]] * 2, MAP) | {key: value}):
        answers(loads_of, lines(META, record), Loads)
        answers(loads_of, json.dumps({"snapshots": [{**record, "window_expert_load": loads}]}).encode(), Loads)
        answers(loads_of, json.dumps({"load_history": [{"logical_expert_load": loads}, record]}).encode(), Loads)
