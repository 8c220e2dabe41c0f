"""Models: layers, experts, groups and bytes of MoE models that are served, by name.

Source: the models' own ``config.json`` (`eplb_opt.io.model_config` has the keys), as shipped with aiconfigurator-core
0.12. Models without such a source are not listed. Bytes of an expert are those of the checkpoint of that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from reprlib import repr as short

from eplb_opt.arguments import one_of
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.model import Model
from eplb_opt.model_bytes import (
    BF16,
    FP8,
    INT4,
    MXFP4,
    expert_bytes,
    grouped_bytes,
    index_bytes,
    latent_bytes,
)


def _model(
    name: str,
    num_layers: int,
    num_experts: int,
    experts_per_token: int,
    moe_layers: Iterable[int] | None = None,
    *,
    groups: int = 1,
    drafts: int = 0,
    expert: int | None = None,
    kv: int | None = None,
) -> Model:
    ids = tuple(range(num_layers) if moe_layers is None else moe_layers)
    return Model(name, num_layers, ids, num_experts, experts_per_token, groups, drafts, expert, kv)


def _grouped(layers: int, heads: int, size: int = 128) -> int:
    return grouped_bytes(layers, heads, size, size)


# Shapes that several models have.
_DEEPSEEK = expert_bytes(7168, 2048, FP8)
_LATENT = latent_bytes(61, 512, 64)

# The blocks of Nemotron-3-Super: E has experts, * attention, M is Mamba.
_NEMOTRON = "MEMEMEM*EMEMEMEM*EMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEM*EMEMEMEME"

_ALL = (
    _model("deepseek-v3", 61, 256, 8, range(3, 61), groups=8, drafts=1, expert=_DEEPSEEK, kv=_LATENT),
    _model("deepseek-r1", 61, 256, 8, range(3, 61), groups=8, drafts=1, expert=_DEEPSEEK, kv=_LATENT),
    _model("deepseek-v3.1", 61, 256, 8, range(3, 61), groups=8, drafts=1, expert=_DEEPSEEK, kv=_LATENT),
    _model(
        "deepseek-v3.2",
        61,
        256,
        8,
        range(3, 61),
        groups=8,
        drafts=1,
        expert=_DEEPSEEK,
        kv=_LATENT + index_bytes(61, 128),
    ),
    _model("deepseek-v4-flash", 43, 256, 6, drafts=1, expert=expert_bytes(4096, 2048, MXFP4)),
    _model("deepseek-v4-pro", 61, 384, 6, drafts=1, expert=expert_bytes(7168, 3072, MXFP4)),
    _model("kimi-k2", 61, 384, 8, range(1, 61), expert=_DEEPSEEK, kv=_LATENT),
    _model("kimi-k2.5", 61, 384, 8, range(1, 61), expert=expert_bytes(7168, 2048, INT4), kv=_LATENT),
    # Experts work in a latent space of 3584; 24 of the layers have full attention.
    _model("kimi-k3", 93, 896, 16, range(1, 93), expert=expert_bytes(3584, 3072, MXFP4), kv=latent_bytes(24, 512, 64)),
    _model("qwen3-235b-a22b", 94, 128, 8, expert=expert_bytes(4096, 1536, BF16), kv=_grouped(94, 4)),
    _model("qwen3-30b-a3b", 48, 128, 8, expert=expert_bytes(2048, 768, BF16), kv=_grouped(48, 4)),
    _model("qwen3-coder-480b-a35b", 62, 160, 8, expert=expert_bytes(6144, 2560, BF16), kv=_grouped(62, 8)),
    # A quarter of the layers of Qwen3.5 have full attention.
    _model("qwen3.5-397b-a17b", 60, 512, 10, expert=expert_bytes(4096, 1024, BF16), kv=_grouped(15, 2, 256)),
    _model("qwen3.5-122b-a10b", 48, 256, 8, expert=expert_bytes(3072, 1024, BF16), kv=_grouped(12, 2, 256)),
    _model("qwen3.5-35b-a3b", 40, 256, 8, expert=expert_bytes(2048, 512, BF16), kv=_grouped(10, 2, 256)),
    _model(
        "glm-5",
        78,
        256,
        8,
        range(3, 78),
        drafts=1,
        expert=expert_bytes(6144, 2048, BF16),
        kv=latent_bytes(78, 512, 64) + index_bytes(78, 128),
    ),
    _model("minimax-m2.5", 62, 256, 8, expert=expert_bytes(3072, 1536, FP8), kv=_grouped(62, 8)),
    _model("minimax-m3", 60, 128, 4, range(3, 60), drafts=1, expert=expert_bytes(6144, 3072, BF16)),
    _model("gpt-oss-120b", 36, 128, 4, expert=expert_bytes(2880, 2880, MXFP4)),
    _model("gpt-oss-20b", 24, 32, 4, expert=expert_bytes(2880, 2880, MXFP4)),
    _model("llama-4-maverick", 48, 128, 1, range(1, 48, 2), expert=expert_bytes(5120, 8192, BF16)),
    _model("llama-4-scout", 48, 16, 1, expert=expert_bytes(5120, 8192, BF16)),
    _model("mixtral-8x7b", 32, 8, 2, expert=expert_bytes(4096, 14336, BF16), kv=_grouped(32, 8)),
    _model("mixtral-8x22b", 56, 8, 2, expert=expert_bytes(6144, 16384, BF16), kv=_grouped(56, 8)),
    _model("mimo-v2-flash", 48, 256, 8, range(1, 48), expert=expert_bytes(4096, 2048, FP8)),
    # Its checkpoints, in bf16, fp8 and nvfp4, have no name in common that says which.
    _model(
        "nemotron-3-super",
        len(_NEMOTRON),
        512,
        22,
        [place for place, kind in enumerate(_NEMOTRON) if kind == "E"],
        drafts=1,
        kv=_grouped(_NEMOTRON.count("*"), 2),
    ),
    _model("step-3.7-flash", 45, 288, 8, range(3, 45), drafts=3, expert=expert_bytes(4096, 1280, BF16)),
)

MODELS = {model.name: model for model in _ALL}

# Checkpoints of these shapes whose names go on: trained further, or with other weights.
_CHECKPOINTS = {
    "deepseek-v3": ("deepseek-v3-base", "deepseek-v3-0324"),
    "deepseek-r1": ("deepseek-r1-zero", "deepseek-r1-0528"),
    "deepseek-v3.1": ("deepseek-v3.1-base", "deepseek-v3.1-terminus"),
    "deepseek-v3.2": ("deepseek-v3.2-exp",),
    "kimi-k2": ("kimi-k2-base", "kimi-k2-instruct", "kimi-k2-instruct-0905", "kimi-k2-thinking"),
    "qwen3-235b-a22b": (
        "qwen3-235b-a22b-fp8",
        "qwen3-235b-a22b-instruct-2507",
        "qwen3-235b-a22b-instruct-2507-fp8",
        "qwen3-235b-a22b-thinking-2507",
        "qwen3-235b-a22b-thinking-2507-fp8",
    ),
    "qwen3-30b-a3b": (
        "qwen3-30b-a3b-base",
        "qwen3-30b-a3b-fp8",
        "qwen3-30b-a3b-instruct-2507",
        "qwen3-30b-a3b-instruct-2507-fp8",
        "qwen3-30b-a3b-thinking-2507",
        "qwen3-30b-a3b-thinking-2507-fp8",
    ),
    "qwen3-coder-480b-a35b": ("qwen3-coder-480b-a35b-instruct", "qwen3-coder-480b-a35b-instruct-fp8"),
    "llama-4-maverick": (
        "llama-4-maverick-17b-128e",
        "llama-4-maverick-17b-128e-instruct",
        "llama-4-maverick-17b-128e-instruct-fp8",
    ),
    "llama-4-scout": ("llama-4-scout-17b-16e", "llama-4-scout-17b-16e-instruct"),
    "mixtral-8x7b": ("mixtral-8x7b-v0.1", "mixtral-8x7b-instruct-v0.1"),
    "mixtral-8x22b": ("mixtral-8x22b-v0.1", "mixtral-8x22b-instruct-v0.1"),
}
_NAMES = {other: name for name, others in _CHECKPOINTS.items() for other in others} | {name: name for name in MODELS}

# Checkpoints whose weights have another format than those of their model: bytes of an expert, None where not known.
_EXPERT_BYTES = {
    "kimi-k2-thinking": None,
    "llama-4-maverick-17b-128e-instruct-fp8": None,
    "qwen3-235b-a22b-fp8": expert_bytes(4096, 1536, FP8),
    "qwen3-235b-a22b-instruct-2507-fp8": None,
    "qwen3-235b-a22b-thinking-2507-fp8": None,
    "qwen3-30b-a3b-fp8": expert_bytes(2048, 768, FP8),
    "qwen3-30b-a3b-instruct-2507-fp8": None,
    "qwen3-30b-a3b-thinking-2507-fp8": None,
    "qwen3-coder-480b-a35b-instruct-fp8": None,
}


def as_model(model: object) -> Model | None:
    """The model itself, or that of a name; ``None`` where none is given.

    Raises
    ------
    InvalidArgumentError
        A name that is not known, or something else.
    """
    if model is None or isinstance(model, Model):
        return model
    if isinstance(model, str):
        return model_of(model)
    raise InvalidArgumentError(
        f"model={short(model)} is neither a Model nor the name of one; eplb_opt.io.model_config.read_model reads a file"
    )


def model_of(name: str) -> Model:
    """The model of this name, as in `MODELS` or as on Hugging Face: case and what is before a slash do not count.

    A checkpoint with weights of another format is the same model, with other `Model.expert_bytes`.

    Raises
    ------
    InvalidArgumentError
        A name that is not known; the message lists those of `MODELS`. Variants are not guessed.
    """
    checkpoint = name.rpartition("/")[2].lower()
    model = MODELS[one_of("model", _NAMES.get(checkpoint, name), MODELS)]
    if checkpoint in _EXPERT_BYTES:
        return replace(model, expert_bytes=_EXPERT_BYTES[checkpoint])
    return model
