"""What the counts of a plan with two slots per GPU obey below a max load, as rows of whole numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import Any

import numpy as np

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Bools, Ints

# Experts times the counts that they can have. With more, as where slots are twice the experts or more, a search of
# counts does more for the plan than programs for the bound in the same time.
_MOST_ITEMS = 15_000


@dataclass(frozen=True, eq=False)
class Row:
    """The items of a plan weigh at most `right`.

    Attributes
    ----------
    weights
        What each item weighs, all its replicas together.
    evidence
        How a certificate names the row: an expert and a count, or a rounded sum of rows before it.
    """

    weights: Ints
    right: int
    evidence: tuple[int, int] | Mapping[str, Any]

    @property
    def largest(self) -> int:
        """The largest number in it."""
        return max(int(np.abs(self.weights).max()), abs(self.right))


def pair_ranges(instance: Instance, max_load: Fraction, part: Ranges | None = None) -> Ranges | None:
    """Least and most replicas of each expert in plans below `max_load`, with counts of a part of all if one is given.

    ``None`` where these numbers exclude all plans. They are those of the checker, as evidence speaks of counts within
    them: with ranges that are wider by one count, it would name some that the checker does not know.
    """
    (weights,) = instance.weights
    try:
        layer = Layer.of(weights, instance.deployment.facts, instance.unit)
        return needs(layer, layer.below(max_load), part or layer.ranges, WorkLimit())
    except CertificateError:
        # More counts than it looks at are more than anything is done with.
        return part or ((1,) * len(weights), (instance.max_replicas,) * len(weights))


def pairing_applies(instance: Instance, max_load: Fraction) -> bool:
    """Whether the counts that allow less than `max_load` are few enough for programs."""
    ranges = pair_ranges(instance, max_load)
    return ranges is None or sum(ranges[1]) - sum(ranges[0]) + instance.num_experts <= _MOST_ITEMS


def may_have_many_counts(num_experts: int, num_slots: int) -> bool:
    """Whether there are loads for which the counts are too many for programs."""
    return num_experts * (num_slots - num_experts + 1) > _MOST_ITEMS


class PairModel:
    """Items, an expert with a count each, by increasing load of a slot, and two kinds of rows.

    With T the largest sum of two slot loads below the max load, and v[e,r] = w[e] / r,

    partners[v]    slots of at least v have different partners, of at most T - v          for v > T / 2
    spread[e,r]    r replicas and all slots above T - v[e,r] are on different GPUs          for v[e,r] <= T / 2

    Heavy slots, above T / 2, need different light partners, and a heavier slot's possible partners are among a lighter
    one's; so by Hall's theorem `partners` is necessary and sufficient for sums of at most T. A GPU holds one replica of
    e, or one slot too heavy for it, not both: hence `spread`, where replicas are distinct. Both together suffice, as
    `pair_slots` shows. Say that e has r replicas, that k pairs hold e twice, and that N pairs hold a slot too heavy for
    e. Then r - k pairs hold e. By `spread` r + N <= G, so at least k of the G pairs hold neither, and each of these can
    change a slot with a pair that holds e twice; no sum exceeds T. So plans below the max load are the counts that obey
    the rows.

    Attributes
    ----------
    slots, gpus, num_experts
        Of the layer.
    ranges
        Least and most replicas of each expert.
    loads
        Of each expert, in tokens of any size.
    experts, replicas
        Of each item.
    partners
        Places of the first items of loads above T / 2 that have a row: of those with the same partners the lightest.
    light
        How many items are at most T / 2: where replicas are distinct, these have a row of `spread`.
    partners_of
        For each item how many items, from the lightest, can share a GPU with one of its load.
    """

    def __init__(self, instance: Instance, max_load: Fraction, ranges: Ranges) -> None:
        deployment = instance.deployment
        self.slots, self.gpus, self.num_experts = deployment.num_slots, deployment.num_gpus, instance.num_experts
        self.ranges, self.loads = ranges, instance.kernel_loads
        # Makes every possible slot load an integer; so is the largest sum of two below the max load.
        multiple = lcm(*range(1, instance.max_replicas + 1))
        limit = ceil(max_load / instance.unit * multiple) - 1
        (weights,) = instance.weights
        items = sorted(
            (weights[e] * (multiple // r), e, r)
            for e, (least, most) in enumerate(zip(*ranges, strict=True))
            for r in range(least, most + 1)
        )
        loads = [load for load, *_ in items]
        self.experts, self.replicas = np.array([item[1] for item in items]), np.array([item[2] for item in items])
        self.partners_of = np.array([bisect_right(loads, limit - load) for load in loads])
        heavy = bisect_right(loads, limit // 2)
        self.light = heavy if deployment.distinct else 0
        firsts = {int(self.partners_of[place]): place for place in range(len(loads) - 1, heavy - 1, -1)}
        self.partners = sorted({bisect_left(loads, loads[place]) for place in firsts.values()})

    @classmethod
    def below(cls, instance: Instance, max_load: Fraction, part: Ranges | None = None) -> PairModel | None:
        """The model of plans below a max load, with counts of a part of all if one is given.

        ``None`` where numbers of slots alone show that there are no such plans.
        """
        ranges = pair_ranges(instance, max_load, part)
        return cls(instance, max_load, ranges) if ranges else None

    @property
    def prefixes(self) -> list[int]:
        """How many of the first items the rows are about, increasing: all, and those before or with partners."""
        places = {self.replicas.size, *self.partners, *self.partners_of[self.partners].tolist()}
        places |= set(self.partners_of[: self.light].tolist())
        return sorted(places - {0})

    def within(self, ranges: Ranges) -> Bools:
        """Which items have counts within ranges."""
        least, most = (np.array(counts, dtype=np.int64)[self.experts] for counts in ranges)
        inside: Bools = (least <= self.replicas) & (self.replicas <= most)
        return inside

    def partners_row(self, place: int) -> Row:
        """The row of `partners` for the load of an item."""
        weights = np.zeros_like(self.replicas)
        weights[place:] += self.replicas[place:]
        weights[: self.partners_of[place]] -= self.replicas[: self.partners_of[place]]
        return Row(weights, 0, self._item(place))

    def spread_row(self, place: int) -> Row:
        """The row of `spread` for an item."""
        weights = np.zeros_like(self.replicas)
        weights[self.partners_of[place] :] += self.replicas[self.partners_of[place] :]
        weights[place] += self.replicas[place]
        return Row(weights, self.gpus, self._item(place))

    def _item(self, place: int) -> tuple[int, int]:
        return int(self.experts[place]), int(self.replicas[place])
