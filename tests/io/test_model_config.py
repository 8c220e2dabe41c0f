"""A model's config.json: the same as the table of known models, and what is missing or contradictory is refused."""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidArgumentError
from eplb_opt.io.model_config import config_path, find_model, read_model
from eplb_opt.models import MODELS, model_of

FP8 = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
DEEPSEEK = {
    "num_hidden_layers": 61,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "n_group": 8,
    "topk_group": 4,
    "topk_method": "noaux_tc",
    "num_nextn_predict_layers": 1,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "torch_dtype": "bfloat16",
    "quantization_config": FP8,
}
QWEN = {
    "num_hidden_layers": 94,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "moe_intermediate_size": 1536,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "sliding_window": None,
    "use_sliding_window": False,
    "max_window_layers": 94,
    "torch_dtype": "bfloat16",
}
MIXTRAL = {
    "num_hidden_layers": 32,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "sliding_window": None,
    "torch_dtype": "bfloat16",
}
MAVERICK = {
    "num_hidden_layers": 48,
    "interleave_moe_layer_step": 2,
    "num_local_experts": 128,
    "num_experts_per_tok": 1,
    "hidden_size": 5120,
    "intermediate_size": 8192,
    "intermediate_size_mlp": 16384,
    "attention_chunk_size": 8192,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "torch_dtype": "bfloat16",
}
QWEN35 = {
    "num_hidden_layers": 60,
    "mlp_only_layers": [],
    "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 15,
    "full_attention_interval": 4,
    "linear_num_key_heads": 16,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "hidden_size": 4096,
    "moe_intermediate_size": 1024,
    "num_attention_heads": 32,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "dtype": "bfloat16",
}
NEMOTRON = {
    "num_hidden_layers": 8,
    "hybrid_override_pattern": "MEM*E-ME",
    "n_routed_experts": 16,
    "num_experts_per_tok": 4,
    "hidden_size": 256,
    "moe_latent_size": 64,
    "moe_intermediate_size": 128,
    "mlp_hidden_act": "relu2",
    "mamba_num_heads": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "time_step_limit": [0.0, float("inf")],
    "dtype": "bfloat16",
}


@pytest.fixture
def read(tmp_path):
    def read(config, **changes):
        """The model of a configuration; changes of keys, and `...` for a key that is left out."""
        values = {key: value for key, value in {**config, **changes}.items() if value is not ...}
        (tmp_path / "config.json").write_text(json.dumps(values))
        return read_model(tmp_path / "config.json")

    return read


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (DEEPSEEK, "deepseek-v3"),
        (QWEN, "qwen3-235b-a22b"),
        (MIXTRAL, "mixtral-8x7b"),
        (MAVERICK, "llama-4-maverick"),
        ({"text_config": QWEN35, "vision_config": {"num_experts": 1}}, "qwen3.5-397b-a17b"),
    ],
)
def test_a_configuration_is_the_known_model(read, tmp_path, config, name):
    assert read(config) == replace(MODELS[name], name=str(tmp_path / "config.json"))


CONFIGS = find_spec("aiconfigurator_core")
# What the package has of two models: quantized versions alone.
QUANTIZED = {"DeepSeek-V3.1-NVFP4": "deepseek-v3.1", "NVIDIA-Nemotron-3-Super-120B-A12B-FP8": "nemotron-3-super"}


@pytest.mark.skipif(CONFIGS is None, reason="aiconfigurator-core 0.12 is not installed")
def test_configurations_of_all_known_models_are_the_table(tmp_path):
    seen = set()
    for path in Path(CONFIGS.origin).with_name("model_configs").glob("*--*_config.json"):
        name = path.name.removesuffix("_config.json").partition("--")[2]
        if name.endswith("_hf_quant"):
            continue
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(path, folder / "config.json")
        quantized = path.with_name(path.name.replace("_config", "_hf_quant_config"))
        if quantized.exists():
            shutil.copy(quantized, folder / "hf_quant_config.json")
        try:
            known = model_of(QUANTIZED.get(name, name))
        except InvalidArgumentError:
            continue
        model = replace(read_model(folder / "config.json"), name=known.name)
        if name in QUANTIZED:
            # Experts in another format, and a cache of one byte a number.
            assert model.expert_bytes is not None
            model = replace(model, expert_bytes=known.expert_bytes, kv_bytes_per_token=2 * model.kv_bytes_per_token)
        assert model == known
        seen.add(known.name)
    assert seen == set(MODELS)


