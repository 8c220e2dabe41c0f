"""Models: what is known of them, and how recordings and plans get their layers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from eplb_opt import models
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError, InvalidPlanError
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.models import MODELS, model_of
from eplb_opt.plan import Plan

# Six decoder layers, experts in 2-5, one draft layer.
SMALL = Model("small", 6, (2, 3, 4, 5), 3, 2, num_draft_layers=1)
ROWS = np.arange(1, 13).reshape(4, 3)
SLOTS = np.array([[0, 1, 2, 0]] * 4)


def test_every_model_has_experts_in_layers_that_it_has():
    for model in MODELS.values():
        assert model.labels.fields["layer_ids"] == model.moe_layer_ids
        assert 0 <= model.moe_layer_ids[0] <= model.moe_layer_ids[-1] < model.num_layers
        assert model.num_experts % model.num_groups == 0
        assert model.experts_per_token < model.num_experts


def test_models_have_the_layers_of_their_configurations():
    layers = {name: len(model.moe_layer_ids) for name, model in MODELS.items()}
    assert layers["deepseek-v3"] == 58
    assert layers["kimi-k2"] == 60
    assert layers["kimi-k3"] == 92
    assert layers["llama-4-maverick"] == 24
    assert layers["nemotron-3-super"] == 40
    assert MODELS["llama-4-maverick"].moe_layer_ids[:3] == (1, 3, 5)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(InvalidArgumentError, match="model='gpt-5' is not one of deepseek-v3, "):
        model_of("gpt-5")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("DeepSeek-V3", "deepseek-v3"),
        ("deepseek-ai/DeepSeek-V3", "deepseek-v3"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "qwen3-235b-a22b"),
        ("moonshotai/Kimi-K2-Instruct", "kimi-k2"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("/models/openai/GPT-OSS-120B", "gpt-oss-120b"),
    ],
)
def test_models_are_known_as_hugging_face_spells_them(name, known):
    # What a weight takes is the checkpoint's.
    assert replace(model_of(name), expert_bytes=MODELS[known].expert_bytes) == MODELS[known]


@pytest.mark.parametrize("name", ["deepseek-ai/DeepSeek-V3-Lite", "kimi-k2-instruct/", "deepseek", "", "kimi-k2 "])
def test_a_variant_of_a_name_is_not_guessed(name):
    with pytest.raises(InvalidArgumentError, match="is not one of deepseek-v3, "):
        model_of(name)


def test_names_of_checkpoints_lead_to_models_and_are_no_models():
    for name in (name for others in models._CHECKPOINTS.values() for name in others):
        assert name == name.lower() and name not in MODELS and model_of(name).name in MODELS
    assert set(models._CHECKPOINTS) <= set(MODELS)
    assert set(models._EXPERT_BYTES) <= set(models._NAMES)


def test_moe_layers_counted_from_0_get_their_decoder_layers():
    labelled = SMALL.label(Loads(ROWS, numbering="moe"))
    assert labelled == Loads(ROWS, (2, 3, 4, 5), num_model_layers=6)
    assert SMALL.disagreements(Loads(ROWS, numbering="moe")) == []


def test_an_array_with_a_row_for_every_decoder_layer_keeps_those_with_experts():
    rows = np.concatenate([np.zeros((2, 3), dtype=int), ROWS])
    assert SMALL.label(Loads(rows, numbering="moe")) == SMALL.label(Loads(ROWS, numbering="moe"))


def test_draft_layers_are_left_out_and_layers_without_tokens_are_zero():
    recorded = Loads(ROWS, (2, 3, 5, 6))
    labelled = SMALL.label(recorded)
    assert labelled.values[0].tolist() == [[1, 2, 3], [4, 5, 6], [0, 0, 0], [7, 8, 9]]
    assert SMALL.disagreements(recorded) == ["the recording has no loads of layer 4, with experts in small"]


@pytest.mark.parametrize(
    ("loads", "says"),
    [
        (Loads(np.ones((4, 4)), numbering="moe"), "has 4 experts, small has 3"),
        (Loads(np.ones((3, 3)), numbering="moe"), "counts 3 MoE layers from 0, small has 4: decoder layers 2-5 of 6"),
        (Loads(np.ones((4, 3)), (2, 3, 4, 5), num_model_layers=9), "has 9 decoder layers, small has 6"),
        (Loads(np.ones((4, 3)), (1, 2, 3, 4), num_model_layers=6), "has loads of layer 1, without experts in small"),
    ],
)
def test_a_recording_of_another_model_is_refused(loads, says):
    assert any(re.search(says, warning) for warning in SMALL.disagreements(loads))
    with pytest.raises(InvalidLoadsError, match=says):
        SMALL.label(loads)


def test_plans_get_the_layers_of_the_model():
    whole = Plan(SLOTS, Deployment(2, 4), 3, (2, 3, 4, 5), 6)
    assert SMALL.label_plan(Plan(SLOTS, Deployment(2, 4), 3, numbering="moe")) == whole
    assert SMALL.label_plan(whole.with_draft_layers(1)) == whole
    dense = Model("dense", 4, (0, 1, 2, 3), 3, 2)
    assert dense.label_plan(Plan(SLOTS, Deployment(2, 4), 3, numbering="moe")) == Plan(SLOTS, Deployment(2, 4), 3)
    decoder = Plan(np.concatenate([SLOTS[:2], SLOTS]), Deployment(2, 4), 3, moe_layer_ids=None)
    assert SMALL.label_plan(decoder) == whole
    assert SMALL.label_plan(whole.select([3])).labels.moe_layer_ids == (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(SLOTS, Deployment(2, 4), 4), "the plan has 4 experts, small has 3"),
        (Plan(SLOTS[:3], Deployment(2, 4), 3, numbering="moe"), "is for MoE layers 0-2 of 3, small has 6"),
        (Plan(SLOTS, Deployment(2, 4), 3, (2, 3, 4, 5), 9), "is for layers 2-5 of 9, small has 6"),
    ],
)
def test_a_plan_of_another_model_is_refused(plan, says):
    with pytest.raises(InvalidPlanError, match=says):
        SMALL.label_plan(plan)
