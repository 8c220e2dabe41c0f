"""A saved plan is handed out as it is, and one for something else is refused with a sentence."""

import json
import logging

import numpy as np
import pytest
import torch

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, InvalidArgumentError
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_plan
from eplb_opt.plan import Plan
from eplb_opt.plugins import sglang
from eplb_opt.plugins.saved import PLAN
from eplb_opt.plugins.sglang import deepseek_rebalance_experts, patch, plug_in, rebalance_experts
from eplb_opt.solve import solve
from tests.plugins import stand_ins
from tests.plugins.stand_ins import EplbAlgorithm
from tests.test_drop_in import check_tensors

WHERE = Deployment(4, 40, 2)
LOADS = generate_loads(num_experts=32, num_layers=3, skew=1.0, tokens=10_000).values[0]
# Five decoder layers, of which the first two are dense.
RECORDED = torch.from_numpy(np.concatenate([np.zeros((2, 32), dtype=np.int64), LOADS]))


def rows():
    return Plan(solve(LOADS, WHERE, method="lpt").plan.physical_to_logical, WHERE, 32, (2, 3, 4), 5)


def ask(tokens=RECORDED, slots=40, local=10, algorithm=EplbAlgorithm.deepseek, nodes=2):
    return rebalance_experts(tokens, slots, local, 8, nodes, algorithm)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A function that saves a plan and names its file to the plug-in."""

    def save(plan, name="plan.json", engine="native"):
        write_plan(plan, tmp_path / name, engine)
        monkeypatch.setenv(PLAN, str(tmp_path / name))
        return tmp_path / name

    return save


@pytest.mark.parametrize("tokens", [RECORDED, RECORDED.flip(1), RECORDED * 0, RECORDED[None].repeat(3, 1, 1)])
def test_the_plan_is_the_answer_to_all_loads_and_layers_that_it_lacks_get_an_even_one(saved, tokens):
    saved(rows())
    for algorithm in ("deepseek", "deepseek_vec", "deepseek_hierarchical"):
        answer = ask(tokens, algorithm=algorithm)
        width = int(answer[2].max())
        check_tensors((answer[0], answer[1][:, :, :width], answer[2]), 5, 32, 40)
        assert answer[0][2:].tolist() == rows().physical_to_logical.tolist()
        assert (answer[2][:2].max(), answer[2][:2].min()) == (2, 1)
        assert (answer[1][:, :, width:] == -1).all()
    leaf = deepseek_rebalance_experts(RECORDED, 40, 8, 2, 4, False)
    assert leaf[0][2:].tolist() == answer[0][2:].tolist()


@pytest.mark.parametrize(("engine", "name"), [("sglang", "map.json"), ("sglang", "map.pt"), ("trtllm", "map.yaml")])
def test_files_of_engines_that_count_decoder_layers_are_taken(saved, engine, name):
    saved(rows(), name, engine)
    assert ask()[0][2:].tolist() == rows().physical_to_logical.tolist()


def test_a_solution_is_taken(tmp_path, monkeypatch):
    solution = solve(LOADS, WHERE, method="lpt")
    solution.save(tmp_path / "solution.json")
    monkeypatch.setenv(PLAN, str(tmp_path / "solution.json"))
    assert ask(RECORDED[2:])[0].tolist() == solution.plan.physical_to_logical.tolist()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"slots": 48, "local": 12}, "is a plan for 40 slots, redundant experts included, and the engine asks for 48"),
        ({"tokens": RECORDED[:, :24]}, "is a plan for 32 experts, and the engine asks for 24"),
        ({"local": 20, "nodes": 1}, "is a plan for 4 GPUs, and the engine asks for 2"),
        ({"tokens": RECORDED[1:]}, "is a plan for 5 decoder layers, those without experts included, and the engine as"),
    ],
)
def test_a_plan_for_something_else_is_refused(saved, asked, words):
    path = saved(rows())
    with pytest.raises(EplbOptError, match=words) as caught:
        ask(**asked)
    assert str(caught.value).startswith(f"{PLAN}={path} is a plan for ") and "\n" not in str(caught.value)


def test_a_map_that_does_not_say_its_gpus_fits_any(saved):
    saved(rows(), engine="sglang")
    assert ask(local=20, nodes=1)[0][2:].tolist() == rows().physical_to_logical.tolist()


def write(path, content):
    path.write_text(content)
    return path


NATIVE = {"format": "eplb_opt.plan", "version": 1}
WRONG = {
    "missing": (lambda path: path, "plan.json does not exist"),
    "folder": (lambda path: path.mkdir() or path, "not a plan of a known engine"),
    "damaged": (lambda path: write(path, '{"physical_to'), "is not valid JSON"),
    "a recording": (lambda path: write(path, json.dumps({"logical_count": LOADS.tolist()})), "it reads as loads"),
    "an expert without a replica": (
        lambda path: write(path, json.dumps({"physical_to_logical_map": [[0, 0, 2]]})),
        "expert 1 has no replica",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_plan_is_refused_when_the_plug_in_is_put_in(monkeypatch, tmp_path, what):
    engine = stand_ins.install(monkeypatch, stand_ins.sglang())["sglang.srt.eplb.eplb_algorithms"]
    make, words = WRONG[what]
    path = make(tmp_path / "plan.json")
    monkeypatch.setenv(PLAN, str(path))
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        patch()
    assert str(caught.value).startswith(f"{PLAN}={path}: ") and "\n" not in str(caught.value)
    with pytest.raises(SystemExit, match=words):
        plug_in()
    assert not hasattr(engine.rebalance_experts, "of_eplb_opt")


def test_an_empty_name_and_layers_that_nobody_knows_are_refused(monkeypatch, saved):
    stand_ins.install(monkeypatch, stand_ins.sglang())
    monkeypatch.setenv(PLAN, "")
    with pytest.raises(InvalidArgumentError, match="it names no file; unset it, or name a plan"):
        patch()
    saved(Plan(rows().physical_to_logical, WHERE, 32, numbering="moe"))
    with pytest.raises(InvalidArgumentError, match=r"counts MoE layers from 0 \(0-2\), and decoder layers are wanted"):
        patch()


def test_nothing_is_compiled_for_a_saved_plan_and_the_log_says_what_is_handed_out(monkeypatch, saved, caplog):
    stand_ins.install(monkeypatch, stand_ins.sglang())
    monkeypatch.setattr(sglang.KERNELS, "begin", lambda: pytest.fail("compiled code is loaded"))
    path = saved(rows())
    with caplog.at_level(logging.INFO, "eplb_opt"):
        patch()
        ask()
    worth = solve(LOADS, WHERE, method="lpt")
    top, mean = sum(float(one.max_load) for one in worth.layers), sum(float(one.mean_load) for one in worth.layers)
    assert [record.getMessage() for record in caplog.records if "plan of" in record.getMessage()] == [
        f"SGLang is given the plan of {path}",
        f"the plan of {path}: imbalance {top / mean:.4f} on 3 layers with load",
    ]
