"""Time model: microseconds that a GPU spends on the experts of one layer, from its active replicas and its tokens.

Source: TEMPO (arXiv 2608.13057), with constants measured on one GPU. A small batch streams weights: its time goes with
the replicas that get any token. A large one computes: its time goes with the tokens.
"""

from __future__ import annotations

import os
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from reprlib import repr as short
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import finite_number, one_of, positive_int
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.files import parse_json, read_text

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TimeModel:
    """``max(streaming + per_replica * active replicas, computing + per_token * tokens)`` microseconds.

    A token that asks for k experts is k tokens of this formula. Where GPUs have different speeds, constants are those
    of a GPU of speed 1, and tokens those that wait, tokens / speed. Attention, communication between GPUs and waiting
    for anything but the hottest GPU are outside; `share_of_step` says how much of a step is inside.

    Attributes
    ----------
    per_replica
        Microseconds to stream the weights of one active replica.
    per_token
        Microseconds to compute one token in one expert.
    streaming, computing
        Microseconds of a layer before the first replica and before the first token.
    experts_per_token
        Experts that a token asks for, where the constants are those of one model; ``None``: not known.
    share_of_step
        Part of the time of a step that is spent in experts, in (0, 1], measured by the user; ``None``: not known.
    source
        Where the constants come from, for people.

    Raises
    ------
    InvalidArgumentError
        Constants that are negative or no finite numbers, none above 0 of the first two, or a share outside (0, 1].
    """

    per_replica: float
    per_token: float
    streaming: float = 0.0
    computing: float = 0.0
    experts_per_token: int | None = None
    share_of_step: float | None = None
    source: str = "given by the user"

    def __post_init__(self) -> None:
        for name in ("per_replica", "per_token", "streaming", "computing"):
            if finite_number(name, getattr(self, name)) < 0:
                raise InvalidArgumentError(
                    f"{name}={getattr(self, name)} is not a number of microseconds of at least 0"
                )
        if not self.per_replica + self.per_token:
            raise InvalidArgumentError("per_replica and per_token are both 0: such a layer takes no time")
        if self.experts_per_token is not None:
            positive_int("experts_per_token", self.experts_per_token)
        if self.share_of_step is not None and not 0 < finite_number("share_of_step", self.share_of_step) <= 1:
            raise InvalidArgumentError(f"share_of_step={self.share_of_step} is not in (0, 1]")

    @classmethod
    def preset(cls, name: str) -> TimeModel:
        """Published constants, by the name of a model and of its kernels: a key of `PRESETS`.

        Raises
        ------
        InvalidArgumentError
            Another name; the message lists those that there are.
        """
        return PRESETS[one_of("time_model", name, PRESETS)]

    @classmethod
    def of(cls, name: str | os.PathLike[str]) -> TimeModel:
        """The preset of this name, or the constants in a file: a JSON object with the fields of this class.

        Raises
        ------
        InvalidArgumentError
            A name that is neither, or constants that are refused.
        FileFormatError
            A file that cannot be read, is no such object, or has other fields.
        """
        path = os.fspath(name)
        if path in PRESETS:
            return PRESETS[path]
        if not path.lower().endswith(".json") and not Path(path).exists():
            raise InvalidArgumentError(f"time_model={short(path)} is neither a file nor one of {', '.join(PRESETS)}")
        return cls(**_constants(parse_json(read_text(path), path), path))

    def microseconds(self, active: Floats, tokens: Floats) -> Floats:
        """Time of a layer on GPUs with so many active replicas and tokens, elementwise."""
        streamed: Floats = self.streaming + self.per_replica * active
        return np.maximum(streamed, self.computing + self.per_token * tokens)


def _constants(content: Any, path: str) -> dict[str, Any]:
    """The fields of a time model in a file's content."""
    known = fields(TimeModel)
    needed = [field.name for field in known if field.default is MISSING]
    if not isinstance(content, dict):
        raise FileFormatError(f"{path} is not an object with {' and '.join(needed)}, microseconds each")
    names = [field.name for field in known]
    for name in content:
        one_of(f"{path}: field", name, names, FileFormatError)
    for name in needed:
        if name not in content:
            raise FileFormatError(f"{path} lacks {name}, in microseconds")
    return {"source": path, **content}


_TEMPO = "TEMPO, arXiv 2608.13057"
PRESETS = {
    "deepseek-v3-fp8": TimeModel(per_replica=14.78, per_token=0.0945, experts_per_token=8, source=_TEMPO),
    "deepseek-v3-bf16": TimeModel(per_replica=45.29, per_token=0.137, experts_per_token=8, source=_TEMPO),
    "deepseek-v2-lite": TimeModel(per_replica=2.99, per_token=0.0179, experts_per_token=6, source=_TEMPO),
    "qwen3-30b": TimeModel(per_replica=1.74, per_token=0.0108, experts_per_token=8, source=_TEMPO),
}
