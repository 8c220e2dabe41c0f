"""Patterns of a GPU in several windows at once, found as pairs of halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eplb_opt.bounds.regions import Room
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.joint_patterns import BLOCK, BLOCKS, block_bounds, heaviest_through, list_halves, weigh
from eplb_opt.limits import Meter

# Blocks of halves that are looked at until the clock is.
_AT_ONCE = 256
# What fills up the last block fits nowhere.
_NOWHERE = np.inf


@dataclass(frozen=True, eq=False)
class _Halves:
    """Sets of items that fit a GPU, similar ones in a block, with the least loads of blocks and of larger blocks."""

    members: Ints
    loads: Floats
    least: Floats
    larger: Floats

    @classmethod
    def of(cls, items: WindowItems, room: Room, size: int, distinct: bool) -> _Halves:
        experts = items.experts if distinct else items.experts[:0]
        members = list_halves(items.loads, room, experts, size)
        parts = 1 << max(0, ((len(members) - 1) // BLOCK).bit_length())
        loads = np.full((parts * BLOCK, items.loads.shape[1]), _NOWHERE)
        loads[: len(members)] = items.loads[members].sum(axis=1)
        order = _blocks(loads)
        members = np.concatenate([members, np.zeros((len(loads) - len(members), size), dtype=np.int64)])[order]
        loads = loads[order]
        least = block_bounds(loads, BLOCK)
        return cls(members, loads, least, block_bounds(least, BLOCKS))

    @property
    def arrays(self) -> tuple[Ints, Floats, Floats, Floats]:
        """For compiled code."""
        return self.members, self.loads, self.least, self.larger

    def weighed(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """The weight of each half, and the largest of each block and larger block."""
        heat = np.empty(len(self.loads)), np.empty(len(self.least)), np.empty(len(self.larger))
        weigh(self.members, weights, *heat)
        return heat


def _blocks(loads: Floats) -> Ints:
    """An order in which rows of a block are alike: parts are halved by the window that varies most in them."""
    order = np.arange(len(loads)).reshape(1, -1)
    # What fits nowhere spreads no part.
    finite = np.minimum(loads, np.max(loads, axis=0, where=np.isfinite(loads), initial=0.0))
    parts = np.ascontiguousarray(finite.T)[:, np.newaxis]
    while (width := order.shape[1]) > BLOCK:
        widest = np.ptp(parts, axis=2).argmax(axis=0)
        keys = parts[widest, np.arange(len(order))]
        halved = np.argpartition(keys, width // 2 - 1, axis=1)
        order = np.take_along_axis(order, halved, axis=1).reshape(-1, width // 2)
        parts = np.take_along_axis(parts, halved[np.newaxis], axis=2).reshape(len(parts), -1, width // 2)
    return order.ravel()


@dataclass(frozen=True, eq=False)
class Found:
    """What a search for heavy patterns found.

    Attributes
    ----------
    heaviest
        Weight of the heaviest pattern; where none is heavier than was asked for, that.
    complete
        Whether all patterns were looked at.
    patterns
        The heaviest through each item that has one, as increasing items, shape ``(patterns, size)``.
    """

    heaviest: float
    complete: bool
    patterns: Ints


class JointPatterns:
    """Patterns of `size` items that fit the room of a GPU; of different experts if `distinct`.

    A pattern is two halves. Where all of them are listed, patterns need not be.
    """

    def __init__(self, items: WindowItems, room: Room, size: int, distinct: bool) -> None:
        self._room = room
        self._experts = items.experts if distinct else items.experts[:0]
        self._num_items = items.experts.size
        self._halves = _Halves.of(items, room, size - size // 2, distinct)
        self._others = self._halves if size % 2 == 0 else _Halves.of(items, room, size // 2, distinct)

    def __len__(self) -> int:
        """Halves that are listed."""
        return len(self._halves.loads)

    def heavier(self, weights: Floats, above: float, random: np.random.Generator, most: int, meter: Meter) -> Found:
        """Patterns that weigh more than `above`; the search ends early after about `most` of them, or out of time."""
        best, pairs = np.full(self._num_items, above), np.full((self._num_items, 2), -1)
        heat = self._halves.weighed(weights)
        other_heat = heat if self._others is self._halves else self._others.weighed(weights)
        order = random.permutation(len(self._halves.least))
        halves, others = self._halves.arrays, self._others.arrays
        heaviest, done = above, 0
        while done < order.size and most > 0 and not meter.exhausted:
            part = order[done : done + _AT_ONCE]
            top, looked_at, found = heaviest_through(
                halves, heat, others, other_heat, self._room, self._experts, above, most, part, best, pairs
            )
            heaviest, done, most = max(heaviest, top), done + looked_at, most - found
        pairs = pairs[pairs[:, 0] >= 0]
        patterns = np.sort(np.hstack([halves[0][pairs[:, 0]], others[0][pairs[:, 1]]]), axis=1)
        return Found(heaviest, done == order.size, np.unique(patterns, axis=0))
