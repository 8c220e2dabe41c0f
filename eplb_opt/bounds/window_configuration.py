"""The configuration LP of several windows: can any mixture of counts be covered by GPUs in all windows at once?"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.bounds.joint_patterns import Found, JointPatterns
from eplb_opt.bounds.pattern_columns import PatternColumns, add_columns
from eplb_opt.bounds.patterns import least_weight
from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.bounds.window_known import Known
from eplb_opt.errors import SolverError
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.limits import Meter

# Weight of a whole GPU in integers: short in certificates, and exact enough for what is proven of 1,000 slots.
UNIT = 2**26
# A pattern that is worth more than this is new.
_EPSILON = 1e-9
# Patterns to begin with are at least so full, and for each item so many are looked at; a round takes up as many.
_FULL, _PER_ITEM = 0.97, 4
# Patterns that are worth so much of a GPU are of use in other regions. Once there are so many for each item, those that
# are worth less than this are dropped.
_USED, _MANY, _KEPT = 0.98, 8, 0.8
# What a place that no GPU has costs, in GPUs.
_MISSING = 10.0
# Part of the best weights so far in smoothed prices.
_SMOOTHED = 0.6
# Seconds of work of a round, for each half of a pattern.
_WORK_PER_HALF = 3e-7


@dataclass(frozen=True)
class Verdict:
    """Whether GPUs can carry all replicas in a region; neither field: not found out in time.

    Attributes
    ----------
    evidence
        That they cannot: weights of replicas, as `eplb_opt.certificates` reads them.
    counts
        Replicas of each expert, near a mixture of counts that they can carry.
    """

    evidence: dict[str, Any] | None = None
    counts: Ints | None = None


@dataclass(eq=False)
class WindowConfigurationLP:
    """Covers fractional counts by as few patterns as possible; a linear program, with columns made as needed.

    Data       i items, an expert e at an interval of counts, as light as at the last of them; G GPUs, P slots
    Variables  y[i,c] >= 0, the part of an expert with c replicas, c the first or the last count of i;
               x[f] >= 0, GPUs with pattern f;  z[i] >= 0, places for i taken by the next item of the same expert;
               u[i] >= 0, places that are missing
    Minimise   sum of x[f] + 10 sum of u[i]
    cover[i]       sum_{f with i} x[f] + u[i] - z[i] + z[before i] >= sum of c y[i,c]
    one_count[e]   sum_{i of e, c} y[i,c] = 1
    slots          sum c y[i,c] = P

    Every plan with imbalances of the region is a solution with G patterns. The duals of `cover` weigh replicas so that
    no pattern weighs more than 1. If all replicas then weigh more than G, whatever the counts, there is no plan. That
    is counted in integers, and the checker looks at all patterns again. Prices are smoothed by the best weights so far:
    raw duals of the first rounds are worth patterns that nobody needs. Near the end few patterns are worth more than a
    GPU by smoothed prices, and those that are by raw duals are taken up too.
    Source: P. Gilmore and R. Gomory, Operations Research 9, 849-859 (1961), https://doi.org/10.1287/opre.9.6.849;
    smoothing: P. Wentges, International Transactions in Operational Research 4, 151-162 (1997),
    https://doi.org/10.1111/j.1475-3995.1997.tb00071.x.
    """

    instance: Instance
    items: WindowItems
    region: Region
    random: np.random.Generator
    known: Known | None = None

    def __post_init__(self) -> None:
        deployment = self.instance.deployment
        self._joint = JointPatterns(self.items, self.region.room, deployment.slots_per_gpu, deployment.distinct)
        self._build()
        upper, _, weights, most = self.region.room
        # No pattern weighs more than 1 by its mean load.
        loads = self.items.loads @ weights / most if weights.any() else (self.items.loads / upper).mean(axis=1)
        self._best = self._least(loads), loads
        self._evidence: dict[str, Any] | None = None
        self._duals = np.zeros(self.items.experts.size)
        if self.known is not None:
            self._columns.take_up(map(tuple, self.known.patterns_for(self.items, self.region).tolist()))

    def solve(self, meter: Meter) -> Verdict:
        """Whether GPUs can carry all replicas with imbalances of the region."""
        gpus = self.instance.deployment.num_gpus
        most = _PER_ITEM * self.items.experts.size
        if self.known is not None:
            self._try(self.known.weights_for(self.items), comb(self.items.experts.size, 2), meter)
            if self._evidence is not None:
                return Verdict(evidence=self._evidence)
        if not self._columns.patterns:
            self._columns.take_up(self._tuples(self._joint.heavier(self._best[1], _FULL, self.random, most, meter)))
        while not meter.exhausted:
            try:
                # No counts within their ranges may fill the slots.
                if not is_feasible(self._highs, max(meter.left().seconds, 0.01)):
                    return Verdict()
            except SolverError:
                return Verdict()
            meter.spend(_WORK_PER_HALF * len(self._joint))
            if self._highs.getObjectiveValue() <= gpus * (1 + _EPSILON):
                return Verdict(counts=self._counts())
            duals = np.maximum(np.array(self._highs.getSolution().row_dual[: self.items.experts.size]), 0.0)
            self._duals = duals
            if len(self._columns.patterns) > _MANY * self.items.experts.size:
                self._columns.keep(duals[np.array(self._columns.patterns)].sum(axis=1) > _KEPT)
            new = self._price(duals, most, meter)
            if self._evidence is not None:
                return Verdict(evidence=self._evidence)
            if not new:
                return Verdict()
        return Verdict()

    def found(self) -> Known:
        """Patterns and weights for a program of another region."""
        patterns = np.array(self._columns.patterns, dtype=np.int64).reshape(-1, self.instance.deployment.slots_per_gpu)
        return Known(self.items, patterns[self._duals[patterns].sum(axis=1) > _USED], self._best[1])

    def _build(self) -> None:
        import highspy

        items, num_items, num_experts = self.items, self.items.experts.size, self.items.least.size
        self._highs = highs = new_simplex()
        slots = float(self.instance.deployment.num_slots)
        lower = np.concatenate([np.zeros(num_items), np.ones(num_experts), [slots]])
        upper = np.concatenate([np.full(num_items, highspy.kHighsInf), np.ones(num_experts), [slots]])
        empty = np.empty(0)
        highs.addRows(lower.size, lower, upper, 0, np.zeros(lower.size, dtype=np.int32), empty.astype(np.int32), empty)
        self._options: list[tuple[int, int]] = []
        rows = zip(items.experts.tolist(), items.first.tolist(), items.last.tolist(), strict=True)
        columns: list[tuple[list[int], list[float]]] = []
        for i, (expert, first, last) in enumerate(rows):
            for count in sorted({first, last}):
                self._options.append((expert, count))
                columns.append(([i, num_items + expert, num_items + num_experts], [-float(count), 1.0, float(count)]))
        same = np.flatnonzero(items.experts[1:] == items.experts[:-1]).tolist()
        columns += [([i, i + 1], [-1.0, 1.0]) for i in same]
        add_columns(highs, 0.0, columns)
        add_columns(highs, _MISSING, [([i], [1.0]) for i in range(num_items)])
        self._columns = PatternColumns(highs)

    def _price(self, duals: Floats, most: int, meter: Meter) -> int:
        """Take up patterns that are worth more than a GPU, about `most` at once; how many were new."""
        new = 0
        for part in (_SMOOTHED, 0.0):
            found = self._try(part * self._best[1] + (1 - part) * duals, most, meter)
            worth = duals[found.patterns].sum(axis=1) > 1 + _EPSILON
            if worth.any():
                new += self._columns.take_up(self._tuples(found))
            if self._evidence is not None or (new and not found.complete):
                return new
        return new

    def _try(self, weights: Floats, most: int, meter: Meter) -> Found:
        """Keep weights if they prove most, and as evidence if that is enough; the patterns that weigh more than 1."""
        found = self._joint.heavier(weights, 1 + _EPSILON, self.random, most, meter)
        if found.complete:
            proven = self._least(weights) / found.heaviest
            if proven > self._best[0]:
                self._best = proven, weights / found.heaviest
            # Where no pattern is heavier, all of them may be lighter.
            if proven > self.instance.deployment.num_gpus or not len(found.patterns):
                self._refute(weights, meter)
        return found

    def _least(self, weights: Floats) -> float:
        """What all replicas weigh at least, whatever the counts, in GPUs."""
        return self._lightest(np.floor(weights * UNIT).astype(np.int64)) / UNIT

    def _lightest(self, weights: Ints) -> int:
        items = self.items
        needed = items.needed(weights)
        return int(least_weight(needed, items.least, items.most, self.instance.deployment.num_slots))

    def _refute(self, weights: Floats, meter: Meter) -> None:
        """Keep weights as evidence if replicas weigh more than all GPUs carry, as integers."""
        whole = np.floor(weights * UNIT).astype(np.int64)
        carried = (self._lightest(whole) - 1) // self.instance.deployment.num_gpus
        if carried < 0:
            return
        found = self._joint.heavier(whole.astype(np.float64), float(carried), self.random, 1, meter)
        if not found.complete or len(found.patterns):
            return
        starts, by_expert = self.items.by_expert(self.items.first), self.items.by_expert(whole)
        self._evidence = {"starts": starts, "weights": by_expert, "carried": carried}

    def _counts(self) -> Ints:
        """Counts that fill the slots, near the averages of the solution."""
        items = self.items
        average = np.zeros(items.least.size)
        values = np.array(self._highs.getSolution().col_value[: len(self._options)])
        experts, counts = np.array(self._options).T
        np.add.at(average, experts, counts * values)
        whole: Ints = np.clip(np.floor(average + 1e-6), items.least, items.most).astype(np.int64)
        missing = self.instance.deployment.num_slots - int(whole.sum())
        while missing:
            sign = 1 if missing > 0 else -1
            possible = whole < items.most if missing > 0 else whole > items.least
            whole[np.argmax(np.where(possible, sign * (average - whole), -np.inf))] += sign
            missing -= sign
        return whole

    @staticmethod
    def _tuples(found: Found) -> list[tuple[int, ...]]:
        return [tuple(row) for row in found.patterns.tolist()]
