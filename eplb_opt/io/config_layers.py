"""Layers with experts, as a model's configuration says them.

Every key that says something has to say the same. Source of the keys: the configurations of the models themselves, and
of their code in transformers 5 (``configuration_*.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from eplb_opt.arguments import list_few
from eplb_opt.errors import FileFormatError
from eplb_opt.io.config_keys import Keys
from eplb_opt.layers import describe_ids

# Keys whose names say that they are about such layers, so that one which is not known is not passed over.
_ABOUT = re.compile(r"(moe|expert|sparse|dense|mlp).*(layer|step|freq|interval|replace|period|offset)")
_KNOWN = frozenset(
    {
        "decoder_sparse_step",
        "first_k_dense_replace",
        "interleave_moe_layer_step",
        "mlp_layer_types",
        "mlp_only_layers",
        "moe_layer_end_index",
        "moe_layer_freq",
        "moe_layer_interval",
        "moe_layer_start_index",
        "moe_layers",
        "moe_layers_enum",
    }
)
# Kinds of layers of Nemotron-H.
BLOCKS = ("attention", "full_attention", "mamba", "mlp", "moe")
_WAY_OUT = "write 'mlp_layer_types' into it, 'dense' or 'sparse' for each layer"


def moe_layers(keys: Keys, layers: int) -> tuple[int, ...]:
    """Decoder layers with experts; all where no key is about them, as in Mixtral.

    Raises
    ------
    FileFormatError
        A value that means nothing, keys that contradict each other, none at all where models of that kind have one, or
        one that is not known.
    """
    said = dict(_said(keys, layers))
    if "mlp_layer_types" not in said:
        _refuse_unknown(keys)
    if not said and keys.given("n_routed_experts") and not keys.given("num_hash_layers"):
        # Models of this kind begin with dense layers, but for DeepSeek-V4.
        raise FileFormatError(f"{keys.name} has no key 'first_k_dense_replace'; {_WAY_OUT}")
    said = said or {"": tuple(range(layers))}
    (first, ids), *others = said.items()
    for key, other in others:
        if other != ids:
            raise FileFormatError(
                f"{keys.name}: by {first!r} layers {describe_ids(ids)} have experts, by {key!r} layers "
                f"{describe_ids(other)}"
            )
    if not ids:
        raise FileFormatError(f"{keys.name}: by {first!r} no layer has experts")
    return ids


def _said(keys: Keys, layers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Keys that say which layers have experts, and the layers."""
    every = range(layers)
    by_layer = isinstance(keys.text.get("moe_layer_freq"), list)
    if by_layer:
        row = keys.row("moe_layer_freq", (0, 1), layers)
        yield "moe_layer_freq", tuple(i for i in every if row[i])
    if keys.given("first_k_dense_replace"):
        dense = keys.count("first_k_dense_replace", least=0) or 0
        step = 1 if by_layer else keys.count("moe_layer_freq") or 1
        yield "first_k_dense_replace", tuple(i for i in every if i >= dense and i % step == 0)
    elif keys.given("moe_layer_freq") and not by_layer:
        raise FileFormatError(f"{keys.name} has a key 'moe_layer_freq' and no 'first_k_dense_replace'; {_WAY_OUT}")
    if given := keys.given("decoder_sparse_step", "mlp_only_layers"):
        dense_ids = _ids(keys, "mlp_only_layers", layers)
        step = keys.count("decoder_sparse_step") or 1
        yield given[0], tuple(i for i in every if i not in dense_ids and (i + 1) % step == 0)
    for key in keys.given("moe_layers", "moe_layers_enum"):
        listed = _ids(keys, key, layers)
        yield key, tuple(i for i in every if i in listed)
    if period := keys.count("interleave_moe_layer_step"):
        yield "interleave_moe_layer_step", tuple(range(period - 1, layers, period))
    if keys.given("moe_layer_start_index"):
        start, end = keys.count("moe_layer_start_index", least=0) or 0, keys.count("moe_layer_end_index", least=-1)
        step = keys.count("moe_layer_interval") or 1
        between = range(start, layers if end in (None, -1) else end + 1)
        yield "moe_layer_start_index", tuple(i for i in every if i in between and (i + 1) % step == 0)
    for key, kind, kinds in (
        ("mlp_layer_types", "sparse", ("dense", "sparse")),
        ("layers_block_type", "moe", BLOCKS),
    ):
        if keys.given(key):
            row = keys.row(key, kinds, layers)
            yield key, tuple(i for i in every if row[i] == kind)
    if keys.given("hybrid_override_pattern"):
        pattern = hybrid_pattern(keys, layers)
        yield "hybrid_override_pattern", tuple(i for i in every if pattern[i] == "E")


def hybrid_pattern(keys: Keys, layers: int) -> str:
    """The letter of each layer of Nemotron-H: M is Mamba, * attention, - a dense layer, E has experts."""
    pattern = keys.text["hybrid_override_pattern"]
    if not isinstance(pattern, str) or not re.fullmatch(r"[ME*-]+", pattern):
        raise keys.wrong("hybrid_override_pattern", "a text of M, E, * and -")
    if len(pattern) != layers:
        raise FileFormatError(
            f"{keys.name}: 'hybrid_override_pattern' has {len(pattern)} letters, and the model {layers} layers"
        )
    return pattern


def _ids(keys: Keys, key: str, layers: int) -> set[int]:
    """Layers in a list, or in a text such as ``"3,4,5"``, draft layers included; no value is an empty list."""
    value = keys.text.get(key)
    if value is None:
        return set()
    if isinstance(value, str):
        value = [int(word) if re.fullmatch(r"\s*\d{1,6}\s*", word) else word for word in value.split(",")]
    known = range(layers + (keys.count("num_nextn_predict_layers", least=0) or 0))
    if not isinstance(value, list) or any(type(i) is not int or i not in known for i in value):
        raise keys.wrong(key, f"a list of layers from 0 to {layers - 1}")
    return set(value)


def _refuse_unknown(keys: Keys) -> None:
    unknown = [
        key
        for key in keys.given(*keys.text)
        if _ABOUT.search(key) and key not in _KNOWN and not key.startswith(("mtp", "num_"))
    ]
    if unknown:
        raise FileFormatError(
            f"{keys.name}: {list_few([repr(key) for key in unknown])} may say which layers have experts, and is not "
            f"known; {_WAY_OUT}"
        )
