"""The linear program of averages of counts for two slots per GPU: how many slots they need below a max load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.bounds.pair_model import PairModel, Row
from eplb_opt.certificates.layer import Ranges
from eplb_opt.kernels.compiler import Bools, Floats, Ints
from eplb_opt.limits import Meter

# Work of a run and of a simplex step for each row, in seconds.
_WORK_PER_RUN, _WORK_PER_STEP = 3e-3, 1e-7
# Rows that are taken up at once, and by how much they matter.
_MOST_ROWS, _VIOLATED = 50, 1e-6
# Nearer to a whole number than this is whole; slots beyond those that there are.
_WHOLE, _TOO_MANY = 1e-6, 1e-5
# Counts of each expert at first, from the least that it may have; how much relief by others matters.
_FIRST, _RELIEVED = 3, 1e-9


class PairLP:
    """Rows of a `PairModel`, and others, for averages of counts.

    Minimise   n[all]
    Variables  y[e,r] in [0, 1]: the part of expert e with r replicas;  n[i] = number of slots of the first i items
    one_count  sum_r y[e,r] = 1
    number     n[i] = n[i before] + sum of r y[e,r] over the items between
    rows       of the pair_model, those of `spread` once they matter, and what is added

    Counts of the first items keep the rows of the pair_model short. Of the items few matter: each expert begins with
    its smallest counts, and others get a variable once their reduced cost is negative.

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
        prefixes = pair_model.prefixes
        self._number = {place: column for column, place in enumerate(prefixes)}
        # Of each light item, the column with the number of its partners; -1 where it has none.
        self._partners = np.array(
            [self._number.get(place, -1) for place in pair_model.partners_of[: pair_model.light]], int
        )
        # The first number of slots that counts an item.
        self._counted = np.searchsorted(prefixes, np.arange(pair_model.replicas.size), side="right")
        self._spread = np.zeros(pair_model.light, dtype=np.bool_)
        self._infinity, self._uses_all = highspy.kHighsInf, False
        self._highs = new_simplex()
        # Numbers of slots are never at their bounds, so that they drop out of every tableau.
        self._highs.addVars(len(prefixes), np.full(len(prefixes), -1.0), np.full(len(prefixes), self._infinity))
        self._highs.changeColCost(self._all, 1.0)
        for _ in range(pair_model.num_experts):
            self._add(1.0, 1.0, {})
        for column in range(len(prefixes)):
            self._add(0.0, 0.0, {column: 1.0, column - 1: -1.0} if column else {column: 1.0})
        self._fixed = self._highs.getNumRow()
        for place in pair_model.partners:
            columns = defaultdict(float, {self._all: 1.0})
            for prefix in filter(None, (place, int(pair_model.partners_of[place]))):
                columns[self._number[prefix]] -= 1.0
            self._take(pair_model.partners_row(place), columns)
        self._items: Ints = np.empty(0, dtype=np.int64)
        self._column = np.full(pair_model.replicas.size, -1)
        self._inside: Bools = np.ones(pair_model.replicas.size, dtype=np.bool_)
        self.restrict(pair_model.ranges)

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
            solution = self._highs.getSolution()
            values = np.array(solution.col_value)
            duals = np.array(solution.row_dual if feasible else self._highs.getDualRay()[2])
            # A ray may point either way; rows are at most their right side, so that their multipliers are not above 0.
            duals *= -1.0 if duals[self._fixed :].sum() > 0 else 1.0
            missing = self._missing(duals)
            if missing.size and not meter.exhausted:
                self._bring(missing)
                continue
            if not feasible or values[self._all] > self.pair_model.slots + _TOO_MANY:
                multipliers: Floats = np.abs(duals[self._fixed :])
                return multipliers
            self.values = np.zeros(self.pair_model.replicas.size)
            self.values[self._items] = values[len(self._number) :]
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
        pair_model = self.pair_model
        self._inside = pair_model.within(ranges)
        least = np.array(ranges[0], dtype=np.int64)[pair_model.experts]
        first = self._inside & (pair_model.replicas < least + _FIRST)
        self._bring(np.flatnonzero(first & (self._column < 0)))
        columns = self._column[self._items].astype(np.int32)
        upper = np.where(self._inside[self._items], self._infinity, 0.0)
        self._highs.changeColsBounds(columns.size, columns, np.zeros(columns.size), upper)

    def use_all_slots(self) -> bool:
        """Ask for as many slots as there are; whether that is news."""
        if self._uses_all:
            return False
        self._uses_all = True
        self._highs.changeColBounds(self._all, float(self.pair_model.slots), self._infinity)
        return True

    def add(self, row: Row) -> None:
        """Another row that all plans obey."""
        items = self._items[row.weights[self._items] != 0]
        weights = row.weights[items].astype(np.float64)
        self._take(row, dict(zip(self._column[items].tolist(), weights.tolist(), strict=True)))

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
        return len(self._number) - 1

    def _missing(self, duals: Floats) -> Ints:
        """Items without a column that would relieve rows with these multipliers: for each expert the best."""
        pair_model = self.pair_model
        counted = duals[pair_model.num_experts : self._fixed]
        cost = pair_model.replicas * counted[self._counted] - duals[pair_model.experts]
        for multiplier, row in zip(duals[self._fixed :].tolist(), self.rows, strict=True):
            if multiplier and not isinstance(row.evidence, tuple):
                cost -= multiplier * row.weights
        cost[~self._inside | (self._column >= 0)] = 0.0
        order = np.argsort(cost, kind="stable")
        order = order[cost[order] < -_RELIEVED * np.abs(duals).max(initial=0.0)]
        first: Ints = np.unique(pair_model.experts[order], return_index=True)[1]
        return np.asarray(order[first])

    def _bring(self, items: Ints) -> None:
        """Columns for items."""
        pair_model = self.pair_model
        cuts = [
            (self._fixed + place, row.weights)
            for place, row in enumerate(self.rows)
            if not isinstance(row.evidence, tuple)
        ]
        for item in items.tolist():
            column = {
                int(pair_model.experts[item]): 1.0,
                pair_model.num_experts + int(self._counted[item]): -float(pair_model.replicas[item]),
                **{place: float(weights[item]) for place, weights in cuts if weights[item]},
            }
            places, values = np.array([*column], dtype=np.int32), np.array([*column.values()])
            self._highs.addCol(0.0, 0.0, self._infinity, places.size, places, values)
        self._column[items] = len(self._number) + self._items.size + np.arange(items.size)
        self._items = np.concatenate([self._items, items])

    def _add(self, lower: float, upper: float, row: Mapping[int, float]) -> None:
        columns, values = np.array([*row], dtype=np.int32), np.array([*row.values()], dtype=np.float64)
        self._highs.addRow(lower, upper, columns.size, columns, values)

    def _take(self, row: Row, columns: Mapping[int, float]) -> None:
        self._add(-self._infinity, float(row.right), columns)
        self.rows.append(row)

    def _add_spread(self, values: Floats) -> bool:
        """Take up rows of `spread` that are violated; whether there are some."""
        pair_model, light = self.pair_model, self.pair_model.light
        carried = np.where(self._partners < 0, 0.0, values[self._partners])
        excess = pair_model.replicas[:light] * self.values[:light] + values[self._all] - carried - pair_model.gpus
        # The row of an item at 0 says nothing that those of `partners` do not.
        excess[self._spread | (self._column[:light] < 0)] = 0.0
        order = np.argsort(-excess, kind="stable")[:_MOST_ROWS]
        places = order[excess[order] > _VIOLATED]
        for place in places.tolist():
            columns = defaultdict(float, {self._all: 1.0})
            columns[int(self._column[place])] = float(pair_model.replicas[place])
            if self._partners[place] >= 0:
                columns[int(self._partners[place])] -= 1.0
            self._take(pair_model.spread_row(place), columns)
        self._spread[places] = True
        return bool(places.size)
