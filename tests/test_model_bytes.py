"""Bytes of experts and of tokens: what tensors of these shapes and types would take."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.model_bytes import BF16, FP8, INT4, MXFP4, WeightFormat, expert_bytes, grouped_bytes, latent_bytes
from eplb_opt.models import MODELS, model_of


def tensor_bytes(*shape, dtype):
    """What a tensor takes, without its memory."""
    return torch.empty(shape, dtype=dtype, device="meta").nbytes


def fp8_matrix(rows, columns):
    scales = tensor_bytes(-(-rows // 128), -(-columns // 128), dtype=torch.float32)
    return tensor_bytes(rows, columns, dtype=torch.float8_e4m3fn) + scales


def four_bits(rows, columns, group, scale):
    """Two weights in a byte, and a scale for `group` weights of a row."""
    return tensor_bytes(rows, columns // 2, dtype=torch.uint8) + tensor_bytes(rows, columns // group, dtype=scale)


def test_an_expert_of_deepseek_v3_is_its_tensors():
    expert = 2 * fp8_matrix(2048, 7168) + fp8_matrix(7168, 2048)
    assert MODELS["deepseek-v3"].expert_bytes == expert == 3 * 7168 * 2048 + 3 * 16 * 56 * 4


def test_an_expert_in_16_bits_is_its_tensors():
    expert = 2 * tensor_bytes(1536, 4096, dtype=torch.bfloat16) + tensor_bytes(4096, 1536, dtype=torch.bfloat16)
    assert MODELS["qwen3-235b-a22b"].expert_bytes == expert


def test_experts_in_4_bits_are_their_tensors():
    gpt = 2 * four_bits(2880, 2880, 32, torch.uint8) + four_bits(2880, 2880, 32, torch.uint8)
    assert MODELS["gpt-oss-120b"].expert_bytes == gpt
    kimi = 2 * four_bits(2048, 7168, 32, torch.bfloat16) + four_bits(7168, 2048, 32, torch.bfloat16)
    assert MODELS["kimi-k2.5"].expert_bytes == kimi


def test_experts_are_most_of_what_is_published_of_a_model():
    # Parameters of the names: 235 and 30 billion in 16 bits, 120 billion in 4, DeepSeek-V3 671 in 8.
    for name, billions, least in (
        ("qwen3-235b-a22b", 2 * 235, 0.95),
        ("qwen3-30b-a3b", 2 * 30.5, 0.94),
        ("deepseek-v3", 671, 0.97),
        ("mixtral-8x7b", 2 * 46.7, 0.96),
        ("kimi-k2", 1026, 0.98),
    ):
        model = MODELS[name]
        experts = model.expert_bytes * model.num_experts * len(model.moe_layer_ids) / 1e9
        assert least * billions < experts < billions


def test_blocks_at_the_edge_have_a_scale_too():
    assert WeightFormat(8, (128, 128), 4).matrix_bytes(129, 256) == 129 * 256 + 2 * 2 * 4


def test_experts_without_a_gate_have_two_matrices():
    assert 3 * expert_bytes(64, 32, BF16, gated=False) == 2 * expert_bytes(64, 32, BF16)


def test_a_token_of_latent_attention_is_one_row_of_a_layer():
    assert MODELS["deepseek-v3"].kv_bytes_per_token == 61 * tensor_bytes(512 + 64, dtype=torch.bfloat16)


def test_a_token_of_grouped_attention_is_keys_and_values_of_each_head():
    cache = 2 * tensor_bytes(94, 4, 128, dtype=torch.bfloat16)
    assert MODELS["qwen3-235b-a22b"].kv_bytes_per_token == cache


def test_an_indexer_keeps_keys_in_8_bits_with_a_scale():
    index = tensor_bytes(61, 128, dtype=torch.float8_e4m3fn) + tensor_bytes(61, 1, dtype=torch.float32)
    assert MODELS["deepseek-v3.2"].kv_bytes_per_token == MODELS["deepseek-v3"].kv_bytes_per_token + index


def test_layers_with_a_window_leave_no_one_number():
    windows = {"deepseek-v4-flash", "deepseek-v4-pro", "gpt-oss-20b", "gpt-oss-120b", "llama-4-maverick"}
    windows |= {"llama-4-scout", "mimo-v2-flash", "minimax-m3", "step-3.7-flash"}
    assert {name for name, model in MODELS.items() if model.kv_bytes_per_token is None} == windows


@given(st.integers(1, 9000), st.integers(1, 9000), st.sampled_from([BF16, FP8, MXFP4, INT4]))
def test_larger_matrices_have_more_bytes(rows, columns, weights):
    assert weights.matrix_bytes(rows, columns) <= weights.matrix_bytes(rows + 1, columns)
    assert weights.matrix_bytes(rows, columns) <= weights.matrix_bytes(rows, columns + 1)


@given(st.integers(1, 99), st.integers(1, 99))
def test_one_head_is_a_latent_vector_of_twice_its_size(layers, size):
    assert grouped_bytes(layers, 1, size, size) == latent_bytes(layers, size, size)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-235B-A22B-FP8", "qwen3-30b-a3b-fp8"])
def test_checkpoints_in_8_bits_have_experts_of_half_the_size(name):
    model, plain = model_of(name), MODELS[model_of(name).name]
    assert 0.5 < model.expert_bytes / plain.expert_bytes < 0.501


@pytest.mark.parametrize("name", ["kimi-k2-thinking", "qwen3-coder-480b-a35b-instruct-fp8", "nemotron-3-super"])
def test_bytes_of_other_formats_are_not_guessed(name):
    assert model_of(name).expert_bytes is None
