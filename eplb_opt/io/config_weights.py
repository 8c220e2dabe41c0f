"""Bytes of an expert, by the sizes and the quantization that a model's configuration has."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from eplb_opt.io.config_keys import Keys
from eplb_opt.io.record import Record
from eplb_opt.model_bytes import MXFP4, WeightFormat, expert_bytes

_BITS = {"bfloat16": 16, "float16": 16, "float32": 32}
# Modules that a quantization passes over, under each of its names.
_PASSED_OVER = ("modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules")
# How an expert's matrix is called, where `{}` is its layer.
_EXPERT_NAMES = (
    "model.layers.{}.mlp.experts.0.up_proj",
    "model.language_model.layers.{}.mlp.experts.0.up_proj",
    "language_model.model.layers.{}.mlp.experts.0.up_proj",
    "model.layers.{}.block_sparse_moe.experts.0.w1",
    "layers.{}.ffn.experts.0.w1",
    "backbone.layers.{}.mixer.experts.0.up_proj",
)


def expert_bytes_of(keys: Keys, moe_layers: tuple[int, ...]) -> int | None:
    """Bytes of one expert in one layer; None where sizes are not given, or the quantization is not known.

    Raises
    ------
    FileFormatError
        A size that is no positive integer, or sizes that contradict each other.
    """
    # A latent space that experts work in has a size of its own.
    width = keys.count("routed_expert_hidden_size", "moe_latent_size") or keys.count("hidden_size")
    inner = keys.count("moe_intermediate_size")
    if inner is None and keys.given("num_local_experts"):
        # Models such as Mixtral and Llama 4 have the one of experts under this name.
        inner = keys.count("intermediate_size")
    weights = _weights(keys, moe_layers)
    if width is None or inner is None or weights is None:
        return None
    activation = next(iter(keys.given("mlp_hidden_act", "hidden_act", "hidden_activation")), None)
    # Squared ReLU is the one activation of experts without a gate.
    return expert_bytes(width, inner, weights, gated=activation is None or keys.text[activation] != "relu2")


def quantization(keys: Keys) -> dict[str, Any]:
    """What the configuration says of quantization; nothing without it, a `FileFormatError` if it is no object."""
    found = keys.value("quantization_config")
    return {} if found is None else dict(Record(f"{keys.name}, 'quantization_config'", found).values)


def _weights(keys: Keys, moe_layers: tuple[int, ...]) -> WeightFormat | None:
    """The format of experts; None where it is not known, or layers differ."""
    said = quantization(keys)
    bits = _BITS.get(str(keys.value("dtype") or keys.value("torch_dtype")).removeprefix("torch."))
    method = said.get("quant_method")
    # Model Optimizer writes null where it has quantized the cache alone.
    cache_alone = said.get("quant_algo", "") is None and method in (None, "modelopt")
    if not said or cache_alone:
        return None if bits is None else WeightFormat(bits)
    if _passes_over_experts(said, moe_layers):
        return None
    if said.get("quant_algo") is not None:
        return _modelopt(said)
    if method == "mxfp4":
        return MXFP4
    if method == "fp8":
        return _fp8(keys, said)
    return _compressed(said, bits) if method == "compressed-tensors" else None


def _fp8(keys: Keys, said: dict[str, Any]) -> WeightFormat | None:
    """Blocks with float32 scales, as DeepSeek-V3 has them; experts of DeepSeek-V4 say what they are."""
    expert = keys.value("expert_dtype")
    if expert == "fp4":
        return MXFP4
    if expert not in (None, "fp8") or (expert is None and "DeepseekV4" in str(keys.value("architectures"))):
        # Engines differ in what DeepSeek-V4 is where it does not say it.
        return None
    block = said.get("weight_block_size")
    sides = _sides(block)
    if block is None:
        return WeightFormat(8)
    return None if sides is None else WeightFormat(8, sides, 4)


def _modelopt(said: dict[str, Any]) -> WeightFormat | None:
    """TensorRT Model Optimizer: fp8 with a scale for each matrix, nvfp4 with an fp8 scale for 16 weights."""
    group = said.get("group_size") or 16
    if said["quant_algo"] == "NVFP4" and type(group) is int and group > 0:
        return WeightFormat(4, (1, group), 1)
    return WeightFormat(8) if said["quant_algo"] == "FP8" else None


def _compressed(said: dict[str, Any], bits: int | None) -> WeightFormat | None:
    """compressed-tensors: one group of linear layers; scales have the type of the model, those of 4-bit floats a byte.

    Numbers that are not symmetric have zero points too: None.
    """
    groups = said.get("config_groups")
    group = next(iter(groups.values())) if isinstance(groups, dict) and len(groups) == 1 else None
    weights = group.get("weights") if isinstance(group, dict) and group.get("targets") == ["Linear"] else None
    if not isinstance(weights, dict) or weights.get("symmetric") is not True or bits is None:
        return None
    stored = weights.get("num_bits")
    if stored not in (4, 8) or weights.get("type") not in ("int", "float"):
        return None
    scale = 1 if stored == 4 and weights["type"] == "float" else bits // 8
    strategy, size = weights.get("strategy"), weights.get("group_size")
    if strategy in ("channel", "tensor"):
        return WeightFormat(stored)
    if strategy in ("group", "tensor_group") and type(size) is int and size > 0:
        return WeightFormat(stored, (1, size), scale)
    if strategy == "block" and (sides := _sides(weights.get("block_structure"))):
        return WeightFormat(stored, sides, scale)
    return None


def _sides(block: Any) -> tuple[int, int] | None:
    if isinstance(block, list) and len(block) == 2 and all(type(side) is int and side > 0 for side in block):
        return block[0], block[1]
    return None


def _passes_over_experts(said: dict[str, Any], moe_layers: tuple[int, ...]) -> bool:
    """Whether some expert keeps its weights: a pattern with ``*``, a regular expression after ``re:``, or a prefix."""
    lists = [said[key] for key in _PASSED_OVER if isinstance(said.get(key), list)]
    patterns = [str(pattern) for listed in lists for pattern in listed]
    names = [name.format(layer) for layer in moe_layers for name in _EXPERT_NAMES]
    regular = [pattern.removeprefix("re:") for pattern in patterns if pattern.startswith("re:")]
    globs = [pattern for pattern in patterns if "*" in pattern and not pattern.startswith("re:")]
    plain = {pattern for pattern in patterns if "*" not in pattern}
    prefixes = {name[: end.start()] for name in names for end in re.finditer(r"\.|$", name)}
    return bool(
        plain & prefixes
        or any(fnmatchcase(name, pattern) for pattern in globs for name in names)
        or any(_matches(pattern, name) for pattern in regular for name in names)
    )


def _matches(pattern: str, name: str) -> bool:
    """Whether a regular expression fits; one that is none might mean anything."""
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return True
