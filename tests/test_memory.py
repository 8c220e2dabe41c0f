"""Memory of a deployment: what slots cost, and the tokens of KV cache in their place."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import InvalidArgumentError
from eplb_opt.memory import GIB, expert_gib_per_gpu, kv_tokens
from eplb_opt.models import MODELS

DEEPSEEK = MODELS["deepseek-v3"]
COUNTED = [model for model in MODELS.values() if None not in (model.expert_bytes, model.kv_bytes_per_token)]


def test_a_slot_of_deepseek_v3_costs_2_4_gib():
    # 58 layers of 3 matrices, 7168 x 2048 in fp8, with float32 scales of blocks of 128 x 128: 2.55 GB.
    cost = 58 * 3 * (7168 * 2048 + 56 * 16 * 4)
    assert expert_gib_per_gpu(DEEPSEEK, 1) == cost / 2**30
    assert round(cost / 1e9, 2) == 2.55


def test_a_slot_takes_the_tokens_that_would_fill_it():
    # A token has 61 rows of 576 numbers in 16 bits.
    assert kv_tokens(DEEPSEEK, expert_gib_per_gpu(DEEPSEEK, 1)) == 58 * 3 * (7168 * 2048 + 56 * 16 * 4) // (61 * 1152)
    assert kv_tokens(DEEPSEEK, 0) == 0


@given(st.sampled_from(COUNTED), st.integers(1, 500), st.integers(1, 500))
def test_slots_add_up(model, slots, more):
    whole = expert_gib_per_gpu(model, slots + more)
    assert whole > expert_gib_per_gpu(model, slots)
    assert math.isclose(whole, expert_gib_per_gpu(model, slots) + expert_gib_per_gpu(model, more), rel_tol=1e-12)


@given(st.sampled_from(COUNTED), st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_memory_holds_more_tokens_and_no_more_than_it_has(model, gib, more):
    tokens = kv_tokens(model, gib)
    assert tokens <= kv_tokens(model, gib + more)
    assert tokens * model.kv_bytes_per_token <= gib * GIB < (tokens + 1) * model.kv_bytes_per_token


@pytest.mark.parametrize("slots", [0, -1, 1.5, True, None])
def test_slots_are_counted_from_1(slots):
    with pytest.raises(InvalidArgumentError, match="slots_per_gpu="):
        expert_gib_per_gpu(DEEPSEEK, slots)


@pytest.mark.parametrize("gib", [-1, math.nan, math.inf])
def test_memory_is_a_number_of_at_least_0(gib):
    with pytest.raises(InvalidArgumentError, match="is not a number of GiB"):
        kv_tokens(DEEPSEEK, gib)


def test_what_is_not_known_is_refused_with_the_way_out():
    unknown = replace(DEEPSEEK, expert_bytes=None, kv_bytes_per_token=None)
    with pytest.raises(InvalidArgumentError, match=r"bytes an expert of deepseek-v3 has is not known; give the config"):
        expert_gib_per_gpu(unknown, 4)
    with pytest.raises(InvalidArgumentError, match=r"bytes a token of KV cache of deepseek-v3 has is not known; give"):
        kv_tokens(unknown, 1)