@pytest.mark.parametrize(
    ("config", "changes", "layers"),
    [
        (DEEPSEEK, {"first_k_dense_replace": 1, "moe_layer_freq": 2}, range(2, 61, 2)),
        (DEEPSEEK, {"first_k_dense_replace": ..., "moe_layer_freq": [0] * 5 + [1] * 56}, range(5, 61)),
        (DEEPSEEK, {"mlp_layer_types": ["dense"] * 3 + ["sparse"] * 58}, range(3, 61)),
        (DEEPSEEK, {"first_k_dense_replace": ..., "moe_layer_freq": ..., "num_hash_layers": 3}, range(61)),
        (QWEN, {"decoder_sparse_step": 2, "mlp_only_layers": [1, 5]}, [3, *range(7, 94, 2)]),
        (QWEN, {"decoder_sparse_step": ..., "mlp_only_layers": [0]}, range(1, 94)),
        (QWEN, {"decoder_sparse_step": ..., "mlp_only_layers": ..., "moe_layers_enum": "3, 4,5"}, [3, 4, 5]),
        (QWEN, {"decoder_sparse_step": ..., "mlp_only_layers": ..., "moe_layer_start_index": 90}, range(90, 94)),
        (MAVERICK, {"moe_layers": list(range(1, 48, 2))}, range(1, 48, 2)),
        (NEMOTRON, {}, [1, 4, 7]),
        (
            NEMOTRON,
            {
                "num_hidden_layers": ...,
                "hybrid_override_pattern": ...,
                "layers_block_type": ["mamba", "moe", "attention", "moe"],
            },
            [1, 3],
        ),
    ],
)
def test_layers_with_experts(read, config, changes, layers):
    assert read(config, **changes).moe_layer_ids == tuple(layers)


def test_draft_layers_may_be_in_the_list_and_are_not_of_the_decoder(read):
    sparse = {"decoder_sparse_step": ..., "mlp_only_layers": ..., "num_nextn_predict_layers": 1}
    model = read(QWEN, moe_layers_enum="92,93,94", **sparse)
    assert (model.moe_layer_ids, model.num_draft_layers) == ((92, 93), 1)


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({}, 8),
        ({"topk_group": 8}, 1),
        ({"n_group": 1, "topk_group": 1}, 1),
        ({"n_group": ..., "topk_group": ...}, 1),
        ({"topk_method": "greedy", "topk_group": ...}, 1),
    ],
)
def test_groups_count_where_they_bind(read, changes, groups):
    assert read(DEEPSEEK, **changes).num_groups == groups


