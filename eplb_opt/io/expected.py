"""Expected: how many experts and layers whoever reads a recording says that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from eplb_opt.arguments import positive_int
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads


@dataclass(frozen=True)
class Expected:
    """Experts of a layer, and layers; ``None`` where nothing was said."""

    experts: int | None = None
    layers: int | None = None

    @classmethod
    def of(cls, experts: object, layers: object) -> Expected:
        """What the arguments say; an `InvalidArgumentError` for what is no positive integer."""
        return cls(
            None if experts is None else positive_int("experts", experts),
            None if layers is None else positive_int("layers", layers),
        )

    @property
    def said(self) -> bool:
        """Whether experts and layers are both known, so that every axis is what is meant."""
        return self.experts is not None and self.layers is not None

    def completed(self, recording: Recording) -> Recording:
        """The recording with experts up to the expected number, where the last ones may have no place in the file."""
        if not recording.open_ended or self.experts is None:
            return recording
        return replace(recording, blocks=_Padded(recording.blocks, self.experts), open_ended=False)

    def require(self, loads: Loads) -> None:
        """Refuse other loads.

        Raises
        ------
        InvalidLoadsError
            Another number of experts, or of layers: neither rows nor, where these are counted, decoder layers.
        """
        layers = {loads.num_layers} | ({loads.num_model_layers} if loads.numbering == "decoder" else set())
        found = f"{loads.source} has {' or '.join(map(str, sorted(layers)))} layers of {loads.num_experts} experts"
        if self.experts not in (None, loads.num_experts):
            raise InvalidLoadsError(f"{found}, not experts={self.experts}")
        if self.layers is not None and self.layers not in layers:
            raise InvalidLoadsError(f"{found}, not layers={self.layers}")


@dataclass(frozen=True)
class _Padded:
    """Blocks with experts without load behind the last one."""

    blocks: Iterable[Loads]
    experts: int

    def __iter__(self) -> Iterator[Loads]:
        for block in self.blocks:
            more = max(self.experts - block.num_experts, 0)
            values = np.pad(block.values, ((0, 0), (0, 0), (0, more)))
            yield Loads(values, source=block.source, **block.labels.fields)
