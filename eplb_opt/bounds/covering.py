"""Covering: better plans near a given one, from programs that choose among all fillings of nearly the same load."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends import cpsat
from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import Item
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.quick import replica_range
from eplb_opt.heuristics.kernels import Floats, Ints, compiled
from eplb_opt.instance import Instance

Slots = NDArray[np.int64]

# More fillings make programs that CP-SAT neither solves nor refutes; more nodes are not worth their enumeration.
_MOST_FILLINGS, _MOST_NODES = 1_500, 500_000
# What `Neighbourhood` has for steps and depths.
_STEPS, _DEPTHS = ((3, 10), (6, 10), (9, 10)), (1, 2, 4)
# Of the limits, for one program: those that have a cover show it soon, or hardly ever. And what a program counts
# for, in seconds of work, apart from CP-SAT's.
_SHARE, _PROGRAM_WORK = 0.05, 5e-3


@dataclass(frozen=True)
class Neighbourhood:
    """Which plans a program chooses from.

    Attributes
    ----------
    step
        The new max load, as a part of the way from the lower bound to the plan.
    depth
        How much less than the mean load a GPU may carry, in units of how much more it may.
    spread
        How far counts may be from the plan's: by one; by two if they are at least three; by two.
    """

    step: Fraction
    depth: int
    spread: int

    @property
    def size(self) -> float:
        """Roughly how many fillings there are, compared to others of the same plan."""
        return float(self.step) * self.depth * (1.0, 1.5, 3.0)[self.spread]

    def radius(self, counts: Ints) -> NDArray[np.int64]:
        """How far each count may be from the plan's."""
        return np.array((np.ones_like(counts), 1 + (counts >= 3), np.full_like(counts, 2))[self.spread])


# Small ones first: most are settled at once, and where one of them holds a better plan it is found soonest.
_LADDER = sorted(
    (Neighbourhood(Fraction(*step), depth, spread) for step, depth, spread in product(_STEPS, _DEPTHS, range(3))),
    key=lambda neighbourhood: neighbourhood.size,
)


def search_covers(pursuit: Pursuit) -> bool:
    """Better and better plans, until the gap is small enough or limits are used up; or, True, nothing is left to try.

    Local search mends a few GPUs at a time. With three slots per GPU hardly any few GPUs have a better deal once all
    are near the mean load, while all of them together have many: a program over whole GPUs finds those.
    """
    meter = pursuit.meter
    limits = meter.left(_SHARE)
    most = limits.seconds if limits.work is None else limits.work
    settled: set[tuple[tuple[Item, ...], bytes]] = set()
    attempts, open_ = 0, True
    while open_:
        open_ = False
        for neighbourhood in _LADDER:
            # What was of use once is tried again from the better plan.
            better = True
            while better:
                if pursuit.closed or meter.exhausted:
                    return False
                max_load = pursuit.lower_bound + neighbourhood.step * (pursuit.best - pursuit.lower_bound)
                program = CoverProgram.around(pursuit.instance, np.bincount(pursuit.slots), max_load, neighbourhood)
                if program is None or program.key in settled:
                    break
                verdict, found = program.plan(meter.part(most=most), attempts)
                attempts += 1
                better = found is not None and pursuit.offer_plan(found)
                if verdict == "stopped":
                    open_ = True
                else:
                    settled.add(program.key)
    return True


