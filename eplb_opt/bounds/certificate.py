"""Certificates: what proves a lower bound, as plain data, and a checker that shares no code with what found it.

A certificate is a JSON object about one layer of one window. It claims that no plan has a max load below ``"bound"``
tokens, by one of these arguments, the key ``"argument"``:

``"mean"``
    GPU loads sum to the total load.
``"nodes"``
    A node carries its groups. Whatever the partition of n s groups into sets of s, some set holds q + 1 of the n q + 1
    heaviest, and for s = 2 the i-th heaviest or a heavier one has the i-th lightest or a heavier one as its partner.
``"counts"``
    Below the bound each expert needs replicas, and these need more slots than there are, or than a node has. A replica
    shares its GPU with other slots, at least the lightest that are possible: that raises the needs, until nothing
    changes. Or GPUs or nodes cannot carry all loads.
``"weighting"``
    ``"buckets"``, ``"scale"``, ``"starts"``, ``"weights"``. A slot load of x tokens falls into bucket
    ``floor(buckets x / scale)``, which weighs what the last of ``starts`` that is not above it weighs, and 0 below the
    first. The heaviest that fits on a GPU below the bound is found by a dynamic program over slots and buckets, the
    least that all slots weigh together by one over experts and counts. If GPUs cannot carry it, there is no plan.
``"split"``
    ``"expert"``, ``"most"``, ``"low"``, ``"high"``: the expert has at most so many replicas, or more; an argument for
    each of the two.
``"partition"``
    ``"sets"``: for some sets of groups an argument that a node which takes them is not below the bound, as pairs of the
    set and the argument. The groups cannot be parted into other sets.

Everything is exact: loads are fractions, multiplied by the least common multiple of all counts that are possible, so
that slot loads are integers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb, gcd, inf, lcm
from typing import Any

import numpy as np

# Larger programs than these would not end; no certificate that is written here comes near.
_MOST_CELLS, _MOST_SETS, _MOST_DEPTH = 10**9, 10**6, 64


Ranges = tuple[tuple[int, ...], tuple[int, ...]]


class CertificateError(ValueError):
    """A certificate that does not prove its bound."""


@dataclass(frozen=True)
class _Layer:
    """A layer, or a node with some groups: integer loads in units so small that loads of slots are whole too."""

    loads: tuple[int, ...]
    units: Fraction  # of a token
    gpus: int
    slots: int
    most: int
    distinct: bool
    nodes: int
    groups: int

    @classmethod
    def of(cls, loads: Sequence[Any], deployment: Mapping[str, Any]) -> _Layer:
        """The layer of a recording; `deployment` as in solution files."""
        gpus, slots = int(deployment["num_gpus"]), int(deployment["num_slots"])
        nodes, groups = binding(deployment)
        tokens = [Fraction(load) for load in loads]
        if min(tokens) < 0 or slots % gpus or gpus % nodes or len(tokens) % groups or groups % nodes:
            raise CertificateError("loads or deployment are not possible")
        most = most_replicas(len(tokens), deployment)
        if most < 1:
            raise CertificateError("the slots cannot hold the experts")
        multiple = lcm(*(load.denominator for load in tokens))
        units = Fraction(multiple * lcm(*range(1, most + 1)), gcd(*(int(load * multiple) for load in tokens)) or 1)
        whole = tuple(int(load * units) for load in tokens)
        return cls(whole, units, gpus, slots, most, bool(deployment["distinct"]), nodes, groups)

    def node(self, taken: tuple[int, ...]) -> _Layer:
        """A node that takes some groups."""
        size = len(self.loads) // self.groups
        loads = tuple(self.loads[expert] for group in taken for expert in range(group * size, (group + 1) * size))
        return replace(
            self, loads=loads, gpus=self.gpus // self.nodes, slots=self.slots // self.nodes, nodes=1, groups=1
        )


def binding(deployment: Mapping[str, Any]) -> tuple[int, int]:
    """Nodes and groups, where groups are bound to nodes; else one of each."""
    nodes, groups, policy = int(deployment["num_nodes"]), int(deployment["num_groups"]), deployment["policy"]
    binds = policy == "hierarchical" or (policy == "auto" and nodes > 1 and groups % nodes == 0)
    return (nodes, groups) if binds else (1, 1)


def most_replicas(num_experts: int, deployment: Mapping[str, Any]) -> int:
    """The most replicas of an expert: the others of its node need a slot each, and distinct ones a GPU each."""
    nodes, _ = binding(deployment)
    spare = (int(deployment["num_slots"]) - num_experts) // nodes + 1
    return min(spare, int(deployment["num_gpus"]) // nodes) if deployment["distinct"] else spare


def check_certificate(certificate: Mapping[str, Any], loads: Sequence[Any], deployment: Mapping[str, Any]) -> Fraction:
    """The bound in tokens that a certificate proves for a layer of one window, after every step was checked.

    Parameters
    ----------
    certificate
        Parsed JSON, see above.
    loads
        Load of each expert in tokens, taken as exact.
    deployment
        ``num_gpus``, ``num_slots``, ``num_nodes``, ``num_groups``, ``policy`` and ``distinct``.

    Raises
    ------
    CertificateError
        A certificate that proves less than its bound, or is none.
    """
    try:
        layer = _Layer.of(loads, deployment)
        bound = exact(certificate["bound"])
        # The largest max load below the bound: loads of slots are whole.
        top = -(-(bound * layer.units).numerator // (bound * layer.units).denominator) - 1
        ranges = (1,) * len(layer.loads), (layer.most,) * len(layer.loads)
        if bound > 0 and not _refutes(certificate, layer, top, ranges, 0):
            raise CertificateError(f"the argument {certificate['argument']} does not prove {bound} tokens")
    except CertificateError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise CertificateError(f"this is no certificate: {type(error).__name__}: {error}") from None
    return bound


def exact(text: str) -> Fraction:
    """A number such as 590/3; texts like 1e999999999 would take all memory."""
    if not re.fullmatch(r"[0-9]{1,4000}(/[0-9]{1,4000})?", text):
        raise CertificateError(f"{text[:40]!r} is no exact number")
    return Fraction(text)


def _refutes(argument: Mapping[str, Any], layer: _Layer, top: int, ranges: Ranges, depth: int) -> bool:
    """Whether an argument shows that no plan with counts in `ranges` has a max load of at most `top`."""
    if depth > _MOST_DEPTH:
        raise CertificateError("splits are nested too deeply")
    kind = argument["argument"]
    if kind == "mean":
        return sum(layer.loads) > top * layer.gpus
    if kind == "nodes":
        return _hottest_node(layer) > top * (layer.gpus // layer.nodes)
    if kind == "counts":
        return _needs(layer, top, ranges) is None
    if kind == "weighting":
        return _outweighs(argument, layer, top, ranges)
    if kind == "split":
        expert, most = int(argument["expert"]), int(argument["most"])
        low = ranges[0], _with(ranges[1], expert, min(ranges[1][expert], most))
        high = _with(ranges[0], expert, max(ranges[0][expert], most + 1)), ranges[1]
        return all(_refutes(argument[key], layer, top, part, depth + 1) for key, part in (("low", low), ("high", high)))
    if kind == "partition":
        return _covers(argument["sets"], layer, top, depth)
    raise CertificateError(f"the argument {kind!r} is not known")


def _with(values: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    if place < 0:
        raise CertificateError(f"there is no expert {place}")
    return (*values[:place], value, *values[place + 1 :])


def _hottest_node(layer: _Layer) -> int:
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


def _needs(layer: _Layer, top: int, ranges: Ranges) -> Ranges | None:
    """Ranges that counts of plans within `top` stay in; ``None`` where there are no such counts."""
    loads, size = layer.loads, layer.slots // layer.gpus
    if sum(loads) > top * layer.gpus or _hottest_node(layer) > top * (layer.gpus // layer.nodes):
        return None
    least, most = list(ranges[0]), list(ranges[1])
    fillers = [0] * len(loads)
    while True:
        before = sum(least)
        for expert, load in enumerate(loads):
            room = top - fillers[expert]
            if room < 0 or (load and not room):
                return None
            least[expert] = max(least[expert], -(-load // room) if load else 1)
        slack = layer.slots - sum(least)
        most = [min(high, low + slack) for low, high in zip(least, most, strict=True)]
        if slack < 0 or any(low > high for low, high in zip(least, most, strict=True)):
            return None
        # A node has as many slots as its groups need.
        if layer.nodes > 1 and _hottest_node(replace(layer, loads=tuple(least))) > layer.slots // layer.nodes:
            return None
        if sum(least) == before and any(fillers):
            return tuple(least), tuple(most)
        fillers = _fillers([load // high for load, high in zip(loads, most, strict=True)], size, layer.distinct)
        if sum(least) == before and not any(fillers):
            return tuple(least), tuple(most)


def _fillers(lightest: Sequence[int], size: int, distinct: bool) -> list[int]:
    """The least that the other slots of its GPU carry, for a replica of each expert."""
    if not distinct:
        return [(size - 1) * min(lightest)] * len(lightest)
    ordered = sorted(lightest)
    among, others = sum(ordered[:size]), sum(ordered[: size - 1])
    return [among - load if size > 1 and load <= ordered[size - 2] else others for load in lightest]


def _outweighs(argument: Mapping[str, Any], layer: _Layer, top: int, ranges: Ranges) -> bool:
    """Whether the slots of any counts weigh more than all GPUs carry within `top`."""
    needed = _needs(layer, top, ranges)
    if needed is None:
        return True
    size = layer.slots // layer.gpus
    buckets, scale = int(argument["buckets"]), exact(argument["scale"]) * layer.units
    starts, weights = [int(start) for start in argument["starts"]], [int(weight) for weight in argument["weights"]]
    capacity = buckets * top * scale.denominator // scale.numerator
    increasing = all(a < b for a, b in pairwise(starts))
    if not (scale > 0 and increasing and len(starts) == len(weights) and min([0, *starts, *weights]) >= 0):
        raise CertificateError("starts of weights do not increase, or a number is negative")
    if (capacity + 1) * size * len(starts) > _MOST_CELLS or max([0, *weights]) * layer.slots >= 2**62:
        raise CertificateError("the dynamic program over fillings is too large")
    heaviest = _heaviest_filling(starts, weights, size, capacity)
    slack = layer.slots - sum(needed[0])
    lightest: list[float] = [0] + [inf] * slack
    for load, low, high in zip(layer.loads, *needed, strict=True):
        options = []
        for count in range(low, high + 1):
            bucket = buckets * load * scale.denominator // (count * scale.numerator)
            place = bisect_right(starts, bucket)
            options.append(count * weights[place - 1] if place else 0)
        lightest = [
            min(lightest[used - more] + options[more] for more in range(min(used + 1, len(options))))
            for used in range(slack + 1)
        ]
    return lightest[slack] > heaviest * layer.gpus


def _heaviest_filling(starts: Sequence[int], weights: Sequence[int], size: int, capacity: int) -> int:
    """The largest weight of at most `size` buckets that sum to at most `capacity`."""
    best = np.zeros(capacity + 1, dtype=np.int64)
    for _ in range(size):
        before = best.copy()
        for start, weight in zip(starts, weights, strict=True):
            if start <= capacity:
                np.maximum(best[start:], before[: capacity + 1 - start] + weight, out=best[start:])
    return int(best.max())


def _covers(sets: Sequence[Any], layer: _Layer, top: int, depth: int) -> bool:
    """Whether each set has its argument, and the groups cannot be parted into other sets."""
    share = layer.groups // layer.nodes
    refuted = set()
    for groups, argument in sets:
        taken = tuple(sorted({int(group) for group in groups}))
        if len(taken) != share or not 0 <= taken[0] <= taken[-1] < layer.groups:
            raise CertificateError(f"{groups} are not the groups of a node")
        node = layer.node(taken)
        ranges = (1,) * len(node.loads), (node.most,) * len(node.loads)
        if not _refutes(argument, node, top, ranges, depth + 1):
            return False
        refuted.add(taken)
    if comb(layer.groups, share) > _MOST_SETS:
        raise CertificateError("there are too many sets of groups")
    return not _has_partition(frozenset(range(layer.groups)), share, refuted, {})


def _has_partition(left: frozenset[int], share: int, refuted: set[tuple[int, ...]], known: dict[Any, bool]) -> bool:
    """Whether the groups that are left can be parted into sets that are not refuted."""
    if not left:
        return True
    if left not in known:
        known[left] = any(_has_partition(rest, share, refuted, known) for rest in _rests(left, share, refuted))
    return known[left]


def _rests(left: frozenset[int], share: int, refuted: set[tuple[int, ...]]) -> Iterator[frozenset[int]]:
    first, *others = sorted(left)
    for chosen in combinations(others, share - 1):
        if (first, *chosen) not in refuted:
            yield left - {first, *chosen}
