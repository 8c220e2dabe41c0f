"""Patterns of a GPU in several windows at once: whether any that fits weighs more than a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.limit import WorkLimit

# Halves of patterns are not listed where their members and loads are more numbers than this.
_MOST_NUMBERS = 12_000_000
# In nanoseconds, for each window: to list a half and to sort it, to put a leaf into its tree, and to look at a pair of
# nodes. And to compare the experts of two members.
_PER_HALF, _PER_LEAF, _PER_PAIR, _PER_EXPERT = 250, 250, 20, 2
# So many halves are in any order, as sorting them takes longer than it saves.
_ALIKE = 8
# Pairs of nodes that are looked at together.
_AT_ONCE = 1 << 18
# Lighter than any weights together, and more than any numbers that may be added up.
_NOTHING, _TOO_LARGE = -(2**62), 2**62


@dataclass(frozen=True, eq=False)
class Room:
    """What a GPU may carry: at most `upper` in each window, and at most `most` in the sum over windows by `shares`.

    Loads below `lower` count as that in the sum. All are whole numbers, shape ``(windows,)``.
    """

    upper: NDArray[np.int64]
    lower: NDArray[np.int64]
    shares: NDArray[np.int64]
    most: int

    def fits(self, loads: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether loads, shape ``(windows, rows)``, fit."""
        within, total = np.ones(loads.shape[1], dtype=bool), np.zeros(loads.shape[1], dtype=np.int64)
        for own, upper, lower, share in zip(loads, self.upper, self.lower, self.shares, strict=True):
            within &= own <= upper
            total += np.clip(own, lower, upper) * share
        return within & (total <= self.most)


@dataclass(frozen=True, eq=False)
class Items:
    """What patterns are made of: replicas of an expert at some counts.

    Attributes
    ----------
    loads
        Shape ``(windows, items)``, whole numbers.
    weights, experts
        Shape ``(items,)``.
    room
        What a GPU may carry.
    """

    loads: NDArray[np.int64]
    weights: NDArray[np.int64]
    experts: NDArray[np.int64]
    room: Room


def none_heavier(items: Items, size: int, distinct: bool, most: int, limit: WorkLimit) -> bool:
    """Whether no `size` items that fit a GPU weigh more than `most`; with `distinct`, of different experts.

    A pattern is a half and another one. Halves are the leaves of binary trees, whose nodes know the least loads and the
    largest weight of their halves: pairs of nodes that cannot hold a pattern are not looked into.
    """
    pairable, partners = _pairable(items, size, distinct, most, limit)
    halves = _Trees.of(pairable, items.room.upper, limit)
    others = halves if partners is pairable else _Trees.of(partners, items.room.upper, limit)
    roots, other_roots = (np.arange(trees.weights[-1].size) for trees in (halves, others))
    pairs = np.repeat(roots, other_roots.size), np.tile(other_roots, roots.size)
    pending = [(len(halves.weights) - 1, len(others.weights) - 1, *pairs)]
    while pending:
        level, other_level, nodes, other_nodes = pending.pop()
        if halves is others and level == other_level:
            # Two halves are a pair once.
            once = nodes <= other_nodes
            nodes, other_nodes = nodes[once], other_nodes[once]
        limit.spend(_PER_PAIR * len(items.loads) * nodes.size)
        open_ = halves.weights[level][nodes] + others.weights[other_level][other_nodes] > most
        nodes, other_nodes = nodes[open_], other_nodes[open_]
        fits = items.room.fits(halves.loads[level][:, nodes] + others.loads[other_level][:, other_nodes])
        nodes, other_nodes = nodes[fits], other_nodes[fits]
        if not level and not other_level:
            limit.spend(_PER_EXPERT * nodes.size * size * size)
            if _any_pattern(items, halves.members[nodes], others.members[other_nodes], distinct):
                return False
        elif nodes.size > _AT_ONCE:
            middle = nodes.size // 2
            pending.append((level, other_level, nodes[:middle], other_nodes[:middle]))
            pending.append((level, other_level, nodes[middle:], other_nodes[middle:]))
        elif level >= other_level:
            pending.append((level - 1, other_level, _children(nodes), np.repeat(other_nodes, 2)))
        else:
            pending.append((level, other_level - 1, np.repeat(nodes, 2), _children(other_nodes)))
    return True


