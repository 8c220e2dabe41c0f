"""What certificates are about: a layer in whole numbers, and what its counts have to be below a max load."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import Any

# Units are multiples of all counts: of more than these they would have too many digits.
_MOST_REPLICAS = 5_000
# In nanoseconds, for an expert in a round of `needs`.
_PER_EXPERT = 1_000

Ranges = tuple[tuple[int, ...], tuple[int, ...]]


class CertificateError(ValueError):
    """A certificate that does not prove its bound."""


class Effort:
    """What may be spent on checking one certificate, in nanoseconds or so."""

    def __init__(self, most: int = 10**10) -> None:
        self._left = most

    def spend(self, nanoseconds: int) -> None:
        """Count what is about to be done.

        Raises
        ------
        CertificateError
            It is too much.
        """
        self._left -= nanoseconds
        if self._left < 0:
            raise CertificateError("it would take too long to check")


@dataclass(frozen=True)
class CertifiedLayer:
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
    def of(cls, loads: Sequence[Any], deployment: Mapping[str, Any], unit: Fraction) -> CertifiedLayer:
        """The layer of a recording, its loads in a `unit` of tokens; `deployment` as in solution files."""
        gpus, slots = whole(deployment, "num_gpus"), whole(deployment, "num_slots")
        nodes, groups = binding(deployment)
        if type(deployment["distinct"]) is not bool or any(isinstance(load, str) for load in loads):
            raise CertificateError("distinct is no truth value, or a load no number")
        # Numerators and denominators: fractions themselves would look for a common divisor again and again.
        ratios = [(load if isinstance(load, int | Fraction) else Fraction(load)).as_integer_ratio() for load in loads]
        if min(ratios)[0] < 0 or slots % gpus or gpus % nodes or len(ratios) % groups or groups % nodes:
            raise CertificateError("loads or deployment are not possible")
        most = most_replicas(len(ratios), deployment)
        if not 1 <= most <= _MOST_REPLICAS:
            raise CertificateError(f"{most} replicas of an expert are not possible, or too many")
        multiple = lcm(*(denominator for _, denominator in ratios))
        integers = [numerator * (multiple // denominator) for numerator, denominator in ratios]
        common, counts = gcd(*integers) or 1, lcm(*range(1, most + 1))
        loads_in_units = tuple(load // common * counts for load in integers)
        units = Fraction(multiple * counts, common) / unit
        return cls(loads_in_units, units, gpus, slots, most, bool(deployment["distinct"]), nodes, groups)

    def below(self, bound: Fraction) -> int:
        """The largest max load below a bound in tokens: loads of slots are whole."""
        return -(-(bound * self.units).numerator // (bound * self.units).denominator) - 1

    @property
    def ranges(self) -> Ranges:
        """All counts."""
        return (1,) * len(self.loads), (self.most,) * len(self.loads)

    def node(self, taken: tuple[int, ...]) -> CertifiedLayer:
        """A node that takes some groups."""
        size = len(self.loads) // self.groups
        loads = tuple(self.loads[expert] for group in taken for expert in range(group * size, (group + 1) * size))
        return replace(
            self, loads=loads, gpus=self.gpus // self.nodes, slots=self.slots // self.nodes, nodes=1, groups=1
        )


def whole(deployment: Mapping[str, Any], key: str) -> int:
    """A number of a deployment, which is a positive integer."""
    value = deployment[key]
    if type(value) is not int or value < 1:
        raise CertificateError(f"{key} is no positive integer")
    return value


def binding(deployment: Mapping[str, Any]) -> tuple[int, int]:
    """Nodes and groups, where groups are bound to nodes; else one of each."""
    nodes, groups, policy = whole(deployment, "num_nodes"), whole(deployment, "num_groups"), deployment["policy"]
    if policy not in ("auto", "global", "hierarchical"):
        raise CertificateError("the policy is not known")
    binds = policy == "hierarchical" or (policy == "auto" and nodes > 1 and groups % nodes == 0)
    return (nodes, groups) if binds else (1, 1)


def most_replicas(num_experts: int, deployment: Mapping[str, Any]) -> int:
    """The most replicas of an expert: the others of its node need a slot each, and distinct ones a GPU each."""
    nodes, _ = binding(deployment)
    spare = (whole(deployment, "num_slots") - num_experts) // nodes + 1
    return min(spare, whole(deployment, "num_gpus") // nodes) if deployment["distinct"] else spare


def exact(text: str) -> Fraction:
    """A number such as 590/3; texts like 1e999999999 would take all memory."""
    if not re.fullmatch(r"[0-9]{1,4000}(/[0-9]{1,4000})?", text):
        raise CertificateError(f"{text[:40]!r} is no exact number")
    return Fraction(text)


def hottest_node(layer: CertifiedLayer) -> int:
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


def needs(layer: CertifiedLayer, top: int, ranges: Ranges, effort: Effort) -> Ranges | None:
    """Ranges that counts of plans within `top` stay in; ``None`` where there are no such counts."""
    effort.spend(_PER_EXPERT * len(layer.loads))
    loads, size = layer.loads, layer.slots // layer.gpus
    if sum(loads) > top * layer.gpus or hottest_node(layer) > top * (layer.gpus // layer.nodes):
        return None
    least, most = list(ranges[0]), list(ranges[1])
    fillers = [0] * len(loads)
    while True:
        effort.spend(_PER_EXPERT * len(layer.loads))
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
        if layer.nodes > 1 and hottest_node(replace(layer, loads=tuple(least))) > layer.slots // layer.nodes:
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
