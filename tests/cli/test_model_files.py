"""--model with a path: a model that nobody knows has its layers from its config.json."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import sentence_of

CONFIG = {
    "num_hidden_layers": 6,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "n_routed_experts": 16,
    "num_experts_per_tok": 2,
    "n_group": 4,
    "topk_group": 2,
}
SHAPE = ["--gpus", 8, "--slots", 24, "--nodes", 2, "--method", "greedy"]


@pytest.fixture
def config(run):
    Path("config.json").write_text(json.dumps(CONFIG))
    return "config.json"


def test_a_configuration_labels_recordings_and_plans(run, config):
    assert run("generate", "-o", "counts.npz", "--model", config)[0] == 0
    code, out, _ = run("inspect", "counts.npz", "--model", config)
    assert code == 0 and "config.json" in out
    code, out, err = run("solve", "counts.npz", *SHAPE, "--model", config, "-o", "plan.json")
    assert code == 0, err
    assert "hierarchical: 2 of 4 groups" in out
    assert run("convert", "plan.json", "--to", "vllm", "-o", "plan.jsonl", "--model", config)[0] == 0
    assert run("verify", "plan.jsonl", "--for", "vllm", "--gpus", 8, "--nodes", 2, "--model", config)[0] == 0


def test_a_recording_of_another_model_is_refused_with_the_path(run, recording, config):
    Path(config).write_text(json.dumps(CONFIG | {"n_routed_experts": 32}))
    said = sentence_of(run("solve", recording, *SHAPE, "--model", config))
    assert said.endswith("the recording has 16 experts, config.json has 32")


def test_what_is_wrong_with_a_configuration_is_one_sentence(run, recording, config):
    Path(config).write_text(json.dumps(CONFIG | {"num_hidden_layers": None}))
    said = sentence_of(run("solve", recording, *SHAPE, "--model", config))
    assert said.endswith("config.json has no key 'num_hidden_layers'")
    assert "other.json does not exist" in sentence_of(run("solve", recording, *SHAPE, "--model", "other.json"))


@pytest.mark.parametrize(
    "command",
    [
        ["solve", "loads.json", *SHAPE, "-o", "config.json"],
        ["report", "loads.json", "--gpus", 8, "--redundant", 8, "-o", "page.html", "--save", "config.json"],
        ["convert", "loads.json", "--to", "native", "-o", "config.json"],
        ["generate", "-o", "./config.json"],
    ],
)
def test_a_configuration_is_not_written_over(run, recording, config, command):
    before = Path(config).read_text()
    assert "is given twice" in sentence_of(run(*command, "--model", config))
    assert Path(config).read_text() == before
