"""Window regions: weights of replicas refute all imbalances of several windows that are worth less than is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_configuration import WindowConfigurationLP
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.bounds.window_known import Known
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.limits import Meter

# Halves of patterns that are not too many.
_MOST_HALVES = 800_000
# Bounds that are asked about, and limits of regions, are multiples of this, to be short in certificates.
STEP = Fraction(1, 10**6)
# So often regions are parted, one in the other, and so many weightings are in a certificate at most: the checker takes
# seconds for each of the largest.
_DEPTH, _MOST_WEIGHTINGS = 10, 25


@dataclass(frozen=True, eq=False)
class _Question:
    """Whether no plan is worth less than some value: where plans are likely, the limits, and weightings so far."""

    likely: Floats
    meter: Meter
    weightings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of all imbalances worth less, parted `depth` times from them, and what is known of it before."""

    region: Region
    known: Known | None
    depth: int = 0


class WindowRegions:
    """Refutes what a layer of several windows may be worth, by the GPUs of one node: all of them, or those of a part.

    A plan that is worth less than what is asked has imbalances in a region that begins with what they are at least.
    Weights of replicas refute a region, see `WindowConfigurationLP`. One that is not refuted is parted by the imbalance
    of a window where the mean counts: GPUs may otherwise each be hot in another window.

    Attributes
    ----------
    instance
        The node, its loads in mean loads of the layer.
    lower
        What the imbalances of the layer are at least, shape ``(windows,)``.
    weights
        What each window counts for in the mean; they sum to 1. ``None``: the hottest one counts.
    total
        What one GPU would have with all load of the layer.
    counts
        Replicas of each expert that the last region which was not refuted allows; ``None``: that is not known.
    """

    def __init__(
        self,
        instance: Instance,
        lower: Sequence[Fraction],
        weights: Sequence[Fraction] | None,
        total: Fraction,
        random: np.random.Generator,
    ) -> None:
        self.instance, self.lower, self.weights, self.total = instance, tuple(lower), weights, total
        self.counts: Ints | None = None
        self._random = random
        self._known: Known | None = None

    def refute(self, asked: Fraction, likely: Floats, meter: Meter) -> dict[str, Any] | None:
        """Weightings and parts of regions that show that no plan is worth less; ``None``: one may, or time is over.

        Parts come first whose imbalances are in the ratio of `likely` ones, above `lower`: a bound that cannot be
        proven fails there.
        """
        self.counts = None
        question = _Question(self._nearby(asked, likely), meter)
        region = Region.above(self.lower, self.weights, asked, self.total)
        parts = self._parts(_Part(region, self._known), question)
        return None if parts is None else {"weightings": question.weightings, "parts": parts}

    def _parts(self, part: _Part, question: _Question) -> list[list[int | str]] | None:
        """How a part is parted, until a weighting of the question refutes each; ``None``: one is not refuted."""
        region, weightings = part.region, question.weightings
        if region.empty:
            return []
        weighting, known = self._weighting(part, question.meter)
        if part.depth == 0:
            # The next question begins with it.
            self._known = known
        if weighting is not None:
            weightings.append(weighting)
            return [[len(weightings) - 1]]
        last = part.depth == _DEPTH or len(weightings) > _MOST_WEIGHTINGS
        if self.weights is None or last or question.meter.exhausted:
            return None
        window = region.widest
        at = (region.lower[window] + region.upper[window]) / 2 // STEP * STEP
        if at <= region.lower[window]:
            return None
        halves, parts = region.parted(window, at), {}
        first = int(question.likely[window] >= at)
        for half in (first, 1 - first):
            found = self._parts(_Part(halves[half], known, part.depth + 1), question)
            if found is None:
                return None
            parts[half] = found
        return [[window, str(at)], *parts[0], *parts[1]]

    def _nearby(self, asked: Fraction, likely: Floats) -> Floats:
        """Imbalances in the ratio of `likely` ones, above `lower`, which are worth as much as is asked."""
        lower = np.array([float(low) for low in self.lower])
        if self.weights is None:
            return lower
        weights = np.array([float(weight) for weight in self.weights])
        above = np.maximum(likely - lower, 0.0)
        worth = weights @ above
        # On a node of another partition than the plan's, all of them may be below.
        nearby: Floats = lower + (float(asked) - weights @ lower) / worth * above if worth > 0 else lower
        return nearby

    def _weighting(self, part: _Part, meter: Meter) -> tuple[dict[str, Any] | None, Known | None]:
        """A weighting under which no plan has imbalances of a part, and what is known of parts of it.

        No weighting: there may be such a plan, or time is over.
        """
        items = WindowItems.within(self.instance, part.region.upper, _MOST_HALVES)
        if items is None or meter.exhausted:
            return None, part.known
        if not items.least.size:
            return {"starts": [], "weights": [], "carried": 0}, part.known
        program = WindowConfigurationLP(self.instance, items, part.region, self._random, part.known)
        verdict = program.solve(meter)
        self.counts = self.counts if verdict.counts is None else verdict.counts
        return verdict.evidence, program.found()
