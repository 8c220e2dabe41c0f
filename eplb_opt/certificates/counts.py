"""Mean, nodes, few slots, counts: what totals and numbers of slots say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import gcd
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.limit import WorkLimit

# In nanoseconds, for an expert in a round of `needs`.
_PER_EXPERT = 1_000


def refutes_by_mean(_argument: Mapping[str, Any], layer: Layer, top: int, _limit: WorkLimit) -> bool:
    """Whether the total load is more than `top` on each GPU."""
    return sum(layer.loads) > layer.room(top)


def refutes_by_nodes(_argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether some node has more than `top` on each GPU, whatever groups it takes."""
    if hottest_node(layer) > layer.room_of_node(top):
        return True
    rooms = layer.rooms_of_nodes(top)
    return len(set(rooms)) > 1 and not _groups_fit(layer, rooms, limit)


def _groups_fit(layer: Layer, rooms: Sequence[int], limit: WorkLimit) -> bool:
    """Whether nodes with these rooms can take equally many groups each: node after node, all sets that it can take."""
    size, share = len(layer.loads) // layer.groups, layer.groups // layer.nodes
    loads = [sum(layer.loads[c * size : (c + 1) * size]) for c in range(layer.groups)]
    left = {frozenset(range(layer.groups))}
    for room in rooms:
        after = set()
        for groups in left:
            for taken in combinations(sorted(groups), share):
                limit.spend(_PER_EXPERT)
                if sum(loads[group] for group in taken) <= room:
                    after.add(groups.difference(taken))
        left = after
    return bool(left)


def refutes_by_few_slots(argument: Mapping[str, Any], layer: Layer, top: int, _limit: WorkLimit) -> bool:
    """Whether some GPUs hold too few experts for the others to carry the rest within `top`."""
    few = argument["gpus"]
    if not isinstance(few, list) or any(type(gpu) is not int or not 0 <= gpu < layer.gpus for gpu in few):
        raise CertificateError("few slots are of GPUs")
    slots = sum(layer.slots_of(gpu) for gpu in set(few))
    heaviest = sum(sorted(layer.loads, reverse=True)[:slots])
    rooms = layer.rooms(top)
    return sum(layer.loads) > heaviest + sum(rooms[gpu] for gpu in range(layer.gpus) if gpu not in set(few))


def refutes_by_counts(_argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether no counts are left within `top`."""
    return needs(layer, top, layer.ranges, limit) is None


def hottest_node(layer: Layer) -> int:
    """A load that some node has at least, whatever groups it takes."""
    size, share = len(layer.loads) // layer.groups, layer.groups // layer.nodes
    loads = sorted((sum(layer.loads[c * size : (c + 1) * size]) for c in range(layer.groups)), reverse=True)
    # Loads of nodes are multiples of what all groups are multiples of.
    step = max(1, gcd(*loads))
    found = [-(-sum(loads) // (layer.nodes * step)) * step]
    if share == 2:
        found += [heavy + light for heavy, light in zip(loads, reversed(loads), strict=True)]
    for q in range(share):
        heaviest = loads[: layer.nodes * q + 1]
        lightest = loads[len(loads) - (share - q - 1) :] if share - q - 1 else []
        found.append(sum(heaviest[-(q + 1) :]) + sum(lightest))
    return max(found)


def needs(layer: Layer, top: int, ranges: Ranges, limit: WorkLimit) -> Ranges | None:
    """Ranges that counts of plans within `top` stay in; ``None`` where there are no such counts."""
    limit.spend(_PER_EXPERT * len(layer.loads))
    loads = layer.loads
    if sum(loads) > layer.room(top) or hottest_node(layer) > layer.room_of_node(top):
        return None
    least, most = list(ranges[0]), list(ranges[1])
    # A replica is on some kind of GPU: it needs room on one of them.
    kinds = layer.kinds(top)
    fillers = [[0] * len(loads) for _ in kinds]
    while True:
        limit.spend(_PER_EXPERT * len(layer.loads))
        before = sum(least)
        for expert, load in enumerate(loads):
            room = max([most_load - others[expert] for (most_load, _), others in zip(kinds, fillers, strict=True)])
            if room < 0 or (load and not room):
                return None
            least[expert] = max(least[expert], -(-load // room) if load else 1)
        slack = layer.slots - sum(least)
        most = [min(high, low + slack) for low, high in zip(least, most, strict=True)]
        if slack < 0 or any(low > high for low, high in zip(least, most, strict=True)):
            return None
        # A node has as many slots as its groups need.
        if layer.nodes > 1 and hottest_node(replace(layer, loads=tuple(least))) > layer.slots // layer.nodes:
            return None
        # A replica may carry nothing where the split is not even.
        if not layer.even:
            return tuple(least), tuple(most)
        if sum(least) == before and any(map(any, fillers)):
            return tuple(least), tuple(most)
        lightest = [load // high for load, high in zip(loads, most, strict=True)]
        fillers = [_fillers(lightest, slots, layer.distinct) for _, slots in kinds]
        if sum(least) == before and not any(map(any, fillers)):
            return tuple(least), tuple(most)


def needs_of_all(layers: Sequence[Layer], tops: Sequence[int], limit: WorkLimit) -> Ranges | None:
    """Ranges that counts of plans within all `tops` stay in; ``None`` where there are no such counts."""
    ranges: Ranges | None = layers[0].ranges
    for layer, top in zip(layers, tops, strict=True):
        # No load is below 0.
        ranges = None if ranges is None or top < 0 else needs(layer, top, ranges, limit)
    return ranges


def _fillers(lightest: Sequence[int], size: int, distinct: bool) -> list[int]:
    """The least that the other slots of its GPU carry, for a replica of each expert."""
    if not distinct:
        return [(size - 1) * min(lightest)] * len(lightest)
    ordered = sorted(lightest)
    among, others = sum(ordered[:size]), sum(ordered[: size - 1])
    return [among - load if size > 1 and load <= ordered[size - 2] else others for load in lightest]
