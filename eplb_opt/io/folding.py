"""Folding: counts of slots summed over the replicas of each expert, and counts of ranks over the ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import InvalidLoadsError, InvalidPlanError


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
        Another shape than that of `mapping`, or a sum that leaves int64.
    """
    if counts.shape != mapping.shape:
        raise InvalidLoadsError(f"{name}: loads have shape {counts.shape}, the map of slots {mapping.shape}")
    if counts.dtype.kind == "i" and int(counts.max()) > np.iinfo(np.int64).max // counts.shape[1]:
        raise InvalidLoadsError(f"{name}: load {counts.max()} is more tokens than a recorder can count")
    experts = int(mapping.max()) + 1
    folded = np.zeros((len(mapping), experts), dtype=counts.dtype)
    layers, slots = np.nonzero(mapping >= 0)
    np.add.at(folded, (layers, mapping[layers, slots]), counts[layers, slots])
    return folded


def added(total: NDArray[Any] | None, counts: NDArray[Any], name: str) -> NDArray[Any]:
    """Counts of one more rank on top of the total so far; an `InvalidLoadsError` unless they are integers that fit."""
    if counts.dtype.kind != "i":
        raise InvalidLoadsError(f"{name} holds {counts.dtype} numbers, not counts")
    with np.errstate(over="ignore"):
        total = counts if total is None else total + counts
    # Counts are not negative: a sum of two that is, has left int64.
    if (total < 0).any():
        raise InvalidLoadsError(f"{name}: ranks sum to more tokens than int64 holds")
    return total
