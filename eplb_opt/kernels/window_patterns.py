"""Patterns of several windows between limits: all ways to fill a GPU within them, each made of two halves on a grid."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, combinations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled

# Cells of the grid along each of its two windows.
_CELLS = 32


def window_patterns(loads: Floats, experts: Ints, size: int, least: Floats, most: Floats, limit: int) -> Ints | None:
    """All choices of `size` items of different experts with loads ``least .. most``, as increasing items in rows.

    Items have `loads`, shape ``(items, windows)``, and `experts`, which do not decrease. ``None`` where there are more
    than `limit`; what is at a limit but for rounding may be missed. A choice is a half and a rest that begins after it.
    Rests lie on a grid over two windows, so that a half looks only at those that its loads ask for.
    """
    halves, rests = _choices(experts, size // 2), _choices(experts, size - size // 2)
    sums, rest_sums = loads[halves].sum(axis=0), loads[rests].sum(axis=0)
    axes = _axes(loads, most - least)
    low = rest_sums[:, axes].min(axis=0)
    across = np.ptp(rest_sums[:, axes], axis=0)
    scale = _CELLS / np.where(across > 0, across, 1.0)
    x, y = _cells(rest_sums[:, axes] - low, scale).T
    # In a cell those that begin late come first, as a half ends before its rest.
    order = np.argsort((x * _CELLS + y)[::-1].astype(np.uint16), kind="stable")
    rests, rest_sums = np.ascontiguousarray(rests[:, ::-1][:, order]), rest_sums[::-1][order]
    begin = np.zeros(_CELLS**2 + 1, dtype=np.int64)
    begin[1:] = np.bincount(x * _CELLS + y, minlength=_CELLS**2).cumsum()
    patterns = np.empty((limit, size), dtype=np.int64)
    corners = np.stack([_cells(edge[axes] - sums[:, axes] - low, scale) for edge in (least, most)])
    found = _join(halves, sums, rests, rest_sums, begin, corners, experts, least, most, patterns)
    return None if found < 0 else patterns[:found]


@lru_cache(maxsize=256)
def _combinations(number: int, size: int) -> Ints:
    flat = np.fromiter(chain.from_iterable(combinations(range(number), size)), dtype=np.int64)
    return flat.reshape(-1, size).T.copy()


def _choices(experts: Ints, size: int) -> Ints:
    """All choices of so many items of different experts, as increasing items in columns, in lexicographic order."""
    choices = _combinations(experts.size, size)
    taken = experts[choices]
    # In one order of memory, whatever their size: code is compiled anew for another.
    return np.ascontiguousarray(choices[:, (taken[1:] != taken[:-1]).all(axis=0)])


def _cells(distances: Floats, scale: Floats) -> Ints:
    """Along each axis the cell of a distance from the first one; what is beyond the last is in that."""
    return np.clip(np.floor(distances * scale), -1, _CELLS - 1).astype(np.int64, order="C")


def _axes(loads: Floats, room: Floats) -> list[int]:
    """Two windows for a grid: the one with the least room for its deviation, and what has least beside it."""
    covariance = np.atleast_2d(np.cov(loads.T)) + np.finfo(float).tiny * np.eye(room.size)
    variance = np.diagonal(covariance)
    first = int(np.argmin(room / np.sqrt(variance)))
    beside = np.maximum(variance - covariance[first] ** 2 / variance[first], np.finfo(float).tiny)
    beside[first] = np.finfo(float).tiny
    return [first, int(np.argmin(room / np.sqrt(beside)))]


@compiled
def _join(
    halves: Ints,
    sums: Floats,
    rests: Ints,
    rest_sums: Floats,
    begin: Ints,
    corners: Ints,
    experts: Ints,
    least: Floats,
    most: Floats,
    patterns: Ints,
) -> int:
    """Into `patterns` each half with each rest of the cells between its two `corners` that fits; how many, or -1."""
    cells, found = _CELLS, 0
    for half in range(halves.shape[1]):
        last = halves[-1, half]
        for x in range(max(corners[0, half, 0], 0), corners[1, half, 0] + 1):
            for y in range(max(corners[0, half, 1], 0), corners[1, half, 1] + 1):
                for rest in range(begin[x * cells + y], begin[x * cells + y + 1]):
                    if rests[0, rest] <= last:
                        break
                    fits = experts[rests[0, rest]] != experts[last]
                    for k in range(least.size):
                        load = sums[half, k] + rest_sums[rest, k]
                        fits &= least[k] <= load and load <= most[k]
                    if not fits:
                        continue
                    if found == patterns.shape[0]:
                        return -1
                    # One by one, as a whole row takes the compiler seconds.
                    for place in range(halves.shape[0]):
                        patterns[found, place] = halves[place, half]
                    for place in range(rests.shape[0]):
                        patterns[found, halves.shape[0] + place] = rests[place, rest]
                    found += 1
    return found
