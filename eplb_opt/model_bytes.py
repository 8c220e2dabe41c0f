"""Bytes of a model: of an expert's weights in the format of a checkpoint, and of a token's keys and values."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

# A number of a KV cache that is not quantized, bf16 or fp16.
KV_NUMBER = 2


@dataclass(frozen=True)
class WeightFormat:
    """How a matrix of weights is kept.

    Attributes
    ----------
    bits
        Of a weight.
    block
        Rows and columns that share a scale; None without scales of blocks. What a whole row or matrix shares is left
        out: less than a thousandth.
    scale_bytes
        Of a scale.
    """

    bits: int
    block: tuple[int, int] | None = None
    scale_bytes: int = 0

    def matrix_bytes(self, rows: int, columns: int) -> int:
        """Bytes of weights and scales; blocks at the edge count as whole ones."""
        weights = ceil(rows * columns * self.bits / 8)
        if self.block is None:
            return weights
        tall, wide = self.block
        return weights + ceil(rows / tall) * ceil(columns / wide) * self.scale_bytes


BF16 = WeightFormat(16)
# The blocks of DeepSeek-V3, arXiv:2412.19437. Engines keep their scales in float32, whatever a checkpoint does.
FP8 = WeightFormat(8, (128, 128), 4)
# OCP Microscaling Formats 1.0: 32 weights of a row share a scale of one byte.
MXFP4 = WeightFormat(4, (1, 32), 1)
# The groups of Kimi-K2.5, with bf16 scales.
INT4 = WeightFormat(4, (1, 32), 2)


def expert_bytes(width: int, inner: int, weights: WeightFormat, *, gated: bool = True) -> int:
    """Bytes of an expert's matrices in one layer: gate and up of shape ``(inner, width)``, down ``(width, inner)``.

    Parameters
    ----------
    width
        What an expert gets: the hidden size, or that of the latent space where experts work in one.
    inner
        Intermediate size of an expert.
    weights
        The format of all of them.
    gated
        Whether there is a gate; experts with squared ReLU have none.
    """
    return (1 + gated) * weights.matrix_bytes(inner, width) + weights.matrix_bytes(width, inner)


def latent_bytes(layers: int, rank: int, rope: int, number: int = KV_NUMBER) -> int:
    """Bytes of a token's KV in multi-head latent attention: a latent vector and one key with positions in each layer.

    Source: DeepSeek-V2, arXiv:2405.04434, section 2.1; engines cache nothing else.
    """
    return layers * (rank + rope) * number


def grouped_bytes(layers: int, heads: int, key: int, value: int, number: int = KV_NUMBER) -> int:
    """Bytes of a token's KV where each of `heads` (of keys and values) has `key` and `value` numbers in each layer."""
    return layers * heads * (key + value) * number


def index_bytes(layers: int, size: int) -> int:
    """Bytes of a token's keys of the indexer of DeepSeek sparse attention: fp8, a float32 scale for 128 numbers.

    Source: `head_dim + head_dim // quant_block_size * 4` in the models of vLLM 0.33.0, the same in SGLang 0.5.23.
    """
    return layers * (size + size // 128 * 4)
