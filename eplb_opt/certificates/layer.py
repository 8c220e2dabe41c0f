"""A layer of one window in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.rules import binding, distinct, each_gpu, evenly, max_replicas, moved_from, whole

# Units are multiples of all counts: of more than these they would have too many digits.
_MOST_REPLICAS = 5_000

# The least and the most replicas of each expert.
Ranges = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Layer:
    """A layer, or a node with some groups: integer loads in units so small that loads of slots are whole too.

    `even` says whether replicas of an expert carry equal shares of its load. Where they do not, loads of slots can be
    any fractions, see `for_bound`. `origin`: the old row of slots and the most moves from it, where these are limited.
    `each` has slots and speed of each GPU where they differ: there load / speed counts.
    """

    loads: tuple[int, ...]
    units_per_token: Fraction
    gpus: int
    slots: int
    max_replicas: int
    distinct: bool
    nodes: int
    groups: int
    even: bool = True
    origin: tuple[tuple[int, ...], int] | None = None
    each: tuple[tuple[int, Fraction], ...] = ()

    @classmethod
    def of(cls, loads: Sequence[int | Fraction], deployment: Mapping[str, Any], unit: Fraction) -> Layer:
        """A layer whose loads are in a `unit` of tokens; `deployment` as in solution files.

        Raises
        ------
        CertificateError
            Loads or a deployment that do not fit, or more replicas than the checker takes.
        """
        gpus, slots = whole(deployment, "num_gpus"), whole(deployment, "num_slots")
        nodes, groups = binding(deployment)
        # Numerators and denominators: fractions themselves would look for a common divisor again and again.
        ratios = [load.as_integer_ratio() for load in loads]
        each = each_gpu(deployment)
        if min(ratios)[0] < 0 or (slots % gpus and not each) or gpus % nodes or len(ratios) % groups or groups % nodes:
            raise CertificateError("loads or deployment are not possible")
        most = max_replicas(len(ratios), deployment)
        if not 1 <= most <= _MOST_REPLICAS:
            raise CertificateError(f"{most} replicas of an expert are not possible, or too many")
        multiple = lcm(*(denominator for _, denominator in ratios))
        integers = [numerator * (multiple // denominator) for numerator, denominator in ratios]
        common, counts = gcd(*integers) or 1, lcm(*range(1, most + 1))
        loads_in_units = tuple(load // common * counts for load in integers)
        units = Fraction(multiple * counts, common) / unit
        rules = (distinct(deployment), nodes, groups, evenly(deployment), moved_from(deployment, len(ratios)), each)
        return cls(loads_in_units, units, gpus, slots, most, *rules)

    def below(self, bound: Fraction) -> int:
        """The largest max load in units below a bound in tokens: loads of slots are whole."""
        numerator, denominator = (bound * self.units_per_token).as_integer_ratio()
        return -(-numerator // denominator) - 1

    def for_bound(self, bound: Fraction) -> Layer:
        """The same layer in units in which `below` a bound in tokens stands for every max load below it.

        Where GPUs differ, in units of which a load at the bound is a whole number on each of them, see `rooms`. Where
        loads of slots are not whole, that is for arguments about totals and numbers of replicas alone. In units of
        which the bound is a whole number, parted in M, the largest max load below the bound is one part below it. An
        integer total above G times that is at least G times the bound if M > G. And an expert that needs more than q
        replicas below the bound needs no more than q + 1 one part below, if M > q.
        """
        if self.even and not self.each:
            return self
        parts = 1 if self.even else 1 + max(self.gpus, self.max_replicas)
        at_bound = [bound * self.units_per_token * speed for _, speed in (*self.each, (0, Fraction(1)))]
        factor = lcm(*(load.denominator for load in at_bound)) * parts
        loads = tuple(load * factor for load in self.loads)
        return replace(self, loads=loads, units_per_token=self.units_per_token * factor)

    def rooms(self, top: int) -> Sequence[int]:
        """The largest load of each GPU, in units, within `top`: whole loads, on speed v those below (top + 1) v.

        Below a bound that is ``top + 1`` these are all loads of the GPU. In the units of `for_bound` they are one below
        a whole number, as `top` is.
        """
        if not self.each:
            return (top,) * self.gpus
        return tuple(-(-(top + 1) * speed.numerator // speed.denominator) - 1 for _, speed in self.each)

    def slots_of(self, gpu: int) -> int:
        """Slots of a GPU."""
        return self.each[gpu][0] if self.each else self.slots_per_gpu

    def speed_of(self, gpu: int) -> int | Fraction:
        """Speed of a GPU."""
        return self.each[gpu][1] if self.each else 1

    def room(self, top: int) -> int:
        """The largest load of all GPUs together."""
        return sum(self.rooms(top)) if self.each else top * self.gpus

    def room_of_node(self, top: int) -> int:
        """The largest load of the GPUs of one node, whichever."""
        return max(self.rooms_of_nodes(top)) if self.each else top * (self.gpus // self.nodes)

    def rooms_of_nodes(self, top: int) -> Sequence[int]:
        """The largest load of the GPUs of each node."""
        rooms, size = self.rooms(top), self.gpus // self.nodes
        return [sum(rooms[first : first + size]) for first in range(0, self.gpus, size)]

    def kinds(self, top: int) -> Sequence[tuple[int, int]]:
        """The largest load, and the slots, of each kind of GPU."""
        if not self.each:
            return [(top, self.slots_per_gpu)]
        return sorted({(room, slots) for room, (slots, _) in zip(self.rooms(top), self.each, strict=True)})

    @property
    def slots_per_gpu(self) -> int:
        """Slots of one GPU, where all are alike."""
        return self.slots // self.gpus

    @property
    def ranges(self) -> Ranges:
        """All counts."""
        return (1,) * len(self.loads), (self.max_replicas,) * len(self.loads)

    def node(self, taken: tuple[int, ...]) -> Layer:
        """A node that takes some groups, in the largest units of its own, as a layer has them."""
        size = len(self.loads) // self.groups
        loads = tuple(self.loads[expert] for group in taken for expert in range(group * size, (group + 1) * size))
        # Loads are multiples of all counts, and have to stay so.
        common = gcd(*loads) // lcm(*range(1, self.max_replicas + 1)) or 1
        return replace(
            self,
            loads=tuple(load // common for load in loads),
            units_per_token=self.units_per_token / common,
            gpus=self.gpus // self.nodes,
            slots=self.slots // self.nodes,
            nodes=1,
            groups=1,
            origin=None,
        )
