"""Memory: what slots cost on each GPU, and what they take from the KV cache. A GiB is 2**30 bytes."""

from __future__ import annotations

import math
from fractions import Fraction

from eplb_opt.arguments import positive_int
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.model import Model

GIB = 2**30


def expert_gib(model: Model) -> float:
    """GiB of an expert in one layer: what a move copies.

    Raises
    ------
    InvalidArgumentError
        A model whose `Model.expert_bytes` are not known.
    """
    return _known("an expert", model, model.expert_bytes) / GIB


def expert_gib_per_gpu(model: Model, slots_per_gpu: int) -> float:
    """GiB of experts on a GPU: slots x layers with experts x bytes of an expert.

    Every slot counts, whatever expert it holds; what engines keep beside them (shared experts, draft layers, buffers)
    does not.

    Raises
    ------
    InvalidArgumentError
        No positive number of slots, or a model whose `Model.expert_bytes` are not known.
    """
    return positive_int("slots_per_gpu", slots_per_gpu) * len(model.moe_layer_ids) * expert_gib(model)


def kv_tokens(model: Model, gib: float) -> int:
    """Tokens whose KV cache fits into so many GiB, rounded down.

    Of the whole model: what a GPU holds under data-parallel attention. With heads shared out over n GPUs, as under
    tensor parallelism without latent attention, the same GiB on each of them hold n times as many.

    Raises
    ------
    InvalidArgumentError
        No finite number of at least 0, or a model whose `Model.kv_bytes_per_token` are not known.
    """
    if not 0 <= gib < math.inf:
        raise InvalidArgumentError(f"gib={gib} is not a number of GiB of at least 0")
    return math.floor(Fraction(gib) * GIB / _known("a token of KV cache", model, model.kv_bytes_per_token))


def _known(what: str, model: Model, number: int | None) -> int:
    if number is None:
        raise InvalidArgumentError(
            f"how many bytes {what} of {model.name} has is not known; give the config.json of its checkpoint as the "
            "model"
        )
    return number
