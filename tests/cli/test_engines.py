"""From a recording to the file of every engine, checked as that engine reads it."""

import json
from pathlib import Path

import numpy as np
import pytest

from eplb_opt.io import read_plan
from eplb_opt.io.engines import start_line
from eplb_opt.model import Model
from eplb_opt.models import MODELS

SMALL = Model("small", 6, (2, 3, 4, 5), 16, 2, num_groups=4, num_draft_layers=1)
FILES = {"sglang": "e.json", "vllm": "e.jsonl", "trtllm": "e.yaml", "ascend": "e.json", "deepseek": "e.npz"}


@pytest.fixture
def recording(run, monkeypatch):
    """A recording of decoder layers 2-5 of six, and a model of that shape."""
    monkeypatch.setitem(MODELS, "small", SMALL)
    counts = np.random.default_rng(0).integers(1, 1000, (6, 16))
    counts[:2] = 0
    Path("loads.json").write_text(json.dumps({"logical_count": counts.tolist()}))
    return "loads.json"


@pytest.fixture
def plan(run, recording):
    options = ["--gpus", 8, "--slots", 24, "--nodes", 2, "--model", "small", "--method", "greedy", "-o", "plan.json"]
    code, out, _ = run("solve", recording, *options)
    assert code == 0
    assert "policy hierarchical: 2 of 4 groups on each of 2 nodes" in out
    return "plan.json"


@pytest.mark.parametrize("engine", FILES)
def test_a_plan_converts_verifies_and_comes_back(run, plan, engine):
    file = FILES[engine]
    topology = ["--gpus", 8, "--nodes", 2, "--model", "small"]
    code, out, _ = run("convert", plan, "--to", engine, "-o", file)
    assert code == 0
    assert f"{file}: layers 2-5 of plan.json for {engine}" in out
    code, out, _ = run("verify", file, "loads.json", "--for", engine, *topology)
    assert (code, out.splitlines()[0]) == (0, f"{file}: valid; layers 2-5, 16 experts in 24 slots on 8 GPUs")
    start = start_line(engine, file, read_plan(plan)).script
    assert out.endswith("".join(f"  {line}\n" for line in start.splitlines()))
    assert run("convert", file, "--to", "native", "-o", "back.json", *topology)[0] == 0
    assert read_plan("back.json") == read_plan(plan)


def test_a_file_for_another_engine_is_told_how_to_convert(run, plan):
    run("convert", plan, "--to", "sglang", "-o", "e.json")
    code, out, _ = run("verify", "e.json", "--for", "vllm")
    assert code == 1
    assert out.splitlines() == [
        "e.json: not valid for vLLM",
        "  it is a plan for SGLang, not for vLLM: eplb-opt convert e.json --to vllm",
    ]
    code, out, _ = run("verify", plan, "--for", "trtllm")
    assert (code, out.splitlines()[1]) == (
        1,
        "  plan.json does not end in .yaml or .yml, by which TensorRT-LLM knows the file",
    )


def damaged(name, change):
    value = json.loads(Path(name).read_text())
    change(value)
    Path(name).write_text(json.dumps(value))


