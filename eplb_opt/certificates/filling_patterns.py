"""Patterns: all sets of slots that a GPU can hold within a max load, and with enough load for the others."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.limit import WorkLimit

# More halves of patterns, or more patterns, than these are not listed.
_MOST_HALVES, _MOST_PATTERNS = 6_000_000, 500_000
# In nanoseconds: to list a half or a pattern, and to ask for the exact load of one.
_PER_HALF, _PER_PATTERN, _PER_NEAR = 200, 400, 3_000
# Loads stay below this, so that sums of them are exact.
_MOST_LOAD = 2**48

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fillings:
    """What GPUs can hold.

    Attributes
    ----------
    experts, counts
        Of each item: a replica of an expert that has so many.
    patterns
        Rows of items, increasing: all that one GPU can hold, within the max load and with enough load for all others to
        carry the rest.
    again
        For each slot of a pattern how often its item is in the slots up to it.
    spare
        What a pattern leaves free below the max load, at least; and what all GPUs leave free, at most.
    """

    experts: Ints
    counts: Ints
    patterns: NDArray[np.int32]
    again: NDArray[np.int8]
    spare: Ints
    all_spare: int
    gpus: int
    num_experts: int


def fillings_of(layer: Layer, top: int, ranges: Ranges, limit: WorkLimit) -> Fillings:
    """What GPUs can hold, with counts within ranges.

    Raises
    ------
    CertificateError
        There are too many patterns, or listing them is more work than the limit.
    """
    rows = [(e, count) for e, (low, high) in enumerate(zip(*ranges, strict=True)) for count in range(low, high + 1)]
    loads = [layer.loads[expert] // count for expert, count in rows]
    # Sums of loads are multiples of their common divisor. Rounded down, they are not above the max load rounded down,
    # and leave as much less free as there are slots.
    step = gcd(*loads) or 1
    shift = max(0, (top // step).bit_length() - _MOST_LOAD.bit_length() + 1)
    rounding = layer.slots_per_gpu if shift else 0
    most, all_spare = top // step >> shift, layer.gpus * (top // step) - sum(layer.loads) // step >> shift
    all_spare += bool(shift)
    scaled = np.array([min(load // step >> shift, most + 1) for load in loads], dtype=np.int64)
    order = np.argsort(scaled, kind="stable")
    experts, counts = np.array(rows, dtype=np.int64)[order].T
    least = most - all_spare - rounding
    patterns = _patterns(scaled[order], experts, counts, layer.slots_per_gpu, (least, most), layer.distinct, limit)
    sums = scaled[order][patterns].sum(axis=1)
    if shift:
        # Which of those near the max load are within it, whole numbers of any length say.
        near = np.flatnonzero(sums > most - rounding)
        limit.spend(_PER_NEAR * near.size)
        above = [row for row in near.tolist() if sum(loads[order[item]] for item in patterns[row]) > top]
        patterns, sums = np.delete(patterns, above, axis=0), np.delete(sums, above)
    spare = np.maximum(0, most - rounding - sums)
    # Items that are in no pattern have no place.
    used, place_of = np.unique(patterns, return_inverse=True)
    table = place_of.reshape(-1, layer.slots_per_gpu).astype(np.int32)
    again = np.ones(table.shape, dtype=np.int8)
    for place in range(1, layer.slots_per_gpu):
        again[:, place] += (table[:, :place] == table[:, place : place + 1]).sum(axis=1, dtype=np.int8)
    return Fillings(experts[used], counts[used], table, again, spare, all_spare, layer.gpus, len(layer.loads))


def _patterns(
    loads: Ints, experts: Ints, counts: Ints, size: int, room: tuple[int, int], distinct: bool, limit: WorkLimit
) -> Ints:
    """All rows of `size` items, increasing, whose loads, which increase, sum to at least and at most so much.

    A pattern is a half of its lighter items and one of the heavier: for each of the former, the latter are an interval
    of all such halves by their load.
    """
    heavy, light = size // 2, size - size // 2
    halves = _halves(loads, experts, counts, light, room[1], distinct, limit)
    others = halves if heavy == light else _halves(loads, experts, counts, heavy, room[1], distinct, limit)
    sums = loads[others].sum(axis=1)
    order = np.argsort(sums, kind="stable")
    others, sums = others[order], sums[order]
    own = loads[halves].sum(axis=1)
    begin, end = np.searchsorted(sums, room[0] - own, "left"), np.searchsorted(sums, room[1] - own, "right")
    number = np.maximum(end - begin, 0)
    if int(number.sum()) > _MOST_PATTERNS * size:
        raise CertificateError("there are too many patterns")
    limit.spend(_PER_PATTERN * int(number.sum()))
    first = np.repeat(np.arange(len(halves)), number)
    second = np.arange(first.size) - np.repeat(np.cumsum(number) - number - begin, number)
    patterns = np.column_stack([halves[first], others[second]])
    return patterns[_go_together(patterns, light, experts, counts, distinct)]


def _halves(loads: Ints, experts: Ints, counts: Ints, size: int, most: int, distinct: bool, limit: WorkLimit) -> Ints:
    """All rows of `size` items, increasing, that one GPU can hold among others."""
    halves = np.empty((1, 0), dtype=np.int64)
    for place in range(size):
        begin = halves[:, -1] + int(distinct) if place else np.zeros(1, dtype=np.int64)
        left = most - loads[halves].sum(axis=1)
        number = np.maximum(np.searchsorted(loads, left, side="right") - begin, 0)
        if int(number.sum()) > _MOST_HALVES:
            raise CertificateError("there are too many patterns")
        limit.spend(_PER_HALF * int(number.sum()))
        before = np.repeat(np.arange(len(halves)), number)
        last = np.arange(before.size) - np.repeat(np.cumsum(number) - number - begin, number)
        halves = np.column_stack([halves[before], last])
        halves = halves[_go_together(halves, place, experts, counts, distinct)]
    return halves


def _go_together(rows: Ints, place: int, experts: Ints, counts: Ints, distinct: bool) -> NDArray[np.bool_]:
    """Whether one GPU may hold the items of rows, where it may hold those before `place` and those from there on."""
    fits = np.ones(len(rows), dtype=np.bool_)
    if not 0 < place < rows.shape[1]:
        return fits
    fits &= rows[:, place - 1] <= rows[:, place] - int(distinct)
    for one in range(place):
        for other in range(place, rows.shape[1]):
            same = experts[rows[:, one]] == experts[rows[:, other]]
            fits &= ~same if distinct else ~same | (rows[:, one] == rows[:, other])
    if not distinct:
        # The same item next to itself, as often as it is in the row, is there no more often than its count says.
        for one in range(rows.shape[1]):
            fits &= (rows == rows[:, one : one + 1]).sum(axis=1) <= counts[rows[:, one]]
    return fits
