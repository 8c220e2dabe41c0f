"""TimeModel: the published formula and constants, constants from a file, and what is refused."""

import json

import numpy as np
import pytest

import eplb_opt
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.step import Step
from eplb_opt.time_model import PRESETS, TimeModel

MODEL = TimeModel(per_replica=10.0, per_token=0.5, streaming=3.0, computing=20.0)


def test_the_slower_of_streaming_and_computing_decides():
    active, tokens = np.array([0.0, 2.0, 9.0]), np.array([0.0, 10.0, 10.0])
    assert MODEL.microseconds(active, tokens).tolist() == [20.0, 25.0, 93.0]


@pytest.mark.parametrize(
    ("name", "tokens"),
    [("deepseek-v3-fp8", 156), ("qwen3-30b", 161), ("deepseek-v2-lite", 168), ("deepseek-v3-bf16", 331)],
)
def test_presets_meet_at_the_tokens_per_replica_that_are_published(name, tokens):
    model = eplb_opt.TimeModel.preset(name)
    # Constants are published with three digits.
    assert model.per_replica / model.per_token == pytest.approx(tokens, rel=0.01)
    assert "2608.13057" in model.source


def test_constants_come_from_a_file(tmp_path):
    path = tmp_path / "ours.json"
    path.write_text(json.dumps({"per_replica": 3, "per_token": 0.25, "experts_per_token": 4, "share_of_step": 0.4}))
    model = TimeModel.of(path)
    assert (model.per_replica, model.per_token, model.experts_per_token, model.share_of_step) == (3, 0.25, 4, 0.4)
    assert model.source == str(path)
    assert TimeModel.of("qwen3-30b") is PRESETS["qwen3-30b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "is not an object with per_replica and per_token"),
        ('{"per_replica": 1}', "lacks per_token"),
        ('{"per_replica": 1, "per_tokens": 1}', "'per_tokens' is not one of per_replica, per_token"),
        ('{"per_replica": 1', "ours.json"),
    ],
)
def test_files_that_are_no_constants_are_refused(tmp_path, content, words):
    path = tmp_path / "ours.json"
    path.write_text(content)
    with pytest.raises(FileFormatError, match=words):
        TimeModel.of(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"per_replica": -1}, "per_replica=-1 is not a number of microseconds"),
        ({"per_token": float("nan")}, "per_token=nan is not a finite number"),
        ({"per_token": "fast"}, "per_token='fast' is not a finite number"),
        ({"per_replica": 0, "per_token": 0}, "takes no time"),
        ({"share_of_step": 1.5}, "share_of_step=1.5 is not in"),
        ({"experts_per_token": 0}, "experts_per_token=0"),
    ],
)
def test_constants_that_are_none_are_refused(changes, words):
    with pytest.raises(InvalidArgumentError, match=words):
        TimeModel(**{"per_replica": 1.0, "per_token": 1.0} | changes)


def test_a_name_that_is_no_preset_lists_them():
    for read in (TimeModel.preset, TimeModel.of):
        with pytest.raises(InvalidArgumentError, match="deepseek-v3-fp8, deepseek-v3-bf16"):
            read("deepseek")


def test_a_step_needs_a_model_of_time_tokens_and_the_experts_of_a_token():
    assert Step.of(None, None) is None
    assert Step.of("deepseek-v2-lite", 64).experts_per_token == 6
    for arguments, words in [
        ((None, 64), "needs a time_model"),
        (("qwen3-30b", None), "needs tokens_per_gpu"),
        (("qwen3-30b", 0), "tokens_per_gpu=0 is not a positive"),
        ((MODEL, 64), "experts that a token asks for"),
    ]:
        with pytest.raises(InvalidArgumentError, match=words):
            Step.of(*arguments)
