"""Folding: counts of slots summed over the replicas of each expert, and counts of ranks over the ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import InvalidLoadsError, InvalidPlanError
from eplb_opt.tokens import LIMIT, too_many


def slot_map(values: Any, name: str) -> NDArray[np.int64]:
    """Expert of each slot in every layer, shape ``(layers, slots)``; -1 is a slot without an expert.

    Raises
    ------
    InvalidPlanError
        Something else than equally long rows of integers from -1 on, or an expert without a slot.
    """
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (ValueError, TypeError, RuntimeError):
        array = np.array(None)
    if array.dtype.kind not in "iu" or array.ndim != 2 or not array.size:
        raise InvalidPlanError(f"{name} is not a row of expert ids for each layer")
    lowest, experts = int(array.min()), int(array.max()) + 1
    if lowest < -1 or experts > array.shape[1]:
        wrong = lowest if lowest < -1 else experts - 1
        raise InvalidPlanError(f"{name} holds expert {wrong}, and {array.shape[1]} slots hold experts 0 and on")
    mapping = array.astype(np.int64)
    for layer, row in enumerate(mapping):
        missing = np.flatnonzero(np.bincount(row[row >= 0], minlength=experts) == 0)
        if missing.size:
            raise InvalidPlanError(f"{name} has no slot for expert {missing[0]} in layer row {layer}")
    return mapping


def fold(counts: NDArray[Any], mapping: NDArray[np.int64], name: str) -> NDArray[Any]:
    """Counts of experts, shape ``(layers, experts)``, from those of slots; slots without an expert are left out.

    Raises
    ------
    InvalidLoadsError
        Another shape than that of `mapping`.
    """
    if counts.shape != mapping.shape:
        raise InvalidLoadsError(f"{name}: loads have shape {counts.shape}, the map of slots {mapping.shape}")
    experts = int(mapping.max()) + 1
    folded = np.zeros((len(mapping), experts), dtype=counts.dtype)
    layers, slots = np.nonzero(mapping >= 0)
    np.add.at(folded, (layers, mapping[layers, slots]), counts[layers, slots])
    return folded


def added(total: NDArray[Any] | None, counts: NDArray[Any], name: str) -> NDArray[Any]:
    """Counts of one more rank on top of the total so far; an `InvalidLoadsError` if they are no integers, or many."""
    if counts.dtype.kind != "i":
        raise InvalidLoadsError(f"{name} holds {counts.dtype} numbers, not counts")
    total = counts if total is None else total + counts
    if (total >= LIMIT).any():
        raise InvalidLoadsError(too_many(f"{name}: the sum of ranks"))
    return total
