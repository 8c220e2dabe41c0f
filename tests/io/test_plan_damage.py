"""Whatever the bytes of an engine's file, its reader gives a valid plan or an `EplbOptError` of one line."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError
from eplb_opt.io.content import parse_content
from eplb_opt.io.engines import parse_plan
from eplb_opt.io.mappings import Given
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan
from eplb_opt.verify import verify
from tests.examples import examples
from tests.io.test_round_trips import FILES

PLAN = Plan(np.array([[0, 1, 2, 0], [2, 1, 0, 2]]), Deployment(2, 4), 3)
TOLD = [Given(), Given(PLAN.deployment, 3), Given(PLAN.deployment, 3, (0, 1), 2), Given(layer_ids=(1, 2))]


def bytes_of(engine, name):
    data = ENGINES[engine].format(PLAN, name)
    return data.encode() if isinstance(data, str) else data


def answers(engine, name, data):
    for given_ in TOLD:
        for asked in ("auto", engine):
            try:
                plan = parse_plan(parse_content(data, name), asked, given_)
            except EplbOptError as error:
                assert str(error)
                assert "\n" not in str(error)
                assert len(str(error)) < 400
            else:
                assert verify(plan) == []


@pytest.mark.parametrize(("engine", "name"), FILES)
def test_the_whole_file_is_read(engine, name):
    assert parse_plan(parse_content(bytes_of(engine, name), name), engine, TOLD[2]) == PLAN


@pytest.mark.parametrize(("engine", "name"), FILES)
def test_a_truncated_file_is_answered(engine, name):
    data = bytes_of(engine, name)
    for end in range(0, len(data), max(1, len(data) // 60)):
        answers(engine, name, data[:end])


@pytest.mark.parametrize(("engine", "name"), FILES)
@examples(30)
@given(edits=st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=3)), min_size=1, max_size=3))
def test_a_file_with_other_bytes_is_answered(engine, name, edits):
    data = bytes_of(engine, name)
    for place, patch in edits:
        place %= len(data)
        data = data[:place] + patch + data[place + len(patch) :] if patch else data[:place] + data[place + 1 :]
    answers(engine, name, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=12,
)
KEYS = {
    "vllm": ["version", "num_redundant_experts", "num_slots", "initial_global_assignments"],
    "ascend": ["moe_layer_count", "layer_list"],
}


@pytest.mark.parametrize("engine", KEYS)
@examples(30)
@given(data=st.data(), value=JSON)
def test_any_value_of_a_key_is_answered(engine, data, value):
    content = json.loads(bytes_of(engine, "x.json"))
    content[data.draw(st.sampled_from(KEYS[engine]))] = value
    answers(engine, "x.json", json.dumps(content).encode())


@examples(75)
@given(text=st.text(alphabet="-:{}[]&*!|>'\"#%@ \n\t0123ab~<", max_size=60))
def test_any_yaml_is_answered(text):
    answers("trtllm", "x.yaml", f"num_slots: 4\ninitial_global_assignments: {text}\n".encode())
    answers("trtllm", "x.yaml", f"initial_global_assignments:\n  0: [0, 1, 2, 0]\nnum_slots: {text}\n".encode())
