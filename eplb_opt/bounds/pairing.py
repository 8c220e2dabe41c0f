"""Two slots per GPU: optimal plans from programs over replica counts alone, without assignment variables."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import floor, lcm
from typing import Any

from eplb_opt.backends import cpsat
from eplb_opt.backends.limits import Limits
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.pair_evidence import decide_pairs
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.bounds.quick import replica_range
from eplb_opt.heuristics.folding import fold
from eplb_opt.instance import Instance

# Nearer than this, plan and bound are closed at the plan instead of by halving.
_NEAR = Fraction(1, 100_000)
# Seconds of work for a question, and for a search or CP-SAT where it is left open; at first, and then twice as many.
_PATIENCE = 0.5
# Experts times the counts that they can have. With more, as where slots are twice the experts or more, programs take
# minutes to be written down, and nothing is proven; the same time of search cools the plan by up to a third of the gap.
_MOST_ITEMS = 15_000
# Seconds of work of a search in place of programs, and of one from the plan of a program.
_SEARCH, _POLISH = 0.13, 0.05


def pairing_applies(instance: Instance, max_load: Fraction) -> bool:
    """Whether the counts that allow less than `max_load` are few enough for programs."""
    least, most = Buckets(instance, max_load, below=True).ranges
    return int((most - least + 1).sum()) <= _MOST_ITEMS


def close_by_pairing(pursuit: Pursuit) -> None:
    """Better plans and bounds until the gap is small enough, within the limits.

    Is there a plan below some max load? `decide_pairs` finds counts of one, or evidence that there is none, which makes
    the bound one that is checked. It is asked for anything below each plan, as that is soon optimal, and where it does
    not know in time, halfway between plan and bound; then CP-SAT is asked by a `ThresholdProgram`, with bounds that
    rest on its word. Search looks for better plans in between. Where counts are too many, it has all the time.
    """
    instance, meter = pursuit.instance, pursuit.meter
    seed = meter.left().seed
    while not pursuit.closed and not meter.exhausted and not pairing_applies(instance, pursuit.best):
        seed += 1
        pursuit.search(pursuit.slots, _SEARCH, seed, meter)
    asked: Fraction | None = None
    patience = _PATIENCE
    while not pursuit.closed and not meter.exhausted:
        first, asked = asked != pursuit.best, pursuit.best
        near = pursuit.best - pursuit.lower_bound <= _NEAR * pursuit.best
        max_load = pursuit.best if first or near else (pursuit.best + pursuit.lower_bound) / 2
        verdict = decide_pairs(instance, max_load, meter.part(most=patience))
        seed += 1
        if verdict.counts is not None and pursuit.offer_plan(fold(instance, verdict.counts)):
            pursuit.search(pursuit.slots, _POLISH, seed, meter)
        elif verdict.evidence is not None:
            pursuit.offer_bound("pairing", max_load, True, verdict.evidence)
        else:
            # Where no evidence is found soon, there most often is a plan.
            pursuit.search(pursuit.slots, patience, seed, meter)
            if not first and asked == pursuit.best and not _ask_program(pursuit, max_load, patience):
                patience *= 2


def _ask_program(pursuit: Pursuit, max_load: Fraction, seconds: float) -> bool:
    """Whether CP-SAT knows, after so many `seconds` of work, if there is a plan below some max load."""
    part = pursuit.meter.part(most=seconds)
    verdict, counts, used = ThresholdProgram(pursuit.instance, max_load, below=True).solve(part.left())
    part.spend(used)
    if counts is not None:
        pursuit.offer_plan(fold(pursuit.instance, counts))
    elif verdict == "infeasible":
        pursuit.offer_bound("pairing by cpsat", max_load, checked=False)
    return counts is not None or verdict == "infeasible"


@dataclass(frozen=True)
class ThresholdProgram:
    """Are there counts whose slots can be paired with all sums at most (or, `below`, less than) `max_load`?

    Data       v[e,r] = w[e] / r, an integer after multiplying by `multiple`; T = `max_load` in that unit, less one
               if `below`; P slots, G GPUs; r in the replica range of e at T
    Variables  y[e,r] = 1 if expert e has r replicas;  n[v] = number of slots with load at most v
    one_count[e]     sum_r y[e,r] = 1
    number[v]        n[v] = n[next smaller v] + sum of r y[e,r] over loads between;  n[largest] = P
    partners[v]      P - n[less than v] <= n[T - v]                for loads v > T / 2
    spread[e,r]      r y[e,r] + P - n[T - v[e,r]] <= G             for v[e,r] <= T / 2, if replicas are distinct

    Heavy slots, above T / 2, need different light partners, and a heavier slot's possible partners are among a lighter
    one's; so by Hall's theorem `partners` is necessary and sufficient. A GPU holds one replica of e, or one slot
    too heavy for it, not both: hence `spread`. Both together suffice, as `fold` shows: of G pairs, N hold a slot too
    heavy for e, r - k hold e, k of them twice; so at least k are left to part those, and no sum exceeds T. Nothing is
    rounded and coefficients are counts, so the only thing to trust is that CP-SAT calls no feasible program infeasible.
    """

    instance: Instance
    max_load: Fraction
    below: bool

    @property
    def multiple(self) -> int:
        """Makes every possible slot load an integer."""
        return lcm(*range(1, self.instance.max_replicas + 1))

    @property
    def limit(self) -> int:
        """T: the largest sum allowed, in units of the weights divided by `multiple`."""
        scaled = self.max_load / self.instance.unit * self.multiple
        return -floor(-scaled) - 1 if self.below else floor(scaled)

    def solve(self, limits: Limits) -> tuple[str, list[int] | None, float]:
        """CP-SAT's verdict (``"infeasible"``, or anything else), counts if there are some, and the work it took."""
        least, most = replica_range(self.instance, self.max_load)
        if not least.size:
            return "infeasible", None, 0.0
        ranges = [range(low, high + 1) for low, high in zip(least.tolist(), most.tolist(), strict=True)]
        cp_model = cpsat.import_cp_model()
        model = cp_model.CpModel()
        y = {(e, r): model.new_bool_var(f"y_{e}_{r}") for e, counts in enumerate(ranges) for r in counts}
        for e, counts in enumerate(ranges):
            model.add_exactly_one(y[e, r] for r in counts)
        self._add_thresholds(model, y)
        solver = cpsat.new_solver(cp_model, limits)
        # Without cuts from the linear relaxation these programs take a hundred times as long.
        solver.parameters.linearization_level = 2
        status = solver.solve(model)
        work = solver.response_proto.deterministic_time
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return (
                "feasible",
                [next(r for r in counts if solver.value(y[e, r])) for e, counts in enumerate(ranges)],
                work,
            )
        return "infeasible" if status == cp_model.INFEASIBLE else "stopped", None, work

    def _add_thresholds(self, model: Any, y: dict[tuple[int, int], Any]) -> None:
        """`number`, `partners` and `spread`, with n only at the loads where a row asks for it."""
        (weights,) = self.instance.weights
        deployment, limit, multiple = self.instance.deployment, self.limit, self.multiple
        items = sorted((weights[e] * (multiple // r), e, r) for e, r in y)
        loads = [load for load, _, _ in items]
        heavy = sorted({load for load in loads if 2 * load > limit})
        partners = [(bisect_left(loads, load), bisect_right(loads, limit - load)) for load in heavy]
        light = [item for item in items if deployment.distinct and 2 * item[0] <= limit]
        spread = [(e, r, bisect_right(loads, limit - load)) for load, e, r in light]

        places = {place for pair in partners for place in pair} | {place for *_, place in spread} | {len(items)}
        number, before = {0: 0}, 0
        for place in sorted(places - {0}):
            number[place] = model.new_int_var(0, deployment.num_slots, f"n_{place}")
            model.add(number[place] == number[before] + sum(r * y[e, r] for _, e, r in items[before:place]))
            before = place
        model.add(number[len(items)] == deployment.num_slots)
        for lighter, most in partners:
            model.add(deployment.num_slots - number[lighter] <= number[most])
        for e, r, most in spread:
            model.add(r * y[e, r] + deployment.num_slots - number[most] <= deployment.num_gpus)
