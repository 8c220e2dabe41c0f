"""Tensors in files: what torch saved, as lists, and back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import MissingPackageError


def listed(value: Any) -> Any:
    """A tensor or an array as nested lists of Python numbers; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def saved(arrays: dict[str, NDArray[np.int64]]) -> bytes:
    """A .pt file with a dictionary of int64 CPU tensors, which ``torch.load(..., weights_only=True)`` reads."""
    try:
        import torch
    except ImportError:
        raise MissingPackageError("writing .pt files needs torch: pip install torch") from None
    stream = io.BytesIO()
    torch.save({name: torch.tensor(array, dtype=torch.int64) for name, array in arrays.items()}, stream)
    return stream.getvalue()
