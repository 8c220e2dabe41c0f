"""What a configuration LP of several windows found out in one region, for programs of others: patterns and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.kernels.compiler import Floats, Ints


@dataclass(frozen=True, eq=False)
class Known:
    """Patterns that are worth nearly a GPU, and the best weights.

    Attributes
    ----------
    items
        What they are about.
    patterns
        Items of each, shape ``(patterns, size)``.
    weights
        Of items: no pattern of the region weighed more than 1. Nor does one of a part of it.
    """

    items: WindowItems
    patterns: Ints
    weights: Floats

    def patterns_for(self, items: WindowItems, region: Region) -> Ints:
        """The patterns with the same experts and counts as other `items`, those that fit a region."""
        experts, counts = self.items.experts[self.patterns], self.items.last[self.patterns]
        known = ((counts >= items.least[experts]) & (counts <= items.most[experts])).all(axis=1)
        experts, counts = experts[known], counts[known]
        rows = items.places[experts, counts - items.least[experts]]
        upper, lower, weights, most = region.room
        loads = items.loads[rows].sum(axis=1)
        fits = (loads <= upper).all(axis=1) & (np.maximum(loads, lower) @ weights <= most)
        return np.sort(rows[fits], axis=1)

    def weights_for(self, items: WindowItems) -> Floats:
        """A weight for each of other `items`, that of the nearest count of the same expert."""
        own = self.items
        counts = np.clip(items.last, own.least[items.experts], own.most[items.experts])
        weights: Floats = self.weights[own.places[items.experts, counts - own.least[items.experts]]]
        return weights