@pytest.mark.parametrize(
    ("config", "changes", "says"),
    [
        (DEEPSEEK, {"num_hidden_layers": ...}, "has no key 'num_hidden_layers'"),
        (DEEPSEEK, {"num_hidden_layers": "61"}, "'num_hidden_layers' is '61', not an integer from 1"),
        (DEEPSEEK, {"num_hidden_layers": 10**6}, "has 1000000 layers; at most"),
        (DEEPSEEK, {"n_routed_experts": ...}, "no key 'n_routed_experts' or .*: it is of a model without experts"),
        (DEEPSEEK, {"n_routed_experts": True}, "'n_routed_experts' is True"),
        (DEEPSEEK, {"num_experts": 128}, "'n_routed_experts' is 256 and 'num_experts' is 128"),
        (DEEPSEEK, {"num_experts_per_tok": ...}, "has no key 'num_experts_per_tok'"),
        (DEEPSEEK, {"num_experts_per_tok": 300}, "a token has 300 experts, and a layer 256"),
        (DEEPSEEK, {"first_k_dense_replace": ..., "moe_layer_freq": ...}, "has no key 'first_k_dense_replace'"),
        (DEEPSEEK, {"first_k_dense_replace": ...}, "a key 'moe_layer_freq' and no 'first_k_dense_replace'"),
        (DEEPSEEK, {"first_k_dense_replace": 61}, "by 'first_k_dense_replace' no layer has experts"),
        (DEEPSEEK, {"moe_layer_freq": [0] + [1] * 60}, "by 'moe_layer_freq' layers 1-60 .*, by 'first_k.* layers 3-60"),
        (DEEPSEEK, {"moe_layer_freq": [1, 2]}, "'moe_layer_freq' is .1, 2., not a list of 0, 1"),
        (DEEPSEEK, {"moe_layer_freq": [1, 1]}, "'moe_layer_freq' has 2 entries, and the model 61 layers"),
        (DEEPSEEK, {"expert_layer_period": 2}, "'expert_layer_period' may say .*; write 'mlp_layer_types' into it"),
        (DEEPSEEK, {"topk_group": ...}, "has no key 'topk_group', and there are 8 groups"),
        (DEEPSEEK, {"topk_group": 9}, "'topk_group' is 9, and there are 8 groups"),
        (DEEPSEEK, {"n_group": 7}, "256 experts do not divide into 7 groups"),
        (DEEPSEEK, {"num_nextn_predict_layers": -1}, "'num_nextn_predict_layers' is -1"),
        (DEEPSEEK, {"hidden_size": 0}, "'hidden_size' is 0"),
        (DEEPSEEK, {"kv_lora_rank": 512.5}, "'kv_lora_rank' is 512.5"),
        (DEEPSEEK, {"quantization_config": "fp8"}, "'quantization_config' is 'fp8', not an object"),
        (QWEN, {"mlp_only_layers": [94]}, "'mlp_only_layers' is .94., not a list of layers from 0 to 93"),
        (QWEN, {"mlp_only_layers": ["0"]}, "'mlp_only_layers' is"),
        (QWEN, {"moe_layers_enum": "3,9" + "9" * 5000}, "'moe_layers_enum' is"),
        (
            NEMOTRON,
            {"hybrid_override_pattern": "ME"},
            "'hybrid_override_pattern' has 2 letters, and the model 8",
        ),
        (NEMOTRON, {"hybrid_override_pattern": "MEM*E-MX"}, "not a text of M, E, . and -"),
        ({"text_config": [1]}, {}, "'text_config' is .1., not an object"),
    ],
)
def test_what_is_missing_or_contradictory_is_refused_in_words(read, config, changes, says):
    with pytest.raises(FileFormatError, match=says) as refusal:
        read(config, **changes)
    assert "config.json" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("quantization", "gate"),
    [
        # 3 x 7168 x 2048 weights; scales are float32, bytes or bf16.
        (None, 7168 * 2048 * 2),
        (FP8, 7168 * 2048 + 56 * 16 * 4),
        (FP8 | {"weight_block_size": None}, 7168 * 2048),
        (FP8 | {"modules_to_not_convert": ["lm_head", "model.layers.3.mlp.gate"]}, 7168 * 2048 + 56 * 16 * 4),
        ({"quant_method": "mxfp4"}, 7168 * 2048 // 2 + 7168 * 2048 // 32),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 7168 * 2048 // 2 + 7168 * 2048 // 16),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, 7168 * 2048),
        ({"quant_algo": None, "kv_cache_quant_algo": "FP8"}, 7168 * 2048 * 2),
    ],
)
def test_experts_of_each_quantization(read, quantization, gate):
    assert read(DEEPSEEK, quantization_config=quantization).expert_bytes == 3 * gate


def compressed(**weights):
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": True} | weights
    groups = {"group_0": {"targets": ["Linear"], "weights": weights}}
    return {"quant_method": "compressed-tensors", "config_groups": groups, "ignore": ["re:.*shared_experts.*"]}


