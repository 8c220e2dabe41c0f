"""Model configurations: the Hugging Face ``config.json`` of a MoE model, read as a `Model`.

| of the model | keys |
| --- | --- |
| layers | ``num_hidden_layers``, ``num_nextn_predict_layers`` |
| layers with experts | those of `eplb_opt.io.config_layers` |
| experts | ``n_routed_experts``, ``num_experts``, ``num_local_experts``, ``moe_num_experts`` |
| experts of a token | ``num_experts_per_tok`` and its other names |
| groups | ``n_group`` or ``num_expert_group``, with ``topk_group`` |
| bytes | those of `eplb_opt.io.config_weights` and `eplb_opt.io.config_cache` |
"""

from __future__ import annotations

import os
from pathlib import Path

from eplb_opt.errors import FileFormatError
from eplb_opt.io.config_cache import kv_bytes_of
from eplb_opt.io.config_keys import Keys, read_keys
from eplb_opt.io.config_layers import moe_layers
from eplb_opt.io.config_weights import expert_bytes_of
from eplb_opt.layers import MOST_LAYERS
from eplb_opt.model import Model
from eplb_opt.models import model_of

_EXPERTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
_PER_TOKEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "moe_k",
    "moe_top_k",
    "moe_topk",
    "top_k_experts",
)


def find_model(name_or_path: str | os.PathLike[str]) -> Model:
    """The model that is meant: of a file, where there is one or the name ends in ``.json``, else of a known name.

    Raises
    ------
    FileFormatError
        A file that `read_model` refuses.
    InvalidArgumentError
        A name that is not known.
    """
    path = config_path(name_or_path)
    return model_of(str(name_or_path)) if path is None else read_model(path)


def config_path(name_or_path: str | os.PathLike[str] | None) -> Path | None:
    """The file that is meant; None where it is a name, or nothing."""
    path = Path(name_or_path or "")
    # Of os.path, for which a name that no file can have is none.
    return path if path.suffix.lower() == ".json" or os.path.isfile(path) else None  # noqa: PTH113


def read_model(path: str | os.PathLike[str]) -> Model:
    """The model of a ``config.json``, named by its path.

    Text is looked for in ``text_config`` where the model has several modalities. A ``hf_quant_config.json`` in the same
    folder says the quantization that ``config.json`` does not. Bytes are None where they are not known; all else is
    needed.

    Raises
    ------
    FileFormatError
        A file that cannot be read, a key that is missing or means nothing, or keys that contradict each other.
    """
    keys = read_keys(path)
    experts = keys.need(*_EXPERTS, why=": it is of a model without experts, or of a kind that is not known")
    layers = _num_layers(keys)
    per_token = keys.need(*_PER_TOKEN)
    if per_token > experts:
        raise FileFormatError(f"{keys.name}: a token has {per_token} experts, and a layer {experts}")
    ids = moe_layers(keys, layers)
    return Model(
        keys.name,
        layers,
        ids,
        experts,
        per_token,
        _groups(keys, experts),
        keys.count("num_nextn_predict_layers", least=0) or 0,
        expert_bytes_of(keys, ids),
        kv_bytes_of(keys, layers),
    )


def _num_layers(keys: Keys) -> int:
    """Decoder layers; Nemotron-H may list them in place of their number."""
    kinds = keys.text.get("layers_block_type")
    if isinstance(kinds, list) and not keys.given("num_hidden_layers"):
        layers = len(kinds)
    else:
        layers = keys.need("num_hidden_layers")
    if layers > MOST_LAYERS:
        raise FileFormatError(f"{keys.name} has {layers} layers; at most {MOST_LAYERS} are taken for possible")
    return layers


def _groups(keys: Keys, experts: int) -> int:
    """Groups of group-limited routing; 1 where a token may have experts of all of them."""
    groups = keys.count("n_group", "num_expert_group") or 1
    if groups == 1 or keys.text.get("topk_method") == "greedy":
        return 1
    chosen = keys.need("topk_group", why=f", and there are {groups} groups")
    if chosen > groups:
        raise FileFormatError(f"{keys.name}: 'topk_group' is {chosen}, and there are {groups} groups")
    if experts % groups:
        raise FileFormatError(f"{keys.name}: {experts} experts do not divide into {groups} groups")
    return groups if chosen < groups else 1
