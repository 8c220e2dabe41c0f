"""Evidence for two slots per GPU: that no plan is below a max load, by sums of rows that anybody can add up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.fillings import least_weight
from eplb_opt.instance import Instance

Ints = NDArray[np.int64]

# What multipliers that sum to 1 become in integers.
_UNIT = 2**30
_EPSILON = 1e-7
# Work of a simplex step, in seconds for each row, and of a linear program on top.
_WORK_PER_STEP, _WORK_PER_PROGRAM = 1e-7, 5e-3
_MOST_DEPTH = 60
# Experts whose ranges are tried before one is split, rows that are taken up at once, and by how much they matter.
_CANDIDATES, _MOST_ROWS, _VIOLATED = 6, 50, 1e-6


def pair_evidence(instance: Instance, max_load: Fraction, meter: Meter) -> Mapping[str, Any] | None:
    """Why no plan is below `max_load`, as `eplb_opt.bounds.certificate` reads it; ``None``: not found within limits.

    Rows of `ThresholdProgram` that no average of counts satisfies, each with a multiplier, from a linear program; where
    their sum leaves counts open, the range of one expert is split, and each part has rows of its own.
    """
    least, most = Buckets(instance, max_load, below=True).ranges
    if not least.size:
        return {"argument": "counts"}
    return _refute(_Rows(instance, max_load, least, most), least, most, meter, 0)


def _refute(rows: _Rows, least: Ints, most: Ints, meter: Meter, depth: int) -> Mapping[str, Any] | None:
    """Evidence that no counts within ``least .. most`` are possible."""
    within = rows.within(least, most)
    if within is None:
        return {"argument": "counts"}
    found = rows.solve(*within, meter)
    if rows.refutes(found, *within):
        return rows.evidence(found)
    if meter.exhausted or depth > _MOST_DEPTH:
        return None
    branch = rows.branch(found, *within, meter)
    if branch is None:
        return None
    expert, middle = branch
    low, high = most.copy(), least.copy()
    low[expert], high[expert] = middle, middle + 1
    parts: dict[str, Any] = {}
    for name, part in (("low", (least, low)), ("high", (high, most))):
        evidence = _refute(rows, *part, meter, depth + 1)
        if evidence is None:
            return None
        parts[name] = evidence
    return {"argument": "split", "expert": expert, "most": middle, **parts}


@dataclass(frozen=True)
class _Found:
    """What a linear program says: its value, averages, and the multiplier of each row, by the place of its load."""

    value: float
    averages: NDArray[np.float64]
    multipliers: Mapping[int, int]


class _Rows:
    """The rows of a `ThresholdProgram` with the multipliers that refute the most.

    Minimise   s
    one_count, slots, number[v]   as in `ThresholdProgram`, of averages of counts
    partners[v]    n[less than v] + n[T - v] + s >= P
    spread[e,r]    r y[e,r] + P - n[T - v[e,r]] - s <= G, those that matter

    The duals of `partners` and `spread` sum to 1; the rows, so multiplied and added up, say that counts weigh too much,
    and the least that whole counts weigh is found by a dynamic program in integers.
    """

    def __init__(self, instance: Instance, max_load: Fraction, least: Ints, most: Ints) -> None:
        self._instance = instance
        self._slots, self._gpus = instance.deployment.num_slots, instance.deployment.num_gpus
        # Makes every possible slot load an integer; so is the largest sum of two below the max load.
        multiple = lcm(*range(1, instance.max_replicas + 1))
        self._limit = ceil(max_load / instance.unit * multiple) - 1
        (weights,) = instance.weights
        pairs = [(e, r) for e in range(least.size) for r in range(int(least[e]), int(most[e]) + 1)]
        loads = [weights[e] * (multiple // r) for e, r in pairs]
        order = sorted(range(len(pairs)), key=lambda index: loads[index])
        self._items = [pairs[index] for index in order]
        self._loads = [loads[index] for index in order]
        self._experts, self._replicas = (np.array(column) for column in zip(*self._items, strict=True))
        self._light = bisect_right(self._loads, self._limit // 2)
        # Of loads with the same partners the lightest says the most.
        firsts = {self._partners_of(place): place for place in range(len(loads) - 1, self._light - 1, -1)}
        self._partners = sorted({bisect_left(self._loads, self._loads[place]) for place in firsts.values()})
        self._spread: list[int] = []
        self._build()

    def within(self, least: Ints, most: Ints) -> tuple[Ints, Ints] | None:
        """The ranges that the number of slots leaves; ``None`` where there are no counts."""
        slack = self._slots - int(least.sum())
        most = np.minimum(most, least + max(slack, 0))
        return None if slack < 0 or (most < least).any() or most.sum() < self._slots else (least, most)

    def solve(self, least: Ints, most: Ints, meter: Meter) -> _Found:
        """The linear program for counts within ranges."""
        inside = (self._replicas >= least[self._experts]) & (self._replicas <= most[self._experts])
        n = len(self._items)
        upper = np.where(inside, self._infinity, 0.0)
        self._highs.changeColsBounds(n, np.arange(n, dtype=np.int32), np.zeros(n), upper)
        while True:
            self._highs.run()
            steps = self._highs.getInfo().simplex_iteration_count
            meter.spend(_WORK_PER_PROGRAM + _WORK_PER_STEP * steps * self._highs.getNumRow())
            solution = self._highs.getSolution()
            values = np.array(solution.col_value)
            if meter.exhausted or not self._add_spread(values):
                break
        duals = np.floor(np.abs(np.array(solution.row_dual)[self._fixed :]) * _UNIT).astype(np.int64)
        places = [*self._partners, *self._spread][: duals.size]
        multipliers = {place: int(dual) for place, dual in zip(places, duals, strict=False) if dual}
        return _Found(float(values[self._s]), values[:n], multipliers)

    def refutes(self, found: _Found, least: Ints, most: Ints) -> bool:
        """Whether the sum of the rows excludes all whole counts, in integers."""
        weight, right = self._weights(found)
        shift = -min(0, int(weight.min()))
        total = (weight + shift) * self._replicas
        inside = (self._replicas >= least[self._experts]) & (self._replicas <= most[self._experts])
        table = np.zeros((least.size, int((most - least).max()) + 1), dtype=np.int64)
        table[self._experts[inside], (self._replicas - least[self._experts])[inside]] = total[inside]
        lightest = int(least_weight(table, least, most, self._slots))
        return lightest < 0 or lightest > right + shift * self._slots

    def _weights(self, found: _Found) -> tuple[Ints, int]:
        """What a slot of each item weighs in the sum of the rows, and what it must not exceed."""
        weight, right = np.zeros(len(self._items), dtype=np.int64), 0
        for place, multiplier in found.multipliers.items():
            light = self._partners_of(place)
            if place >= self._light:
                weight[place:] += multiplier
                weight[:light] -= multiplier
            else:
                weight[light:] += multiplier
                weight[place] += multiplier
                right += multiplier * self._gpus
        return weight, right

    def evidence(self, found: _Found) -> Mapping[str, Any]:
        """The rows as a certificate names them: by an expert and a count with that load of a slot."""
        rows = [[*self._items[place], multiplier] for place, multiplier in sorted(found.multipliers.items())]
        return {"argument": "pairs", "rows": rows}

    def branch(self, found: _Found, least: Ints, most: Ints, meter: Meter) -> tuple[int, int] | None:
        """The expert and the count between which and the next the range is best split: both parts are refuted most."""
        mean, spread = self._average(self._replicas, found)
        _, doubt = self._average(self._weights(found)[0] * self._replicas / _UNIT, found)
        open_ = (most > least) & (spread > _EPSILON)
        # Where it is open what they weigh first, then where it is open how many there are.
        order = [*np.argsort(-np.where(open_, doubt, -1.0))[:_CANDIDATES], int(np.where(open_, spread, -1.0).argmax())]
        best, branch = -np.inf, None
        for expert in dict.fromkeys(map(int, order)):
            if not open_[expert] or meter.exhausted:
                continue
            middle = min(max(int(mean[expert] + _EPSILON), int(least[expert])), int(most[expert]) - 1)
            low, high = most.copy(), least.copy()
            low[expert], high[expert] = middle, middle + 1
            values = [
                np.inf if (ranges := self.within(*part)) is None else self.solve(*ranges, meter).value
                for part in ((least, low), (high, most))
            ]
            worth = min(values) + 0.1 * min(max(values), 10.0)
            if worth > best:
                best, branch = worth, (expert, middle)
        return branch

    def _average(self, values: NDArray[Any], found: _Found) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of a value of the items of each expert."""
        mean, square = np.zeros(self._instance.num_experts), np.zeros(self._instance.num_experts)
        np.add.at(mean, self._experts, values * found.averages)
        np.add.at(square, self._experts, values**2 * found.averages)
        return mean, square - mean**2

    def _partners_of(self, place: int) -> int:
        """How many items can share a GPU with one of this load."""
        return bisect_right(self._loads, self._limit - self._loads[place])

    def _build(self) -> None:
        import highspy

        n = len(self._items)
        places = {n, *self._partners, *map(self._partners_of, self._partners)}
        # A prefix for each row of `spread` that may come.
        places |= set(map(self._partners_of, range(self._light)))
        prefixes = sorted(places - {0})
        self._column = {place: n + i for i, place in enumerate(prefixes)}
        self._s, self._infinity = n + len(prefixes), highspy.kHighsInf
        self._highs: Any = highspy.Highs()
        self._highs.silent()
        self._highs.setOptionValue("threads", 1)
        self._highs.addVars(self._s + 1, np.zeros(self._s + 1), np.full(self._s + 1, self._infinity))
        self._highs.changeColCost(self._s, 1.0)
        self._highs.changeColBounds(self._s, -float(self._slots), self._infinity)
        for expert in range(self._instance.num_experts):
            columns = np.flatnonzero(self._experts == expert)
            self._add(1.0, 1.0, dict.fromkeys(columns.tolist(), 1.0))
        before = 0
        for place in prefixes:
            row = {item: -float(self._replicas[item]) for item in range(before, place)}
            row[self._column[place]] = 1.0
            if before:
                row[self._column[before]] = -1.0
            self._add(0.0, 0.0, row)
            before = place
        self._add(self._slots, self._slots, {self._column[n]: 1.0})
        self._fixed = self._highs.getNumRow()
        for place in self._partners:
            both = Counter(self._column[prefix] for prefix in (place, self._partners_of(place)) if prefix)
            self._add(self._slots, self._infinity, {**both, self._s: 1.0})

    def _add(self, lower: float, upper: float, row: Mapping[int, float]) -> None:
        columns, values = np.array([*row], dtype=np.int32), np.array([*row.values()], dtype=np.float64)
        self._highs.addRow(lower, upper, len(row), columns, values)

    def _add_spread(self, values: NDArray[np.float64]) -> bool:
        """Take up rows of `spread` that are violated; whether there are some."""
        if not self._instance.deployment.distinct:
            return False
        known, found = set(self._spread), []
        room = self._gpus - self._slots
        for place in range(self._light):
            prefix = self._partners_of(place)
            carried = values[self._column[prefix]] if prefix else 0.0
            excess = self._replicas[place] * values[place] - carried - values[self._s] - room
            if excess > _VIOLATED and place not in known:
                found.append((excess, place))
        for _, place in sorted(found, reverse=True)[:_MOST_ROWS]:
            row = {place: float(self._replicas[place]), self._s: -1.0}
            if prefix := self._partners_of(place):
                row[self._column[prefix]] = -1.0
            self._add(-self._infinity, room, row)
            self._spread.append(place)
        return bool(found)
