"""Patterns of a GPU in several windows at once: whether any that fits weighs more than a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.limit import WorkLimit

# More halves of patterns than this are not listed.
_MOST_HALVES = 4_000_000
# In nanoseconds: to list and sort a half, and to look at a pair of nodes.
_PER_HALF, _PER_PAIR = 1_000, 60
# So many halves are in any order, as sorting them takes longer than it saves.
_ALIKE = 8
# Pairs of nodes that are looked at together.
_AT_ONCE = 1 << 18


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
        """Whether rows of loads, shape ``(rows, windows)``, fit."""
        mean = np.maximum(np.minimum(loads, self.upper), self.lower) @ self.shares
        within: NDArray[np.bool_] = (loads <= self.upper).all(axis=1) & (mean <= self.most)
        return within


@dataclass(frozen=True, eq=False)
class Items:
    """What patterns are made of: replicas of an expert at some counts.

    Attributes
    ----------
    loads
        Shape ``(items, windows)``, whole numbers.
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

    A pattern is a half and another one. Halves are the leaves of a binary tree, whose nodes know the least loads and
    the largest weight of their halves: pairs of nodes that cannot hold a pattern are not looked into.
    """
    small, large = size // 2, size - size // 2
    halves = _Tree.of(items, _halves(items, large, distinct, limit))
    others = halves if small == large else _Tree.of(items, _halves(items, small, distinct, limit))
    pending = [(len(halves.weights) - 1, len(others.weights) - 1, np.zeros(1, np.int64), np.zeros(1, np.int64))]
    while pending:
        level, other_level, nodes, other_nodes = pending.pop()
        if halves is others and level == other_level:
            # Two halves are a pair once.
            once = nodes <= other_nodes
            nodes, other_nodes = nodes[once], other_nodes[once]
        limit.spend(_PER_PAIR * nodes.size)
        open_ = halves.weights[level][nodes] + others.weights[other_level][other_nodes] > most
        nodes, other_nodes = nodes[open_], other_nodes[open_]
        fits = items.room.fits(halves.loads[level][nodes] + others.loads[other_level][other_nodes])
        nodes, other_nodes = nodes[fits], other_nodes[fits]
        if not level and not other_level:
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
    experts = items.experts[halves][:, :, np.newaxis] == items.experts[others][:, np.newaxis, :]
    return bool((~experts.any(axis=(1, 2))).any())


def _halves(items: Items, size: int, distinct: bool, limit: WorkLimit) -> NDArray[np.int64]:
    """All sets of `size` items that fit a GPU, shape ``(sets, size)``; without `distinct` an item may be in it again.

    Raises
    ------
    CertificateError
        They are too many.
    """
    number = len(items.weights)
    halves = np.empty((1, 0), dtype=np.int64)
    for _ in range(size):
        first = halves[:, -1] + int(distinct) if halves.shape[1] else np.zeros(1, dtype=np.int64)
        more = number - first
        if int(more.sum()) > _MOST_HALVES:
            raise CertificateError("there are too many patterns")
        limit.spend(_PER_HALF * int(more.sum()))
        before = np.repeat(np.arange(len(halves)), more)
        last = np.arange(before.size) - np.repeat(np.cumsum(more) - more - first, more)
        halves = np.column_stack([halves[before], last])
        fits = items.room.fits(items.loads[halves].sum(axis=1))
        if distinct:
            experts = items.experts[halves]
            fits &= (experts[:, :-1] != experts[:, -1:]).all(axis=1)
        halves = halves[fits]
    return halves


@dataclass(frozen=True, eq=False)
class _Tree:
    """Halves in the order of the leaves of a binary tree, and what its nodes know, the leaves first."""

    members: NDArray[np.int64]
    loads: list[NDArray[np.int64]]
    weights: list[NDArray[np.int64]]

    @classmethod
    def of(cls, items: Items, halves: NDArray[np.int64]) -> _Tree:
        """Halves with similar loads are near each other: each node parts them by the window that varies most there."""
        leaves = 1 << max(0, (len(halves) - 1).bit_length())
        # What fills up the last leaves fits nowhere.
        loads = np.tile(items.room.upper + 1, (leaves, 1))
        loads[: len(halves)] = items.loads[halves].sum(axis=1)
        order = np.arange(leaves, dtype=np.int64).reshape(1, -1)
        parts = np.ascontiguousarray(loads.T)[:, np.newaxis]
        while (width := order.shape[1]) > _ALIKE:
            widest = np.ptp(parts, axis=2).argmax(axis=0)
            halved = np.argpartition(parts[widest, np.arange(len(order))], width // 2 - 1, axis=1)
            order = np.take_along_axis(order, halved, axis=1).reshape(-1, width // 2)
            parts = np.take_along_axis(parts, halved[np.newaxis], axis=2).reshape(len(parts), -1, width // 2)
        members = np.zeros((leaves, halves.shape[1]), dtype=np.int64)
        members[: len(halves)] = halves
        members, loads = members[order.ravel()], loads[order.ravel()]
        tree = cls(members, [loads], [items.weights[members].sum(axis=1)])
        while len(tree.loads[-1]) > 1:
            tree.loads.append(tree.loads[-1].reshape(-1, 2, loads.shape[1]).min(axis=1))
            tree.weights.append(tree.weights[-1].reshape(-1, 2).max(axis=1))
        return tree