@dataclass(frozen=True)
class CoverProgram:
    """Can all slots be covered by fillings from a list?

    Data       fillings f, multisets of as many (expert, count) as a GPU has slots; P slots, G GPUs
    Variables  y[e,r] = 1 if expert e has r replicas;  x[f] = number of GPUs with filling f
    one_count[e]     sum_r y[e,r] = 1
    replicas[e,r]    sum_f (times (e,r) is in f) x[f] = r y[e,r]
    gpus             sum x[f] = G

    Nothing is proven where there is no cover: the list holds only some of the fillings within a max load.
    """

    instance: Instance
    items: tuple[Item, ...]
    fillings: NDArray[np.int64]

    @classmethod
    def around(
        cls, instance: Instance, counts: Ints, max_load: Fraction, neighbourhood: Neighbourhood
    ) -> CoverProgram | None:
        """The program for plans within `max_load` near `counts`; None if fillings are too many, or none."""
        least, most = replica_range(instance, max_load)
        if not least.size:
            return None
        radius = neighbourhood.radius(counts)
        least, most = np.maximum(least, counts - radius), np.minimum(most, counts + radius)
        pairs = [
            (expert, replicas)
            for expert, (low, high) in enumerate(zip(least.tolist(), most.tolist(), strict=True))
            for replicas in range(low, high + 1)
        ]
        loads = instance.kernel_loads.tolist()
        items = sorted(pairs, key=lambda item: -loads[item[0]] / item[1])
        (mean,) = instance.mean_loads
        deployment = instance.deployment
        fillings = _fillings_between(
            np.array([loads[expert] / replicas for expert, replicas in items]),
            np.array([expert for expert, _ in items]),
            deployment.slots_per_gpu,
            instance.kernel_value(mean - neighbourhood.depth * (max_load - mean)),
            instance.kernel_value(max_load),
            deployment.distinct,
            _MOST_FILLINGS,
        )
        return cls(instance, tuple(items), fillings) if 0 < len(fillings) < _MOST_FILLINGS else None

    @property
    def key(self) -> tuple[tuple[Item, ...], bytes]:
        """The same for programs of the same layer that are the same."""
        return self.items, self.fillings.tobytes()

    def plan(self, meter: Meter, seed: int) -> tuple[str, Slots | None]:
        """CP-SAT's verdict within limits, and a plan if there is one; `seed` is added to that of the limits."""
        deployment = self.instance.deployment
        cp_model = cpsat.import_cp_model()
        model = cp_model.CpModel()
        y = {item: model.new_bool_var(f"y_{item[0]}_{item[1]}") for item in self.items}
        for expert in range(self.instance.num_experts):
            model.add_exactly_one(y[item] for item in self.items if item[0] == expert)
        most = np.array([replicas for _, replicas in self.items])[self.fillings].min(axis=1)
        x = [model.new_int_var(0, high, f"x_{f}") for f, high in enumerate(most.tolist())]
        covered: dict[Item, list[Any]] = {item: [] for item in self.items}
        for filling, times in zip(self.fillings.tolist(), x, strict=True):
            for place in filling:
                covered[self.items[place]].append(times)
        for item, terms in covered.items():
            model.add(sum(terms) == item[1] * y[item])
        model.add(sum(x) == deployment.num_gpus)
        limits = meter.left()
        solver = cpsat.new_solver(cp_model, replace(limits, seed=(limits.seed + seed) % 2**31))
        # Sees which counts cannot go together; at level 0 more is tried, and less found.
        solver.parameters.linearization_level = 1
        status = solver.solve(model)
        meter.spend(_PROGRAM_WORK + solver.response_proto.deterministic_time)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return ("infeasible" if status == cp_model.INFEASIBLE else "stopped"), None
        gpus = np.repeat(self.fillings, [solver.value(times) for times in x], axis=0)
        slots: Slots = np.array([expert for expert, _ in self.items])[gpus].ravel()
        return "feasible", slots


@compiled
def _fillings_between(
    v: Floats, experts: Ints, size: int, least: float, most: float, distinct: bool, limit: int
) -> Ints:
    """All choices of `size` items, heaviest first, with loads that sum to ``least .. most``; the first `limit` of them.

    Items of decreasing load `v`. An expert is in a choice with one of its counts, and if `distinct` only once.
    Empty where counting them takes too long.
    """
    fillings = np.empty((limit, size), dtype=np.int64)
    chosen = np.empty(size, dtype=np.int64)
    sums = np.zeros(size + 1)
    found, depth, item = 0, 0, 0
    for _ in range(_MOST_NODES):
        need = size - depth
        if item == v.size or sums[depth] + need * v[item] < least:
            # Nothing from here on is heavy enough: another choice one level up.
            if depth == 0:
                return fillings[:found]
            depth -= 1
            item = chosen[depth] + 1
            continue
        if sums[depth] + v[item] + (need - 1) * v[-1] > most:
            item = _first_at_most(v, item + 1, most - sums[depth] - (need - 1) * v[-1])
            continue
        if _clashes(experts, chosen[:depth], item, distinct):
            item += 1
            continue
        chosen[depth] = item
        sums[depth + 1] = sums[depth] + v[item]
        if need > 1:
            depth += 1
            item += 1 if distinct else 0
            continue
        fillings[found] = chosen
        found += 1
        if found == limit:
            return fillings
        item += 1
    return fillings[:0]


@compiled
def _first_at_most(v: Floats, item: int, limit: float) -> int:
    """The first position from `item` on whose load is at most `limit`."""
    end = v.size
    while item < end:
        middle = (item + end) // 2
        if v[middle] > limit:
            item = middle + 1
        else:
            end = middle
    return item


@compiled
def _clashes(experts: Ints, chosen: Ints, item: int, distinct: bool) -> bool:
    """Whether the expert of `item` is among the chosen ones, with another count or if `distinct`."""
    clashes = False
    for other in chosen:
        clashes |= experts[other] == experts[item] and (distinct or other != item)
    return clashes
