"""Fillings: whether GPUs, each with one of all the sets of slots that fit it, can hold all replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.filling_patterns import Fillings, Ints, fillings_of
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.least_weight import least_weight
from eplb_opt.certificates.limit import WorkLimit

# In nanoseconds: for a round of `_narrowed`, and in it for an item, and for a slot of a pattern.
_PER_ROUND, _PER_ITEM, _PER_SLOT = 150_000, 50, 40
_MOST_WEIGHT = 2**40


def refutes_by_fillings(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether weights of replicas exclude all plans within `top`, or, without weights, a search through all fillings.

    Raises
    ------
    CertificateError
        It is more work than the limit, or a layer of several nodes.
    """
    if layer.nodes > 1:
        raise CertificateError("fillings are of one node")
    ranges = needs(layer, top, layer.ranges, limit)
    if ranges is None:
        return True
    fillings = fillings_of(layer, top, ranges, limit)
    if "weights" in argument:
        return _outweigh(argument, layer, ranges, fillings, limit)
    return not _can_cover(fillings, limit)


def _outweigh(argument: Mapping[str, Any], layer: Layer, ranges: Ranges, fillings: Fillings, limit: WorkLimit) -> bool:
    """Whether the replicas of any counts weigh more than GPUs that each hold the heaviest pattern.

    Weights may be negative: every GPU is full, and so is a pattern. A replica that is in no pattern has no place.
    """
    table = {}
    for expert, count, value in argument["weights"]:
        if any(type(number) is not int for number in (expert, count, value)) or abs(value) > _MOST_WEIGHT:
            raise CertificateError("weights of replicas are whole numbers, and not too large")
        table[expert, count] = value
    items = list(zip(fillings.experts.tolist(), fillings.counts.tolist(), strict=True))
    placed = set(items)
    weights = np.array([table.get(item, 0) for item in items], dtype=np.int64)
    if not len(fillings.patterns):
        return True
    carried = int(weights[fillings.patterns].sum(axis=1).max()) * fillings.gpus

    def weight(expert: int, count: int) -> float:
        return count * table.get((expert, count), 0) if (expert, count) in placed else inf

    return least_weight(layer, ranges, weight, limit) > carried


def _can_cover(fillings: Fillings, limit: WorkLimit) -> bool:
    """Whether so many patterns as there are GPUs hold all replicas, by a search that leaves no choice out.

    Depth first: the expert in the fewest patterns is in one of them, each is tried in turn. Those tried before are left
    out for the rest of its replicas. `room`: how many more replicas of each item there may be, of an expert that has
    none yet at any count that is possible.
    """
    everything = np.arange(len(fillings.patterns))
    none_yet = np.zeros(fillings.num_experts, dtype=np.bool_)
    # What is left to be tried at each depth.
    parts = [iter([_Node(everything, fillings.counts, none_yet, fillings.all_spare, fillings.gpus)])]
    while parts:
        node = next(parts[-1], None)
        if node is None:
            parts.pop()
        elif not node.gpus:
            return True
        elif (narrowed := _narrowed(fillings, node, limit)) is not None:
            parts.append(_parts(fillings, narrowed))
    return False


@dataclass(frozen=True, eq=False)
class _Node:
    """A part of the search: what is left of patterns, replicas, free load and GPUs, and experts that have a replica."""

    live: Ints
    room: Ints
    begun: NDArray[np.bool_]
    spare: int
    gpus: int


def _narrowed(fillings: Fillings, node: _Node, limit: WorkLimit) -> _Node | None:
    """The node without patterns and counts that no cover has; ``None`` where it has none.

    A count needs as many replicas in patterns that are left, each pattern as often as its rarest replica. And all
    experts together fill the slots.
    """
    live, room = node.live, node.room.copy()
    live = live[fillings.spare[live] <= node.spare]
    number, size = node.begun.size, fillings.patterns.shape[1]
    slots = node.gpus * size
    while True:
        limit.spend(_PER_ROUND + _PER_ITEM * room.size + _PER_SLOT * live.size * size)
        left = room[fillings.patterns[live]]
        fits = (left >= fillings.again[live]).all(axis=1)
        live, left = live[fits], left[fits]
        times = np.bincount(
            fillings.patterns[live].ravel(), weights=np.repeat(left.min(axis=1), size), minlength=room.size
        )
        gone = (room > 0) & (times < room)
        if (gone & node.begun[fillings.experts]).any():
            return None
        room[gone] = 0
        fewest, most = np.full(number, slots + 1), np.zeros(number, dtype=np.int64)
        open_ = room > 0
        np.minimum.at(fewest, fillings.experts[open_], room[open_])
        np.maximum.at(most, fillings.experts[open_], room[open_])
        if (~node.begun & (most == 0)).any():
            return None
        fewest[most == 0] = 0
        if not fewest.sum() <= slots <= most.sum():
            return None
        # What all others need at least, or take at most, leaves so much.
        above = room > slots - fewest.sum() + fewest[fillings.experts]
        below = open_ & (room < slots - most.sum() + most[fillings.experts])
        room[above | below] = 0
        if not (gone | above | below).any():
            return _Node(live, room, node.begun, node.spare, node.gpus)


def _parts(fillings: Fillings, node: _Node) -> Iterator[_Node]:
    """One node for each pattern with the rarest expert; all covers are in one of them."""
    of_patterns = fillings.experts[fillings.patterns[node.live]]
    times = np.bincount(of_patterns.ravel(), minlength=node.begun.size)
    open_ = np.zeros(node.begun.size, dtype=np.bool_)
    open_[fillings.experts[node.room > 0]] = True
    expert = int(np.where(open_, times, times.sum() + 1).argmin())
    for place in np.flatnonzero((of_patterns == expert).any(axis=1)).tolist():
        pattern = fillings.patterns[node.live[place]]
        room, begun = node.room.copy(), node.begun.copy()
        own = np.unique(fillings.experts[pattern])
        others = np.isin(fillings.experts, own)
        others[pattern] = False
        room[others] = 0
        np.subtract.at(room, pattern, 1)
        begun[own] = True
        (item,) = np.unique(pattern[fillings.experts[pattern] == expert])
        before = (fillings.patterns[node.live[:place]] == item).any(axis=1)
        live = np.concatenate([node.live[:place][~before], node.live[place:]])
        spare = node.spare - int(fillings.spare[node.live[place]])
        if spare >= 0:
            yield _Node(live, room, begun, spare, node.gpus - 1)
