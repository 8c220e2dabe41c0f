"""Buckets: the slot loads that a layer can have at some max load, as small integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.patterns import DualFunction, least_weight
from eplb_opt.bounds.quick import replica_range
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints

# A GPU within the max load, in buckets: rounding loads down loses at most slots per GPU / this.
CAPACITY = 100_000

Item = tuple[int, int]
Ranges = tuple[Ints, Ints]


@dataclass(frozen=True)
class Buckets:
    """Slot loads of one layer at a max load, rounded down to buckets.

    ``of[e, q]`` is the bucket of a replica of expert e at count ``least[e] + q``. GPUs within `max_load` (strictly
    below it, if `below`) have buckets summing to at most `capacity`: below, sums are less than `CAPACITY` before they
    are rounded, so at most ``CAPACITY - 1`` after.
    """

    instance: Instance
    max_load: Fraction
    below: bool

    @property
    def capacity(self) -> int:
        """The largest sum of buckets on a GPU."""
        return CAPACITY - self.below

    @cached_property
    def ranges(self) -> Ranges:
        """Least and most replicas of each expert; empty where the max load is impossible."""
        least, most = replica_range(self.instance, self.max_load)
        if not self.below or not least.size:
            return least, most
        limit = self.max_load / self.instance.unit
        strictly = [weight * limit.denominator // limit.numerator + 1 for weight in self.instance.weights[0]]
        least = np.maximum(least, strictly)
        possible = (least <= most).all() and least.sum() <= self.instance.deployment.num_slots
        return (least, most) if possible else (least[:0], most[:0])

    @property
    def items(self) -> list[Item]:
        """Every expert with every count it can have."""
        least, most = self.ranges
        return [(e, r) for e in range(least.size) for r in range(int(least[e]), int(most[e]) + 1)]

    def bucket(self, item: Item) -> int:
        """Bucket of one replica."""
        expert, replicas = item
        return int(self.of[expert, replicas - self.ranges[0][expert]])

    @cached_property
    def of(self) -> NDArray[np.int64]:
        """Shape ``(experts, 1 + slack)``; entries beyond an expert's range mean nothing."""
        (weights,) = self.instance.weights
        least, most = self.ranges
        scale = CAPACITY / (self.max_load / self.instance.unit)
        table = np.zeros((least.size, int((most - least).max()) + 1), dtype=np.int64)
        for e, (low, high) in enumerate(zip(least.tolist(), most.tolist(), strict=True)):
            for r in range(low, high + 1):
                table[e, r - low] = weights[e] * scale.numerator // (r * scale.denominator)
        return table

    def excludes(self, dual: DualFunction, ranges: Ranges | None = None) -> bool:
        """Whether all counts within the ranges, or a part of them, weigh more than the GPUs can carry, exactly."""
        least, most = ranges or self.ranges
        more = np.arange(max(int((most - least).max()), 0) + 1)
        places = np.minimum((least - self.ranges[0])[:, np.newaxis] + more, self.of.shape[1] - 1)
        weights = dual.of(np.take_along_axis(self.of, places, axis=1)) * (least[:, np.newaxis] + more)
        lightest = int(least_weight(weights, least, most, self.instance.deployment.num_slots))
        return lightest < 0 or lightest > dual.limit * self.instance.deployment.num_gpus
