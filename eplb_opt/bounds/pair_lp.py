"""The linear program of averages of counts for two slots per GPU: how many slots they need below a max load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.bounds.pair_model import PairModel, Row
from eplb_opt.certificates.layer import Ranges
from eplb_opt.kernels.compiler import Floats
from eplb_opt.limits import Meter

# Work of a run and of a simplex step for each row, in seconds.
_WORK_PER_RUN, _WORK_PER_STEP = 3e-3, 1e-7
# Rows that are taken up at once, and by how much they matter.
_MOST_ROWS, _VIOLATED = 50, 1e-6
# Nearer to a whole number than this is whole; slots beyond those that there are.
_WHOLE, _TOO_MANY = 1e-6, 1e-5


class PairLP:
    """Rows of a `PairModel`, and others, for averages of counts.

    Minimise   n[all]
    Variables  y[e,r] in [0, 1]: the part of expert e with r replicas;  n[i] = number of slots of the first i items
    one_count  sum_r y[e,r] = 1
    number     n[i] = n[i before] + sum of r y[e,r] over the items between
    rows       of the pair_model, those of `spread` once they matter, and what is added

    Counts of the first items keep the rows of the pair_model short.

    Attributes
    ----------
    pair_model
        What the rows are about.
    rows
        That the program has, in order.
    values
        y, by item, after a run that found some.
    """

    def __init__(self, pair_model: PairModel) -> None:
        import highspy

        self.pair_model, self.rows = pair_model, list[Row]()
        self.values: Floats = np.zeros(pair_model.replicas.size)
        n = pair_model.replicas.size
        prefixes = pair_model.prefixes
        self._column = {place: n + index for index, place in enumerate(prefixes)}
        # Of each light item, that with the number of its partners; behind all columns where it has none.
        width = n + len(prefixes)
        self._partners = np.array(
            [self._column.get(place, width) for place in pair_model.partners_of[: pair_model.light]], int
        )
        self._spread = np.zeros(pair_model.light, dtype=np.bool_)
        self._infinity = highspy.kHighsInf
        self._highs = new_simplex()
        # Numbers of slots are never at their bounds, so that they drop out of every tableau.
        lower = np.where(np.arange(width) < n, 0.0, -1.0)
        self._highs.addVars(width, lower, np.full(width, self._infinity))
        self._highs.changeColCost(self._column[n], 1.0)
        order = np.argsort(pair_model.experts, kind="stable")
        for items in np.split(order, np.flatnonzero(np.diff(pair_model.experts[order])) + 1):
            self._add(1.0, 1.0, dict.fromkeys(items.tolist(), 1.0))
        before = 0
        for place in prefixes:
            row = {item: -float(pair_model.replicas[item]) for item in range(before, place)}
            row[self._column[place]] = 1.0
            if before:
                row[self._column[before]] = -1.0
            self._add(0.0, 0.0, row)
            before = place
        self._fixed = self._highs.getNumRow()
        for place in pair_model.partners:
            columns = defaultdict(float, {self._column[n]: 1.0})
            for prefix in filter(None, (place, int(pair_model.partners_of[place]))):
                columns[self._column[prefix]] -= 1.0
            self._take(pair_model.partners_row(place), columns)

    def run(self, meter: Meter) -> Floats | None:
        """Solve it: a multiplier for each row where all solutions need more slots than there are, which refutes plans.

        Else ``None``, and `values` are a solution that does not; out of time, maybe before all rows of `spread` are in.

        Raises
        ------
        SolverError
            HiGHS could not solve it.
        """
        while True:
            feasible = is_feasible(self._highs, max(meter.left().seconds, 0.01))
            steps = self._highs.getInfo().simplex_iteration_count
            meter.spend(_WORK_PER_RUN + _WORK_PER_STEP * steps * self._highs.getNumRow())
            if not feasible:
                return self._multipliers(self._highs.getDualRay()[2])
            solution = self._highs.getSolution()
            values = np.array(solution.col_value)
            self.values = values[: self.pair_model.replicas.size]
            if values[self._all] > self.pair_model.slots + _TOO_MANY:
                return self._multipliers(np.array(solution.row_dual))
            if meter.exhausted or not self._add_spread(values):
                return None

    @property
    def is_whole(self) -> bool:
        """Whether the solution is one of counts."""
        return bool((np.abs(self.values - np.rint(self.values)) < _WHOLE).all())

    @property
    def counts(self) -> list[int]:
        """The count of each expert that has the largest value."""
        counts = np.zeros(self.pair_model.num_experts, dtype=np.int64)
        order = np.argsort(self.values, kind="stable")
        counts[self.pair_model.experts[order]] = self.pair_model.replicas[order]
        return counts.tolist()

    def restrict(self, ranges: Ranges) -> None:
        """Go on with counts within ranges; rows that are added stay true of all counts."""
        items = np.arange(self.pair_model.replicas.size, dtype=np.int32)
        upper = np.where(self.pair_model.within(ranges), self._infinity, 0.0)
        self._highs.changeColsBounds(items.size, items, np.zeros(items.size), upper)

    def use_all_slots(self) -> bool:
        """Ask for as many slots as there are; whether that is news."""
        if self._highs.getLp().col_lower_[self._all] > 0:
            return False
        self._highs.changeColBounds(self._all, float(self.pair_model.slots), self._infinity)
        return True

    def add(self, row: Row) -> None:
        """Another row that all plans obey."""
        columns = np.flatnonzero(row.weights)
        self._take(row, dict(zip(columns.tolist(), row.weights[columns].astype(float).tolist(), strict=True)))

    def tableau(self, most: int) -> tuple[Floats, Floats]:
        """Multipliers of the rows and of the number of slots that show whole numbers where the solution has fractions.

        At most `most` of them, those furthest from whole numbers first.
        """
        _, basic = self._highs.getBasicVariables()
        solution = self._highs.getSolution()
        values = np.concatenate([solution.col_value, solution.row_value])
        values = values[np.where(basic >= 0, basic, len(solution.col_value) - basic - 1)]
        part = np.abs(values - np.rint(values))
        chosen = [place for place in np.argsort(-part, kind="stable")[:most].tolist() if part[place] > 0.01]
        inverse = np.array([self._highs.getBasisInverseRow(place)[1] for place in chosen])
        inverse = inverse.reshape(len(chosen), self._highs.getNumRow())
        rows, numbered = inverse[:, self._fixed :], inverse[:, self._fixed - 1]
        # The number of all slots stands in its own row and in those of the pair_model; without it they are about items.
        own = np.array([isinstance(row.evidence, tuple) for row in self.rows], dtype=np.float64)
        return rows, -numbered - rows @ own

    @property
    def _all(self) -> int:
        return self._column[self.pair_model.replicas.size]

    def _multipliers(self, duals: Floats) -> Floats:
        return np.abs(duals[self._fixed :])

    def _add(self, lower: float, upper: float, row: Mapping[int, float]) -> None:
        columns, values = np.array([*row], dtype=np.int32), np.array([*row.values()], dtype=np.float64)
        self._highs.addRow(lower, upper, columns.size, columns, values)

    def _take(self, row: Row, columns: Mapping[int, float]) -> None:
        self._add(-self._infinity, float(row.right), columns)
        self.rows.append(row)

    def _add_spread(self, values: Floats) -> bool:
        """Take up rows of `spread` that are violated; whether there are some."""
        pair_model, light = self.pair_model, self.pair_model.light
        carried = np.append(values, 0.0)[self._partners]
        excess = pair_model.replicas[:light] * self.values[:light] + values[self._all] - carried - pair_model.gpus
        excess[self._spread] = 0.0
        order = np.argsort(-excess, kind="stable")[:_MOST_ROWS]
        places = order[excess[order] > _VIOLATED]
        for place in places.tolist():
            columns = defaultdict(float, {place: float(pair_model.replicas[place]), self._all: 1.0})
            if self._partners[place] < values.size:
                columns[int(self._partners[place])] -= 1.0
            self._take(pair_model.spread_row(place), columns)
        self._spread[places] = True
        return bool(places.size)
