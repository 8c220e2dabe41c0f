"""Items of several windows: replicas of an expert at the counts that limits on all windows allow, with their loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb

import numpy as np

from eplb_opt.bounds.quick import replica_range
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints

# Counts of an expert whose replica loads differ by less than this part of a limit are an item; ever more of them, until
# there are few enough items.
_RESOLUTION, _COARSER, _COARSEST = 1e-3, 1.5, 0.1
# Loads of floats are taken for so much less, so that rounding leaves no pattern out.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class WindowItems:
    """An expert at each interval of its counts.

    Attributes
    ----------
    least, most
        Replicas of each expert in any plan within the limits, shape ``(experts,)``; empty where there is no such plan.
    experts, first, last
        Of each item: its expert, and the counts that it stands for.
    loads
        Of a replica at the last count, the lightest, in each window, in tokens; shape ``(items, windows)``.
    """

    least: Ints
    most: Ints
    experts: Ints
    first: Ints
    last: Ints
    loads: Floats

    @classmethod
    def within(cls, instance: Instance, limits: Sequence[Fraction], most_halves: int) -> WindowItems | None:
        """The items of plans whose max load, in tokens, is within the limit of each window.

        They are made so coarse that there are at most `most_halves` halves of patterns; ``None`` where even the
        coarsest are more.
        """
        least, most = _ranges(instance, limits)
        tokens = instance.tokens.T
        relative = tokens / np.array([float(limit) for limit in limits])
        half = -(-instance.deployment.slots_per_gpu // 2)
        resolution = _RESOLUTION
        while resolution <= _COARSEST:
            rows = np.array(_intervals(relative, least, most, resolution), dtype=np.int64).reshape(-1, 3)
            experts, first, last = rows.T.copy()
            if comb(len(rows), half) <= most_halves:
                loads = tokens[experts] / last[:, np.newaxis] * (1 - _ROUNDING)
                return cls(least, most, experts, first, last, loads)
            resolution *= _COARSER
        return None

    @cached_property
    def places(self) -> Ints:
        """The item of each expert at each count from the least on; beyond an expert's range its last item."""
        slack = int((self.most - self.least).max(initial=0))
        counts = np.minimum(self.least[:, np.newaxis] + np.arange(slack + 1), self.most[:, np.newaxis])
        # Items are in the order of expert and count: both in one number.
        width = int(self.most.max(initial=0)) + 1
        wanted = np.arange(self.least.size)[:, np.newaxis] * width + counts
        places: Ints = np.searchsorted(self.experts * width + self.first, wanted, side="right") - 1
        return places

    def needed(self, weights: Ints) -> Ints:
        """What all replicas of an expert weigh at each count of `places`."""
        counts = self.least[:, np.newaxis] + np.arange(self.places.shape[1])
        needed: Ints = weights[self.places] * counts
        return needed

    def by_expert(self, values: Ints) -> list[list[int]]:
        """Values of items, a list for each expert."""
        ends = np.searchsorted(self.experts, np.arange(1, self.least.size))
        return [part.tolist() for part in np.split(values, ends)]


def _ranges(instance: Instance, limits: Sequence[Fraction]) -> tuple[Ints, Ints]:
    """Least and most replicas of each expert, by what each window needs; empty where slots are too few."""
    none = np.empty(0, dtype=np.int64)
    ranges = [replica_range(window, limit) for window, limit in zip(instance.windows(), limits, strict=True)]
    if not all(least.size for least, _ in ranges):
        return none, none
    least = np.max([low for low, _ in ranges], axis=0)
    slack = instance.deployment.num_slots - int(least.sum())
    most = np.minimum(np.min([high for _, high in ranges], axis=0), least + slack)
    return (least, most) if slack >= 0 and (least <= most).all() else (none, none)


def _intervals(relative: Floats, least: Ints, most: Ints, resolution: float) -> list[tuple[int, int, int]]:
    """Expert, first and last count of each item: as many counts as differ by less than the resolution."""
    rows = []
    hottest = relative.max(axis=1)
    for expert, (low, high) in enumerate(zip(least.tolist(), most.tolist(), strict=True)):
        first, load = low, float(hottest[expert])
        while first <= high:
            # load / first - load / last <= resolution
            rest = load / first - resolution
            last = high if rest <= 0 else min(high, max(first, int(load / rest)))
            rows.append((expert, first, last))
            first = last + 1
    return rows
