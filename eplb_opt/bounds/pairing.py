"""Two slots per GPU: optimal plans from programs over replica counts alone, without assignment variables."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.bounds.pair_evidence import decide_pairs
from eplb_opt.bounds.pair_system import PairSystem, pair_ranges
from eplb_opt.bounds.pair_threshold import ask_cpsat
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.heuristics.folding import fold
from eplb_opt.instance import Instance

# Nearer than this, plan and bound are closed at the plan instead of by halving.
_NEAR = Fraction(1, 100_000)
# Seconds of work for a question, and for a search where it is left open; at first, and then twice as many.
_PATIENCE = 0.5
# From how many of these seconds on CP-SAT is asked too, and for how many times as many.
_STUCK, _CPSAT = 2.0, 10.0
# Experts times the counts that they can have. With more, as where slots are twice the experts or more, search does more
# for the plan than programs for the bound in the same time.
_MOST_ITEMS = 15_000
# Seconds of work of a search in place of programs, and of one from the plan of a program.
_SEARCH, _POLISH = 0.13, 0.05


def pairing_applies(instance: Instance, max_load: Fraction) -> bool:
    """Whether the counts that allow less than `max_load` are few enough for programs."""
    least, most = pair_ranges(instance, max_load)
    return int((most - least + 1).sum()) <= _MOST_ITEMS


def close_by_pairing(pursuit: Pursuit) -> None:
    """Better plans and bounds until the gap is small enough, within the limits.

    Is there a plan below some max load? `decide_pairs` finds counts of one, or evidence that there is none, which makes
    the bound one that is checked. It is asked for anything below each plan, as that is soon optimal, and where it does
    not know in time, halfway between plan and bound. Where questions stay open for long, CP-SAT is asked for better
    plans until there is none; a bound then rests on its word.
    Search looks for better plans in between. Where counts are too many, it has all the time.
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
            pursuit.offer_bound("pairing", max_load, evidence=verdict.evidence)
        else:
            # Where no evidence is found soon, there most often is a plan.
            pursuit.search(pursuit.slots, patience, seed, meter)
            unsettled = not first and asked == pursuit.best
            if unsettled and (patience < _STUCK or not _ask_cpsat(pursuit, _CPSAT * patience, seed)):
                patience *= 2


def _ask_cpsat(pursuit: Pursuit, seconds: float, seed: int) -> bool:
    """Whether CP-SAT knows, within so many `seconds` of work, which plan is optimal; better ones are kept."""
    part = pursuit.meter.part(most=seconds)
    while not pursuit.closed and not part.exhausted:
        max_load = pursuit.best
        system = PairSystem.below(pursuit.instance, max_load)
        if system is None:
            return True  # Evidence for it is found at once.
        verdict, counts, used = ask_cpsat(system, part.left())
        part.spend(used)
        if counts is not None:
            pursuit.offer_plan(fold(pursuit.instance, counts))
            pursuit.search(pursuit.slots, _POLISH, seed, part)
        elif verdict == "infeasible":
            pursuit.offer_bound("pairing", max_load, by="cpsat")
        else:
            break
    return pursuit.closed