@pytest.mark.parametrize(
    ("weights", "bits"),
    [
        ({}, 4 + 16 / 32),
        ({"type": "float"}, 4 + 8 / 32),
        ({"type": "float", "strategy": "tensor_group", "group_size": 16}, 4 + 8 / 16),
        ({"num_bits": 8, "type": "float", "strategy": "channel", "group_size": None}, 8),
        ({"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 128]}, 8 + 16 / 128**2),
    ],
)
def test_bits_of_a_weight_in_compressed_tensors(read, weights, bits):
    assert read(DEEPSEEK, quantization_config=compressed(**weights)).expert_bytes == 3 * 7168 * 2048 * bits / 8


@pytest.mark.parametrize(
    "changes",
    [
        {"quantization_config": {"quant_method": "awq", "bits": 4}},
        {"quantization_config": {"bits": 4}},
        {"quantization_config": {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}},
        {"quantization_config": FP8 | {"weight_block_size": [128]}},
        {"quantization_config": FP8 | {"modules_to_not_convert": ["model.layers.7.mlp.experts"]}},
        {"quantization_config": FP8 | {"modules_to_not_convert": ["*.experts.*"]}},
        {"quantization_config": FP8 | {"modules_to_not_convert": ["re:.*layers.60.mlp"]}},
        {"quantization_config": FP8 | {"modules_to_not_convert": ["re:("]}},
        {"quantization_config": compressed(symmetric=False)},
        {"quantization_config": compressed(num_bits=3)},
        {"quantization_config": FP8, "architectures": ["DeepseekV4ForCausalLM"]},
        {"quantization_config": None, "torch_dtype": ...},
        {"hidden_size": ...},
        {"moe_intermediate_size": ...},
    ],
)
def test_bytes_of_an_expert_are_not_guessed(read, changes):
    assert read(DEEPSEEK, **changes).expert_bytes is None


def test_an_exception_of_draft_layers_is_none_of_the_decoder(read):
    quantization = FP8 | {"modules_to_not_convert": ["model.layers.61*"]}
    assert read(DEEPSEEK, quantization_config=quantization).expert_bytes == MODELS["deepseek-v3"].expert_bytes


def test_experts_in_a_latent_space_without_a_gate(read):
    model = read(NEMOTRON)
    # Up and down, 64 x 128 in bf16; one layer of attention, keys and values of 2 heads of 32.
    assert (model.expert_bytes, model.kv_bytes_per_token) == (2 * 64 * 128 * 2, 2 * 2 * 32 * 2)


def test_a_quantization_beside_the_configuration_counts_where_it_says_none(read, tmp_path):
    beside = {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16}}
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(beside))
    model = read(DEEPSEEK, quantization_config=...)
    assert (model.expert_bytes, model.kv_bytes_per_token) == (3 * 7168 * 2048 * 9 // 16, 61 * 576)
    assert read(DEEPSEEK).expert_bytes == MODELS["deepseek-v3"].expert_bytes
    (tmp_path / "hf_quant_config.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"hf_quant_config\.json has no key 'quantization'"):
        read(DEEPSEEK, quantization_config=...)


@pytest.mark.parametrize(
    ("config", "changes", "cache"),
    [
        (DEEPSEEK, {"quantization_config": FP8 | {"kv_cache_scheme": {"num_bits": 8}}}, 61 * 576),
        (DEEPSEEK, {"quantization_config": FP8 | {"kv_cache_scheme": {"num_bits": 4}}}, None),
        (DEEPSEEK, {"index_head_dim": 128}, 61 * (576 * 2 + 132)),
        (DEEPSEEK, {"index_head_dim": 128, "indexer_types": ["full"] * 61}, 61 * (576 * 2 + 132)),
        (DEEPSEEK, {"index_head_dim": 128, "indexer_types": ["full", "shared"]}, None),
        (DEEPSEEK, {"index_head_dim": 128, "index_topk_freq": 4}, None),
        (DEEPSEEK, {"qk_rope_head_dim": ...}, None),
        (DEEPSEEK, {"linear_attn_config": {"full_attn_layers": [4] * 15, "kda_layers": [1] * 46}}, 15 * 576 * 2),
        (DEEPSEEK, {"linear_attn_config": {"full_attn_layers": [4] * 15}}, None),
        (QWEN, {"head_dim": ...}, 94 * 2 * 4 * 64 * 2),
        (QWEN, {"v_head_dim": 64}, 94 * 4 * (128 + 64) * 2),
        (QWEN, {"num_key_value_heads": ...}, None),
        (QWEN, {"sliding_window": 4096}, 94 * 2 * 4 * 128 * 2),
        (QWEN, {"sliding_window": 4096, "use_sliding_window": True}, None),
        (QWEN, {"layer_types": ["full_attention"] * 94}, 94 * 2 * 4 * 128 * 2),
        (QWEN, {"layer_types": ["full_attention", "sliding_attention"] * 47}, None),
        (QWEN, {"attn_type_list": [1] * 94}, 94 * 2 * 4 * 128 * 2),
        (QWEN, {"attn_type_list": [0] + [1] * 93}, None),
        (QWEN, {"full_attention_interval": 4}, 23 * 2 * 4 * 128 * 2),
        (QWEN, {"sparse_attention_config": {"use": True}}, None),
        (QWEN, {"mamba_num_heads": 8}, None),
    ],
)
def test_a_token_of_kv_cache(read, config, changes, cache):
    assert read(config, **changes).kv_bytes_per_token == cache


def test_a_file_is_told_from_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my-model").write_text(json.dumps(MIXTRAL))
    assert find_model("my-model") == replace(MODELS["mixtral-8x7b"], name="my-model")
    assert find_model("mixtral-8x7b") is MODELS["mixtral-8x7b"]
    assert config_path(None) is None
    with pytest.raises(FileFormatError, match=r"nowhere/config\.json does not exist"):
        find_model("nowhere/config.json")
    with pytest.raises(InvalidArgumentError, match="is not one of deepseek-v3, "):
        find_model("nowhere/config")
    with pytest.raises(InvalidArgumentError, match="is not one of deepseek-v3, "):
        find_model("no file has such a name" * 1000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 200) | st.floats() | st.text("ME*-0,", max_size=9) | st.just(2**70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["weights", "num_bits", "strategy", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = sorted(
    {*DEEPSEEK, *QWEN, *QWEN35, *NEMOTRON}
    | {"architectures", "attn_type_list", "expert_dtype", "index_head_dim", "index_topk_freq", "indexer_types"}
    | {"interleave_moe_layer_step", "layers_block_type", "linear_attn_config", "mlp_layer_types", "moe_layers_enum"}
    | {"moe_layer_start_index", "moe_layer_end_index", "text_config", "v_head_dim"}
)
QUANTIZATIONS = ["quant_method", "quant_algo", "config_groups", "ignore", "group_size", "kv_cache_scheme"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([DEEPSEEK, QWEN, MIXTRAL, QWEN35, NEMOTRON]),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=2),
    st.dictionaries(st.sampled_from(QUANTIZATIONS), JSON | st.sampled_from(["fp8", "NVFP4"]), max_size=3),
)
def test_whatever_keys_hold_there_is_a_model_or_a_sentence(read, config, changes, quantization):
    try:
        model = read({"quantization_config": quantization} | config, **changes)
    except FileFormatError as refusal:
        assert "config.json" in str(refusal) and "\n" not in str(refusal)
    else:
        assert 0 <= model.moe_layer_ids[0] <= model.moe_layer_ids[-1] < model.num_layers
        assert model.num_experts % model.num_groups == 0
        assert all(size is None or type(size) is int for size in (model.expert_bytes, model.kv_bytes_per_token))


@pytest.mark.parametrize("text", ["", "[]", '{"num_experts": 1', "null", '{"a": 1, "a": 2}'])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EplbOptError, match=r"config\.json"):
        read_model(tmp_path / "config.json")