def _children(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.column_stack([2 * nodes, 2 * nodes + 1]).ravel()


def _any_pattern(items: Items, halves: NDArray[np.int64], others: NDArray[np.int64], distinct: bool) -> bool:
    """Whether any of these pairs is a pattern: with `distinct`, the experts of the two differ."""
    if not distinct or not others.shape[1]:
        return bool(len(halves))
    shared, experts = np.zeros(len(halves), dtype=bool), items.experts[others]
    for column in halves.T:
        shared |= (items.experts[column][:, np.newaxis] == experts).any(axis=1)
    return not shared.all()


@dataclass(frozen=True, eq=False)
class _Halves:
    """Sets of items, shape ``(sets, size)``, their loads, shape ``(windows, sets)``, and weights, shape ``(sets,)``."""

    members: NDArray[np.int64]
    loads: NDArray[np.int64]
    weights: NDArray[np.int64]

    @classmethod
    def all_of(cls, items: Items, size: int, distinct: bool, limit: WorkLimit) -> _Halves:
        """All sets of `size` items that fit a GPU; without `distinct` an item may be in it again.

        Raises
        ------
        CertificateError
            They are too many.
        """
        number = len(items.weights)
        sets = cls(np.empty((1, 0), np.int64), np.zeros((len(items.loads), 1), np.int64), np.zeros(1, np.int64))
        for _ in range(size):
            members = sets.members
            first = members[:, -1] + int(distinct) if members.shape[1] else np.zeros(1, dtype=np.int64)
            more = number - first
            listed = int(more.sum())
            if listed * (members.shape[1] + 1 + len(items.loads)) > _MOST_NUMBERS:
                raise CertificateError("there are too many patterns")
            limit.spend(_PER_HALF * len(items.loads) * listed)
            before = np.repeat(np.arange(len(members)), more)
            last = np.arange(before.size) - np.repeat(np.cumsum(more) - more - first, more)
            members, loads = np.column_stack([members[before], last]), sets.loads[:, before] + items.loads[:, last]
            fits = items.room.fits(loads)
            if distinct:
                experts = items.experts[members]
                fits &= (experts[:, :-1] != experts[:, -1:]).all(axis=1)
            sets = cls(members, loads, sets.weights[before] + items.weights[last]).among(fits)
        return sets

    def among(self, chosen: NDArray[np.bool_]) -> _Halves:
        """Those of them that are chosen."""
        return _Halves(self.members[chosen], self.loads[:, chosen], self.weights[chosen])

    def beside(self, others: _Halves, parts: NDArray[np.int64], most_load: int, most: int) -> _Halves:
        """Those that weigh more than `most` together with one of the others, where both have no more than `most_load`.

        Loads are summed over windows, each times its number in `parts`.
        """
        own, other = parts @ self.loads, parts @ others.loads
        other_order = np.argsort(other)
        # Questions in order are answered soonest.
        order = other_order if self is others else np.argsort(own)
        number = np.searchsorted(other[other_order], most_load - own[order], side="right")
        heaviest = np.maximum.accumulate(np.append(_NOTHING, others.weights[other_order]))
        chosen = np.zeros(own.size, dtype=bool)
        chosen[order] = self.weights[order] + heaviest[number] > most
        return self.among(chosen)


def _pairable(items: Items, size: int, distinct: bool, most: int, limit: WorkLimit) -> tuple[_Halves, _Halves]:
    """Halves that may make a pattern above `most` with one of the others, in each window and in a sum over windows.

    Most are too light for the load they have, which sorting finds sooner than trees do.
    """
    room = items.room
    halves = _Halves.all_of(items, size - size // 2, distinct, limit)
    others = halves if size % 2 == 0 else _Halves.all_of(items, size // 2, distinct, limit)
    sums = [*zip(np.eye(room.upper.size, dtype=np.int64), map(int, room.upper), strict=True)]
    if room.shares.any():
        # Loads count for no less than they are.
        sums.append((room.shares, room.most))
    elif (all_windows := sum(most_load for _, most_load in sums)) < _TOO_LARGE:
        # Each of them is a number of 64 bits, and their sum may be none.
        sums.append((np.ones_like(room.upper), all_windows))
    for parts, most_load in sums:
        left = halves.beside(others, parts, most_load, most)
        others = left if others is halves else others.beside(left, parts, most_load, most)
        halves = left
    return halves, others


@dataclass(frozen=True, eq=False)
class _Trees:
    """Halves as the leaves of at most eight binary trees, and what nodes know, the leaves first, the roots last.

    Members have the shape ``(leaves, size)``, loads ``(windows, nodes)``, weights ``(nodes,)``.
    """

    members: NDArray[np.int64]
    loads: list[NDArray[np.int64]]
    weights: list[NDArray[np.int64]]

    @classmethod
    def of(cls, halves: _Halves, upper: NDArray[np.int64], limit: WorkLimit) -> _Trees:
        """Halves with similar loads are near each other: each node parts them by the window that varies most there."""
        number = len(halves.weights)
        # One tree would have up to twice as many leaves as there are halves.
        each = 1 << max(0, (number - 1).bit_length() - 3)
        leaves = each * max(1, -(-number // each))
        limit.spend(_PER_LEAF * upper.size * leaves)
        # What fills up the last leaves fits nowhere.
        empty = leaves - number
        loads = np.column_stack([halves.loads, np.repeat(upper[:, np.newaxis] + 1, empty, axis=1)])
        weights = np.append(halves.weights, np.zeros(empty, dtype=np.int64))
        members = np.pad(halves.members, ((0, empty), (0, 0)))
        order = np.argsort(loads[np.ptp(loads, axis=1).argmax()]).reshape(-1, each)
        parts = loads[:, order]
        while (width := order.shape[1]) > _ALIKE:
            widest = np.ptp(parts, axis=2).argmax(axis=0)
            halved = np.argpartition(parts[widest, np.arange(len(order))], width // 2 - 1, axis=1)
            order = np.take_along_axis(order, halved, axis=1).reshape(-1, width // 2)
            parts = np.take_along_axis(parts, halved[np.newaxis], axis=2).reshape(len(parts), -1, width // 2)
        last = order.ravel()
        trees = cls(members[last], [loads[:, last]], [weights[last]])
        while trees.weights[-1].size % 2 == 0:
            loads, weights = trees.loads[-1], trees.weights[-1]
            trees.loads.append(np.minimum(loads[:, ::2], loads[:, 1::2]))
            trees.weights.append(np.maximum(weights[::2], weights[1::2]))
        return trees
