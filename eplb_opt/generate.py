"""generate: synthetic loads with a known recipe, for demonstrations, tests and benchmarks."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from eplb_opt.arguments import natural_int, one_of, positive_int
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.loads import Loads

Family = Literal["lognormal", "rank", "dominant", "uniform"]


def generate_loads(
    *,
    num_experts: int = 256,
    num_layers: int = 58,
    num_windows: int = 1,
    family: str = "lognormal",
    skew: float = 1.0,
    shift: float = 0.0,
    tokens: int = 1_000_000,
    seed: int = 0,
) -> Loads:
    """Synthetic loads: a popularity for each expert, then multinomial token counts.

    Parameters
    ----------
    num_experts, num_layers, num_windows
        Shape of the loads. Windows share the popularities; they differ by sampling and by `shift`.
    family
        Popularities. ``"lognormal"``: exp(`skew` z), z standard normal. ``"rank"``: 1 / rank ** `skew`, ranks in random
        order. ``"dominant"``: one expert has `skew` times the load of all others together, which are equal.
        ``"uniform"``: all equal.
    skew
        See `family`; non-negative.
    shift
        Each window multiplies each popularity by exp(`shift` a z), z standard normal for the expert, a for the window.
        So windows differ along one direction in each layer, which in recordings of DeepSeek-V3 under different
        workloads has nearly all of the variance of the logarithms.
    tokens
        Assignments per layer and window.
    seed
        Same arguments, same loads.

    Raises
    ------
    InvalidArgumentError
        An unknown family, or a number out of range.
    """
    for name, value in {"experts": num_experts, "layers": num_layers, "windows": num_windows, "tokens": tokens}.items():
        positive_int(name, value)
    one_of("family", family, get_args(Family))
    for name, exponent in {"skew": skew, "shift": shift}.items():
        if not 0 <= exponent <= 100:
            raise InvalidArgumentError(f"{name}={exponent} is not in [0, 100]")
    natural_int("seed", seed)
    random = np.random.default_rng(seed)
    along = shift * random.standard_normal((num_windows, 1)) if shift else np.zeros((num_windows, 1))
    values = np.empty((num_windows, num_layers, num_experts), dtype=np.int64)
    for layer in range(num_layers):
        popularity = _popularity(family, num_experts, skew, random)
        if shift:
            popularity = popularity * np.exp(along * random.standard_normal(num_experts))
            values[:, layer] = random.multinomial(tokens, popularity / popularity.sum(axis=1, keepdims=True))
        else:
            values[:, layer] = random.multinomial(tokens, popularity / popularity.sum(), size=num_windows)
    shifted = f", shift {shift:g}" if shift else ""
    return Loads(values, source=f"generated: {family}, skew {skew:g}{shifted}, {tokens} tokens, seed {seed}")


def _popularity(family: str, num_experts: int, skew: float, random: np.random.Generator) -> np.ndarray:
    if family == "lognormal":
        return np.exp(skew * random.standard_normal(num_experts))
    if family == "rank":
        return random.permutation((np.arange(num_experts) + 1.0) ** -skew)
    if family == "dominant":
        popularity = np.full(num_experts, 1.0)
        popularity[random.integers(num_experts)] = max(1.0, skew * (num_experts - 1))
        return popularity
    return np.ones(num_experts)
