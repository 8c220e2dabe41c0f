"""Moves: experts on GPUs that the old plan did not have there, so that their weights have to be copied.

Slots of a GPU may be exchanged for free, and a further copy of what a GPU holds is free too: it is copied on the GPU.
So each expert counts once on a GPU, however many slots it has there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import InvalidPlanError
from eplb_opt.gpus import Gpus
from eplb_opt.plan import Plan

Ints = NDArray[np.int64]

# In slots that a GPU does not have: no expert, and not what an empty slot holds, so that it stays behind the others.
_NO_SLOT = -2


def moves_between(old: Plan, new: Plan) -> Ints:
    """What has to be copied: a row of (row of the layer in `new`, GPU, expert) per move, shape ``(moves, 3)``.

    In order of layers, GPUs and experts. No GPU is renamed: see `eplb_opt.renumbering`. The old plan may have more
    layers. An empty slot of the new plan needs nothing.

    Raises
    ------
    InvalidPlanError
        Plans that do not fit each other, see `rows_before`.
    """
    gpus, rows = new.deployment.gpus, (new.physical_to_logical, rows_before(old, new))
    after, before = (gpus.table(plan, filler=-1).reshape(len(plan), -1) for plan in rows)
    return _arrivals(after, before, new.deployment.num_gpus)


def rows_before(old: Plan, new: Plan) -> Ints:
    """The rows of the old plan for the layers of the new one, shape ``(layers, slots)``.

    Raises
    ------
    InvalidPlanError
        Other experts, GPUs or slots, in all or of a GPU, or layers that the old plan does not have.
    """
    sizes = {
        "experts": (old.num_experts, new.num_experts),
        "GPUs": (old.deployment.num_gpus, new.deployment.num_gpus),
        "slots": (old.deployment.num_slots, new.deployment.num_slots),
    }
    for what, (before, after) in sizes.items():
        if before != after:
            raise InvalidPlanError(f"no moves lead from {before} {what} to {after}: the plans have to be of one size")
    if old.deployment.gpu_slots != new.deployment.gpu_slots:
        raise InvalidPlanError("no moves lead from one plan to the other: their GPUs have other numbers of slots")
    counted = old.numbered_as(new.labels)
    if not set(new.layer_ids) <= set(counted.layer_ids):
        raise InvalidPlanError(
            f"the old plan has {counted.labels}, the new one {new.labels}: name the model, so that rows of layers "
            "without experts are left out, or make the plans of the same layers"
        )
    return counted.select(new.layer_ids).physical_to_logical


def of_equal_size(rows: Ints, gpus: Gpus) -> Ints:
    """Rows of slots, shape ``(layers, slots)``, with as many slots of each GPU as the largest has; those that a GPU
    does not have are negative. `count_moves` and `keep_slots` take them, and `Gpus.rows` leaves them out again.
    """
    return gpus.table(rows, _NO_SLOT).reshape(len(rows), -1)


def count_moves(rows: Ints, old: Ints, num_gpus: int) -> Ints:
    """Moves of each layer, shape ``(layers,)``; both of shape ``(layers, slots)``, empty slots negative."""
    moves: Ints = np.bincount(_arrivals(rows, old, num_gpus)[:, 0], minlength=len(rows))
    return moves


def keep_slots(rows: Ints, old: Ints, num_gpus: int) -> Ints:
    """`rows` with the slots of each GPU permuted, so that what stays on a GPU stays in its slot.

    Both of shape ``(layers, slots)``. Of an expert with several copies on a GPU as many stay as were there. What is new
    on a GPU fills its other slots in order.
    """
    size = rows.shape[1] // num_gpus
    new, before = rows.reshape(-1, size), _places_before(rows, old, num_gpus).reshape(-1, size)
    stays = before >= 0
    taken = np.zeros(new.shape, dtype=bool)
    gpu, slot = np.nonzero(stays)
    taken[gpu, before[gpu, slot]] = True
    free = np.argsort(taken, axis=1, kind="stable")
    turn = np.where(stays, 0, np.cumsum(~stays, axis=1) - 1)
    kept = np.empty_like(new)
    np.put_along_axis(kept, np.where(stays, before, np.take_along_axis(free, turn, axis=1)), new, axis=1)
    return kept.reshape(rows.shape)


def different_experts(contents: Ints) -> tuple[Ints, Ints]:
    """GPU and expert of all that GPUs hold, each pair once, in order; `contents` of shape ``(gpus, slots of a gpu)``.

    Empty slots, which are negative, hold nothing.
    """
    ordered = np.sort(np.maximum(contents, -1), axis=1)
    gpu, slot = np.nonzero(np.diff(ordered, axis=1, prepend=-1))
    return gpu, ordered[gpu, slot]


def _arrivals(rows: Ints, old: Ints, num_gpus: int) -> Ints:
    """A row of (layer, GPU, expert) for each expert that a GPU holds in `rows` and in no slot in `old`."""
    size = rows.shape[1] // num_gpus
    ids = 1 + max(table.max(initial=0) for table in (rows, old))
    after, before = (
        gpu * ids + expert for gpu, expert in (different_experts(table.reshape(-1, size)) for table in (rows, old))
    )
    place, expert = np.divmod(np.setdiff1d(after, before, assume_unique=True), ids)
    return np.stack([*np.divmod(place, num_gpus), expert], axis=1)


def _places_before(rows: Ints, old: Ints, num_gpus: int) -> Ints:
    """For each slot of `rows`, the slot of its GPU that held the same copy in `old`; -1 where that is a move."""
    if not len(rows):
        return np.empty_like(rows)
    size = rows.shape[1] // num_gpus
    ours, theirs = (_told_apart(table.reshape(-1, size)) for table in (rows, old))
    # Numbers of different GPUs apart, so that one search finds all. Those of empty slots are negative.
    least = min(ours.min(), theirs.min())
    gpu = np.arange(len(ours))[:, np.newaxis] * (max(ours.max(), theirs.max()) - least + 1)
    wanted, held = ((table - least + gpu).ravel() for table in (ours, theirs))
    order = np.argsort(held)
    found = order[np.searchsorted(held, wanted, sorter=order).clip(max=held.size - 1)]
    return np.where(held[found] == wanted, found % size, -1).reshape(rows.shape)


def _told_apart(contents: Ints) -> Ints:
    """For each GPU's slots, shape ``(gpus, slots of a gpu)``, a number that no two of its copies of an expert share.

    The first copies of an expert have the same number on all GPUs, and so have the second ones.
    """
    size = contents.shape[1]
    order = np.argsort(contents, axis=1, kind="stable")
    sorted_ = np.take_along_axis(contents, order, axis=1)
    begins = np.diff(sorted_, axis=1, prepend=sorted_[:, :1] - 1) != 0
    place = np.arange(size)
    copies = np.empty_like(contents)
    np.put_along_axis(copies, order, place - np.maximum.accumulate(np.where(begins, place, 0), axis=1), axis=1)
    apart: Ints = contents * size + copies
    return apart