DAMAGE = {
    "an expert that is lost": (
        lambda rows: rows[3].__setitem__(slice(None), [0] * 24),
        "layer 3: expert 1 has no replica",
    ),
    "a row too few": (lambda rows: rows.pop(), "e.json has 5 rows, the model 6 decoder layers"),
    "an expert twice on a GPU": (lambda rows: rows[2].__setitem__(0, rows[2][1]), "layer 2: GPU 0 holds expert"),
    "an id out of range": (lambda rows: rows[2].__setitem__(0, 16), "layer 2: slot 0 holds expert 16, ids end at 15"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_what_sglang_forgets_to_check_is_found(run, plan, case):
    change, says = DAMAGE[case]
    run("convert", plan, "--to", "sglang", "-o", "e.json")
    damaged("e.json", lambda value: change(value["physical_to_logical_map"]))
    code, out, _ = run("verify", "e.json", "--for", "sglang", "--gpus", 8, "--nodes", 2, "--model", "small")
    assert code == 1
    assert says in out


def test_a_key_that_sglang_refuses_is_a_violation_and_a_missing_file_wrong_usage(run, plan):
    run("convert", plan, "--to", "sglang", "-o", "e.json")
    damaged("e.json", lambda value: value.update(note=1))
    code, out, _ = run("verify", "e.json", "--for", "sglang")
    assert code == 1
    assert "other keys than 'physical_to_logical_map', which SGLang refuses: 'note'" in out
    assert run("verify", "e.json")[0] == 2
    assert run("verify", "absent.json", "--for", "sglang")[0] == 2


def test_a_layer_of_the_model_without_a_row_is_a_violation(run, plan):
    run("convert", plan, "--to", "trtllm", "-o", "e.yaml")
    lines = Path("e.yaml").read_text().splitlines(keepends=True)
    Path("e.yaml").write_text("".join(line for line in lines if not line.startswith("  4:")))
    code, out, _ = run("verify", "e.yaml", "--for", "trtllm", "--model", "small")
    assert (code, out.splitlines()[1]) == (1, "  layer 4 of small has experts and no row")


def test_draft_layers_are_for_tensorrt_llm(run, plan):
    assert run("convert", plan, "--to", "trtllm", "-o", "e.yaml", "--draft-layers", 1)[0] == 0
    assert run("verify", "e.yaml", "--for", "trtllm", "--model", "small")[0] == 0
    assert run("convert", "e.yaml", "--to", "sglang", "-o", "e.json", "--model", "small")[0] == 0
    assert run("verify", "e.json", "--for", "sglang", "--model", "small")[0] == 0
    run("convert", "e.yaml", "--to", "sglang", "-o", "e.json")
    code, out, _ = run("verify", "e.json", "--for", "sglang", "--model", "small")
    assert (code, out.splitlines()[1]) == (1, "  e.json has 7 rows, the model 6 decoder layers")


def test_which_decoder_layers_rows_are_is_asked_and_not_assumed(run, recording):
    np.save("loads.npy", np.random.default_rng(0).integers(1, 1000, (4, 16)))
    options = ["--gpus", 8, "--slots", 24, "--method", "greedy"]
    code, out, err = run("solve", "loads.npy", *options, "-o", "e.json", "--engine", "sglang")
    assert (code, out) == (2, "")
    assert "counts MoE layers from 0 (0-3), and decoder layers are wanted" in err
    assert run("solve", "loads.npy", *options, "-o", "e.json", "--engine", "sglang", "--model", "small")[0] == 0
    assert run("verify", "e.json", recording, "--for", "sglang", "--gpus", 8)[0] == 0
    assert run("solve", "loads.npy", *options, "-o", "p.json")[0] == 0
    assert run("convert", "p.json", "--to", "sglang", "-o", "f.json")[0] == 2
    assert run("convert", "p.json", "--to", "sglang", "-o", "f.json", "--layer-ids", "2-5")[0] == 0
    assert Path("e.json").read_text() == Path("f.json").read_text()
    assert run("verify", "p.json", recording)[0] == 0


def test_inspect_warns_where_recording_and_model_disagree(run, recording):
    assert "warning" not in run("inspect", recording, "--model", "small")[1]
    assert (
        "warning: the recording has 16 experts, kimi-k2 has 384" in run("inspect", recording, "--model", "kimi-k2")[1]
    )
    code, out, _ = run("inspect", recording, "--model", "kimi-k2", "--json")
    assert (code, json.loads(out)["model"]) == (0, "kimi-k2")
    code, _, err = run("solve", recording, "--gpus", 8, "--model", "kimi-k2")
    assert (code, "the recording has 16 experts, kimi-k2 has 384" in err) == (2, True)


def test_contradictions_of_options_are_sentences(run, plan):
    assert "contradict each other" in run("verify", plan, "--for", "vllm", "--engine", "sglang")[2]
    assert "--for='triton' is not one of native, sglang" in run("verify", plan, "--for", "triton")[2]
    both = ["--model", "small", "--layer-ids", "2-5"]
    assert "say the same thing" in run("convert", plan, "--to", "vllm", "-o", "e.jsonl", *both)[2]
