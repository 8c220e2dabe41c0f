"""The configuration LP: can any mixture of counts be covered by GPUs within a max load?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.bounds.buckets import Buckets, Item, Ranges
from eplb_opt.bounds.pattern_columns import PatternColumns, add_columns
from eplb_opt.bounds.patterns import UNIT, DualFunction, Patterns
from eplb_opt.errors import SolverError
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.limits import Meter

# Patterns taken up in a round of column generation.
_MOST_COLUMNS = 150
_EPSILON = 1e-7
# Of a second, what a round costs apart from the simplex method, and one of its steps for one row.
_WORK_PER_ROUND, _WORK_PER_STEP = 5e-3, 1e-7

Pattern = tuple[Item, ...]


@dataclass(eq=False)
class ConfigurationLP:
    """Covers fractional counts by as few patterns as possible; a linear program, with columns made as needed.

    Data       b[e,r] buckets; r in the replica range of e at the max load; P slots, G GPUs
    Variables  y[e,r] >= 0, the part of expert e with r replicas;  x[f] >= 0, GPUs with pattern f;
               z[b] >= 0, places for bucket b taken by the next lighter bucket
    Minimise   sum of x[f]
    cover[b]       sum_f (times b is in f) x[f] - z[b] + z[next heavier] >= sum of r y[e,r] over replicas in b
    one_count[e]   sum_r y[e,r] = 1
    slots          sum r y[e,r] = P

    Every plan within the max load is a solution with G patterns. The duals of `cover`, rounded, are a `DualFunction`.
    The max load is refuted once all counts weigh more under it than G GPUs can carry. That is checked in integers, so
    that nothing rests on the floats of the linear program (HiGHS). A part of the ranges is refuted alike.
    Source: column generation, P. Gilmore and R. Gomory, Operations Research 9, 849-859 (1961),
    https://doi.org/10.1287/opre.9.6.849.

    Attributes
    ----------
    buckets
        Of a max load that some counts may have.
    patterns
        To begin with.
    experts, replicas
        Of each item.
    values
        y, by item, after a run that ended with a solution.
    """

    buckets: Buckets
    patterns: Sequence[Pattern] = ()

    def __post_init__(self) -> None:
        self._build()
        self.values: Floats = np.zeros(len(self.items))

    def solve(self, meter: Meter, ranges: Ranges | None = None) -> tuple[DualFunction | None, bool]:
        """A dual function that refutes all counts within some ranges, or ``None``; and whether there is a solution."""
        least, most = ranges or self.buckets.ranges
        inside = (least[self.experts] <= self.replicas) & (self.replicas <= most[self.experts])
        self._highs.changeColsBounds(
            inside.size, self._columns_of_items, np.zeros(inside.size), np.where(inside, np.inf, 0.0)
        )
        while not meter.exhausted:
            try:
                is_feasible(self._highs, max(meter.left().seconds, 0.01))
            except SolverError:
                return None, False
            steps = self._highs.getInfo().simplex_iteration_count
            meter.spend(_WORK_PER_ROUND + _WORK_PER_STEP * steps * self._highs.getNumRow())
            solution = self._highs.getSolution()
            if self._highs.getObjectiveValue() <= self._gpus * (1 + _EPSILON):
                self.values[:] = np.array(solution.col_value)[self._columns_of_items]
                return None, True
            duals = np.array(solution.row_dual[: self._loads.size])
            patterns = Patterns.of(self._size, self.buckets.capacity, self._loads, duals)
            if self.buckets.excludes(patterns.dual, (least, most)):
                return patterns.dual, False
            if not self._price(patterns):
                return None, False
        return None, False

    def _build(self) -> None:
        import highspy

        deployment = self.buckets.instance.deployment
        self._size, self._gpus = deployment.slots_per_gpu, deployment.num_gpus
        self.items = self.buckets.items
        self.experts, self.replicas = np.array(self.items).T
        self._loads, row = np.unique([self.buckets.bucket(item) for item in self.items], return_inverse=True)
        self._row_of = dict(zip(self.items, row.tolist(), strict=True))
        self._item_of = {row: item for item, row in self._row_of.items()}
        rows = self._loads.size
        self._highs = highs = new_simplex()
        infinity = highspy.kHighsInf
        num_experts = self.buckets.instance.num_experts
        lower = np.concatenate([np.zeros(rows), np.ones(num_experts), [deployment.num_slots]])
        upper = np.concatenate([np.full(rows, infinity), np.ones(num_experts), [deployment.num_slots]])
        empty = np.empty(0)
        highs.addRows(lower.size, lower, upper, 0, np.zeros(lower.size, dtype=np.int32), empty.astype(np.int32), empty)
        columns = [([k - 1, k], [1.0, -1.0]) for k in range(1, rows)]
        columns += [
            ([k, rows + e, rows + num_experts], [-float(r), 1.0, float(r)])
            for (e, r), k in zip(self.items, row.tolist(), strict=True)
        ]
        add_columns(highs, 0.0, columns)
        self._columns_of_items = np.arange(rows - 1, len(columns), dtype=np.int32)
        self._columns = PatternColumns(highs)
        start = [(k,) * min(self._size, self.buckets.capacity // max(1, int(b))) for k, b in enumerate(self._loads)]
        for pattern in self.patterns:
            rows_of = sorted(self._row_of[item] for item in pattern if item in self._row_of)
            if len(rows_of) == len(pattern) and self._loads[rows_of].sum() <= self.buckets.capacity:
                start.append(tuple(rows_of))
        self._columns.take_up(start)

    def _price(self, patterns: Patterns) -> int:
        """Take up a heaviest pattern through each bucket, heaviest first; how many were new."""
        through = patterns.through(self._loads)
        order = np.argsort(-through, kind="stable")[:_MOST_COLUMNS]
        order = order[through[order] > UNIT * (1 + _EPSILON)]
        found = [patterns.heaviest_through(int(self._loads[k]), self._loads) for k in order]
        return self._columns.take_up(tuple(sorted(rows.tolist())) for rows in found)

    def counts(self) -> NDArray[np.float64]:
        """Average replicas of each expert in the solution."""
        counts = np.zeros(self.buckets.instance.num_experts)
        np.add.at(counts, self.experts, self.replicas * self.values)
        return counts

    def whole_counts(self, ranges: Ranges | None = None) -> Ints:
        """Counts within some ranges that fill the slots, near the averages, which HiGHS gives with some error."""
        least, most = ranges or self.buckets.ranges
        average = self.counts()
        counts: Ints = np.clip(np.floor(average), least, most).astype(np.int64)
        missing = self.buckets.instance.deployment.num_slots - int(counts.sum())
        while missing:
            # One replica more where most is missing, or one less where most is too much.
            sign = 1 if missing > 0 else -1
            possible = counts < most if missing > 0 else counts > least
            counts[np.argmax(np.where(possible, sign * (average - counts), -np.inf))] += sign
            missing -= sign
        return counts

    def used(self) -> list[Pattern]:
        """All patterns as replicas, for a program at another max load."""
        return [tuple(self._item_of[k] for k in pattern) for pattern in self._columns.patterns]
