"""Whatever bytes a reader meets, it answers or raises an `EplbOptError` of one line."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError
from eplb_opt.io.content import parse_content
from eplb_opt.io.engines import parse_plan
from eplb_opt.io.load_files import parse_recording
from eplb_opt.io.native import format_plan, format_solution, parse_solution
from eplb_opt.io.recording import stack
from eplb_opt.io.sglang import format_plan as format_sglang
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution
from tests.io.containers import npy, npz, saved
from tests.io.test_native import SOLUTION

PLAN = Plan(np.array([[0, 1, 2, 0], [2, 1, 0, 2]]), Deployment(2, 4), 3, (1, 2), 4)
COUNTS = [[[0, 0, 0], [1, 2, 3]], [[0, 0, 0], [4, 5, 6]]]
TENSOR = torch.tensor(COUNTS)


def loads_of(data):
    return stack([parse_recording(parse_content(data, "x.csv"))], 1)


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
    "csv": (loads_of, b"layer_id,0,1\n3,1,2\n5,3.5,4\n", Loads),
    "sglang plan": (plan_of, format_sglang(PLAN).encode(), Plan),
    "native plan": (plan_of, format_plan(PLAN).encode(), Plan),
    "native solution": (solution_of, format_solution(SOLUTION).encode(), Solution),
}


def answers(reader, data, kind):
    try:
        assert isinstance(reader(data), kind)
    except EplbOptError as error:
        assert "\n" not in str(error)
        assert str(error)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
def test_the_whole_file_is_read(reader, data, kind):
    assert isinstance(reader(data), kind)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
def test_a_truncated_file_is_answered(reader, data, kind):
    for end in range(0, len(data), max(1, len(data) // 200)):
        answers(reader, data[:end], kind)


@pytest.mark.parametrize(("reader", "data", "kind"), READERS.values(), ids=READERS)
@settings(max_examples=200)
@given(edits=st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=3)), min_size=1, max_size=3))
def test_a_file_with_other_bytes_is_answered(reader, data, kind, edits):
    for place, patch in edits:
        place %= len(data)
        data = data[:place] + patch + data[place + len(patch) :] if patch else data[:place] + data[place + 1 :]
    answers(reader, data, kind)


@pytest.mark.parametrize("reader", [loads_of, plan_of, solution_of])
@settings(max_examples=100)
@given(data=st.binary(max_size=40))
def test_any_bytes_are_answered(reader, data):
    for start in (b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"{", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."):
        answers(reader, start + data, object)


@pytest.mark.parametrize("key", ["logical_count", "physical_to_logical_map"])
@settings(max_examples=100)
@given(
    name=st.none() | st.text(max_size=3),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=12,
    ),
)
def test_any_json_value_is_answered(key, name, value):
    data = json.dumps({key: value} if name is None else {key: value, name: 1}).encode()
    answers(loads_of, data, object)
    answers(plan_of, data, object)
