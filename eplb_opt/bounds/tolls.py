"""Tolls: a lower bound on the max load after few moves, by branching on how many experts arrive on each GPU.

The program of a layer of one window, with the old plan as data:

Variables  x[e, A] = 1 if the replicas of expert e are on the GPUs A;  k[g] arrivals on GPU g;  T = max load
Minimise   T
one[e]       sum_A x[e, A] = 1
slots[g]     sum of x[e, A] with g in A = S[g] (at most S[g] where the split is not even)
arrivals[g]  sum of x[e, A] with g in A, and e not on g before <= k[g]
load[g]      sum of w[e] / |A| x[e, A] with g in A <= v[g] T, the speed of g times T
budget       sum_g k[g] <= m

Columns are generated: what an expert pays at the duals of slots, arrivals and loads is least on the |A| cheapest GPUs,
for each number of replicas. With x relaxed and k whole it is nearly as strong as the whole program where GPUs have many
slots, as then what is lost is that arrivals are whole: branch and bound over k alone (P. C. Gilmore and R. E. Gomory,
Operations Research 9, 849-859 (1961), https://doi.org/10.1287/opre.9.6.849, for columns by prices; A. H. Land and A. G.
Doig, Econometrica 28, 497-520 (1960), https://doi.org/10.2307/1910129). Duals of the leaves are the evidence. Groups
that are bound to nodes are left out: a plan that obeys them is one that need not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from heapq import heappop, heappush
from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.simplex import new_simplex
from eplb_opt.errors import SolverError
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A column that would lower the max load by less than this part of a mean load for each expert is left out.
_TOLERANCE = 1e-8
# A number of arrivals is whole that is nearer to a whole one.
_WHOLE = 1e-6
# Of what floats prove this is taken off, so that prices rounded to whole numbers prove it too.
_ROUNDING = (2e-6, 1e-5, 1e-4, 1e-3)
# A step of load costs up to this, and there are so many to a mean load. Bounds have so many binary digits after the
# point.
_PRICE, _STEPS, _FINE = 2**20 - 1, 2**26, 40
# Seconds that a look for columns and the program after it count for, in all and for each price, where work is limited.
_PER_LOOK, _PER_PRICE = 2e-3, 7e-8
# The place of a leaf that has more arrivals than there may be.
_IMPOSSIBLE = -1


class Prices(NamedTuple):
    """Duals of a leaf, each of shape ``(gpus,)``: of a mean load, a slot and an arrival."""

    loads: Floats
    slots: Floats
    arrivals: Floats


class _Leaf(NamedTuple):
    """Ranges of arrivals, what the relaxation is there, in mean loads, and why; `arrivals` where that is reached."""

    low: Ints
    high: Ints
    bound: float
    prices: Prices
    arrivals: Floats


class _Split(NamedTuple):
    """A leaf that was parted: the arrivals of a GPU are at most a number in one part, and more in the other."""

    gpu: int
    number: int
    below: int
    above: int


class Tree(NamedTuple):
    """What branch and bound came to: no plan with so few moves is below `bound` mean loads.

    `parts` are those of the certificate, `prices` the duals of its leaves.
    """

    bound: float
    parts: list[list[int]]
    prices: list[Prices]


class TollProgram:
    """The relaxation for one layer of one window; it keeps its columns from one call to the next, and counts in `work`
    what it did, in seconds, the same on every machine.

    Parameters
    ----------
    instance
        A layer of one window with load.
    before
        The old row of slots, -1 where one was empty, shape ``(slots,)``.
    """

    def __init__(self, instance: Instance, before: Ints) -> None:
        deployment = instance.deployment
        self.even = deployment.dispatch == "even"
        self.gpus, self.sizes = deployment.num_gpus, np.array(deployment.gpus.slots)
        self.speeds = np.array([float(deployment.gpus.speed(gpu)) for gpu in range(self.gpus)])
        self.loads = instance.tokens[0] / float(instance.mean_loads[0])
        self.most = instance.max_replicas if self.even else 1
        self.distinct = deployment.distinct or not self.even
        self.held = np.zeros((self.loads.size, self.gpus), dtype=bool)
        (full,) = np.nonzero(before >= 0)
        self.held[before[full], deployment.gpus.of_slot[full]] = True
        self.work = 0.0
        self._columns: set[tuple[int, ...]] = set()
        self._highs = self._empty_program()
        for expert, gpus in enumerate(self.held):
            self._add(expert, np.flatnonzero(gpus)[: self.most])

    def _empty_program(self) -> Any:
        """Columns k[g], then T; rows one, slots, arrivals, load, budget."""
        import highspy

        highs, infinite = new_simplex(), highspy.kHighsInf
        gpus, experts = self.gpus, self.loads.size
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = gpus + 1, experts + 3 * gpus + 1
        program.col_cost_ = np.append(np.zeros(gpus), 1.0)
        program.col_lower_ = np.zeros(gpus + 1)
        program.col_upper_ = np.append(self.sizes, infinite)
        slots = self.sizes.astype(np.float64)
        least = slots if self.even else np.full(gpus, -infinite)
        program.row_lower_ = np.concatenate([np.ones(experts), least, np.full(2 * gpus + 1, -infinite)])
        program.row_upper_ = np.concatenate([np.ones(experts), slots, np.zeros(2 * gpus + 1)])
        every = np.arange(gpus)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = np.append(2 * np.arange(gpus + 1), 3 * gpus)
        arrivals = np.stack([experts + gpus + every, np.full(gpus, experts + 3 * gpus)], axis=1)
        program.a_matrix_.index_ = np.concatenate([arrivals.ravel(), experts + 2 * gpus + every])
        program.a_matrix_.value_ = np.concatenate([np.tile([-1.0, 1.0], gpus), -self.speeds])
        highs.passModel(program)
        # Slots that stay empty or are too many, at a price that no plan pays: there is always a solution.
        for gpu in range(gpus):
            for sign in (1.0, -1.0):
                highs.addCol(float(gpus), 0.0, infinite, 1, np.array([experts + gpu]), np.array([sign]))
        return highs

    def _add(self, expert: int, on: Ints) -> int:
        """The column of an expert on some GPUs, which may repeat; 0 if it is there already."""
        key = (expert, *np.sort(on).tolist())
        if key in self._columns or not on.size:
            return 0
        self._columns.add(key)
        experts, gpus = self.loads.size, self.gpus
        places, copies = (on, np.ones(on.size)) if self.distinct else np.unique(on, return_counts=True)
        new = places[~self.held[expert, places]]
        rows = np.concatenate([[expert], experts + places, experts + gpus + new, experts + 2 * gpus + places])
        shares = copies * self.loads[expert] / on.size
        values = np.concatenate([[1.0], copies, np.ones(new.size), shares])
        self._highs.addCol(0.0, 0.0, float("inf"), rows.size, rows.astype(np.int32), values)
        return 1

    def _relaxed(self, low: Ints, high: Ints, moves: int, over: Callable[[], bool]) -> tuple[float, Prices, Floats]:
        """The relaxation where arrivals are in these ranges: its value, prices, and arrivals."""
        highs, experts, gpus = self._highs, self.loads.size, self.gpus
        every = np.arange(gpus, dtype=np.int32)
        highs.changeColsBounds(gpus, every, low.astype(np.float64), high.astype(np.float64))
        highs.changeRowBounds(experts + 3 * gpus, -float("inf"), float(moves))
        while True:
            highs.run()
            status = highs.modelStatusToString(highs.getModelStatus())
            if status != "Optimal":
                raise SolverError(f"HiGHS did not solve a linear program: {status}")
            solution = highs.getSolution()
            duals = np.asarray(solution.row_dual)
            slots, arrivals, loads = -duals[experts : experts + 3 * gpus].reshape(3, gpus)
            free = -np.inf if self.even else 0.0
            prices = Prices(np.maximum(loads, 0.0), np.maximum(slots, free), np.maximum(arrivals, 0.0))
            if not self._price(duals[:experts], prices):
                return highs.getInfo().objective_function_value, prices, np.asarray(solution.col_value[:gpus])
            if over():
                raise TimeoutError

    def _price(self, worth: Floats, prices: Prices) -> int:
        """Add the best column of each expert that pays less than it is worth; how many."""
        self.work += _PER_LOOK + _PER_PRICE * self.loads.size * self.gpus * self.most
        shares = self.loads[:, np.newaxis] / np.arange(1, self.most + 1)
        further = prices.slots + prices.loads * shares[:, :, np.newaxis]
        first = further + np.where(self.held, 0.0, prices.arrivals)[:, np.newaxis]
        order = np.argsort(first, axis=2, kind="stable")
        paid = np.cumsum(np.take_along_axis(first, order, axis=2), axis=2)
        best, on = np.full(self.loads.size, np.inf), [np.empty(0, dtype=np.int64)] * self.loads.size
        for n in range(1, self.most + 1):
            for opened in range(n if self.distinct else 1, min(n, self.gpus) + 1):
                costs = paid[:, n - 1, opened - 1]
                cheapest = further[:, n - 1].argmin(axis=1)
                if opened < n:
                    costs = costs + (n - opened) * further[np.arange(len(costs)), n - 1, cheapest]
                for expert in np.flatnonzero(costs < np.minimum(best, worth - _TOLERANCE)):
                    extra = np.full(n - opened, cheapest[expert])
                    on[expert] = np.concatenate([order[expert, n - 1, :opened], extra])
                best = np.minimum(best, costs)
        return sum(self._add(expert, gpus) for expert, gpus in enumerate(on))

    def tree(self, moves: int, enough: float, nodes: int, over: Callable[[], bool]) -> Tree | None:
        """Branch and bound, the weakest leaf first, until the bound is `enough` or so many nodes were looked at.

        ``None`` where not even the root was. `over` says when time is.
        """
        leaves: list[_Leaf] = []
        splits: dict[int, _Split] = {}
        weakest: list[tuple[float, int]] = []

        def look_at(low: Ints, high: Ints) -> int:
            left = moves - int(low.sum())
            if left < 0:
                return _IMPOSSIBLE
            ranges = low, np.minimum(high, low + left)
            bound, prices, arrivals = self._relaxed(*ranges, moves, over)
            leaves.append(_Leaf(*ranges, bound, prices, arrivals))
            heappush(weakest, (leaves[-1].bound, len(leaves) - 1))
            return len(leaves) - 1

        try:
            look_at(np.zeros(self.gpus, dtype=np.int64), self.sizes)
            while weakest and weakest[0][0] < enough and len(leaves) < nodes:
                _, place = heappop(weakest)
                low, high, _, _, arrivals = leaves[place]
                fraction = np.abs(arrivals - np.round(arrivals))
                gpu = int(fraction.argmax())
                if fraction[gpu] < _WHOLE:
                    break
                split, below, above = int(arrivals[gpu]), high.copy(), low.copy()
                below[gpu], above[gpu] = split, split + 1
                splits[place] = _Split(gpu, split, look_at(low, below), look_at(above, high))
        except (SolverError, TimeoutError):
            if not leaves:
                return None
        return _tree(leaves, splits)


def _tree(leaves: list[_Leaf], splits: dict[int, _Split]) -> Tree:
    """Parts and their leaves."""
    parts, kept, pending = list[list[int]](), list[_Leaf](), [0]
    while pending:
        place = pending.pop()
        if place in splits:
            gpu, number, below, above = splits[place]
            parts.append([gpu, number])
            pending += [above, below]
        else:
            # What is impossible breaks any row.
            parts.append([0 if place == _IMPOSSIBLE else len(kept)])
            kept += [] if place == _IMPOSSIBLE else [leaves[place]]
    return Tree(min(leaf.bound for leaf in kept), parts, [leaf.prices for leaf in kept])


def toll_proofs(window: Instance, tree: Tree) -> Iterator[Proof]:
    """What a tree proves of its window, in tokens: less and less, as whole prices prove less than floats."""
    (mean,) = window.mean_loads
    # Experts of several mean loads, and fast GPUs, take fewer steps to a mean load.
    step = max(mean * window.deployment.gpus.fastest, max(window.weights[0]) * window.unit / 8) / _STEPS
    prices = [_whole(leaf, float(mean / step)) for leaf in tree.prices]
    evidence = {"argument": "tolls", "step": str(step), "prices": prices, "parts": tree.parts}
    for rounding in _ROUNDING:
        bound = Fraction(floor(tree.bound * (1.0 - rounding) * 2**_FINE), 2**_FINE) * mean
        yield Proof("tolls", bound, checked=True, evidence=evidence)


def _whole(prices: Prices, steps: float) -> list[list[int]]:
    """Prices of steps, so many to a mean load, of slots and of arrivals in whole numbers."""
    factor = _PRICE / float(prices.loads.max())
    scaled = (prices.loads * factor, prices.slots * factor * steps, prices.arrivals * factor * steps)
    return [np.round(kind).astype(np.int64).tolist() for kind in scaled]
