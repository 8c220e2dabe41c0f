"""Bytes of a token's KV cache, by what a model's configuration says of attention."""

from __future__ import annotations

import re

from eplb_opt.io.config_keys import Keys
from eplb_opt.io.config_layers import BLOCKS, hybrid_pattern
from eplb_opt.io.config_weights import quantization
from eplb_opt.model_bytes import KV_NUMBER, grouped_bytes, index_bytes, latent_bytes

# Keys of attention that keeps some of the tokens, or something else than keys and values of each.
_WINDOWS = re.compile(
    "sliding_window|swa_|attention_chunk|compress_|sparse_attention|cross_attention|kv_shared|hybrid_layer"
)
# Keys of layers that are no attention, or some other one.
_OTHERS = re.compile("linear|mamba|ssm_|rwkv|recurrent|hybrid|attn_type|attn_layer|(?<!mlp_)layer_types|full_attention")


def kv_bytes_of(keys: Keys, layers: int) -> int | None:
    """Bytes of a token over all layers that keep every token; None where one number would be wrong, or is not known.

    Layers of linear attention and of Mamba keep something of a request, not of a token.

    Raises
    ------
    FileFormatError
        A size that is no positive integer, or a row with another number of layers.
    """
    number, full = _number(keys), _layers(keys, layers)
    if number is None or full is None:
        return None
    if keys.given("kv_lora_rank"):
        rank, rope = keys.count("kv_lora_rank"), keys.count("qk_rope_head_dim")
        return None if rank is None or rope is None else _latent(keys, full, rank, rope, number)
    if keys.given("index_head_dim"):
        return None
    heads, size = keys.count("num_key_value_heads"), keys.count("head_dim")
    hidden, queries = keys.count("hidden_size"), keys.count("num_attention_heads")
    if size is None and hidden is not None and queries is not None and hidden % queries == 0:
        size = hidden // queries
    if heads is None or size is None:
        return None
    return grouped_bytes(full, heads, size, keys.count("v_head_dim") or size, number)


def _latent(keys: Keys, layers: int, rank: int, rope: int, number: int) -> int | None:
    """Latent attention, with the keys of an indexer in each layer if there are such."""
    latent, index = latent_bytes(layers, rank, rope, number), keys.count("index_head_dim")
    if index is None:
        return latent
    types, period = keys.text.get("indexer_types"), keys.text.get("index_topk_freq")
    shared = types not in (None, ["full"] * layers) or period not in (None, 1)
    # With another type than 16 bits, engines keep what they read sparsely in a layout of their own.
    return None if shared or number != KV_NUMBER else latent + index_bytes(layers, index)


def _number(keys: Keys) -> int | None:
    """Bytes of a number in the cache: two, or what a quantization of the cache says."""
    said = quantization(keys)
    scheme, algorithm = said.get("kv_cache_scheme"), said.get("kv_cache_quant_algo")
    if scheme is None and algorithm is None:
        return KV_NUMBER
    bits = scheme.get("num_bits") if isinstance(scheme, dict) else None
    return 1 if bits == 8 or algorithm == "FP8" else None


def _layers(keys: Keys, layers: int) -> int | None:
    """How many layers keep every token; None where some keep a window of them, or what they keep is not known."""
    in_force = [key for key, value in keys.text.items() if value and not key.startswith("mtp_")]
    if keys.text.get("use_sliding_window") is False:
        in_force = [key for key in in_force if key != "sliding_window"]
    if any(_WINDOWS.search(key) for key in in_force):
        return None
    if keys.given("hybrid_override_pattern"):
        return hybrid_pattern(keys, layers).count("*")
    if keys.given("layers_block_type"):
        kinds = keys.row("layers_block_type", BLOCKS, layers)
        return kinds.count("attention") + kinds.count("full_attention")
    if isinstance(row := keys.text.get("layer_types"), list):
        known = len(row) == layers and all(kind in ("full_attention", "linear_attention") for kind in row)
        return sum(kind == "full_attention" for kind in row) if known else None
    if isinstance(both := keys.text.get("linear_attn_config"), dict):
        # Kimi Linear lists both kinds.
        full, linear = both.get("full_attn_layers"), both.get("kda_layers")
        if isinstance(full, list) and isinstance(linear, list) and len(full) + len(linear) == layers:
            return len(full)
        return None
    if interval := keys.count("full_attention_interval"):
        return layers // interval
    # MiniMax has a 1 for each layer of full attention.
    plain = keys.text.get("attn_type_list") == [1] * layers
    others = [key for key in in_force if _OTHERS.search(key) and not (plain and key == "attn_type_list")]
    return None if others else layers
