"""Two slots per GPU: optimal plans from programs over replica counts alone, without assignment variables."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.pair_model import may_have_many_counts, pairing_applies
from eplb_opt.heuristics.count_search import CountSearch
from eplb_opt.heuristics.planner import improve
from eplb_opt.heuristics.two_slots import pair_slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Meter

# Nearer than this, plan and bound are closed at the plan instead of by halving.
_NEAR = Fraction(1, 100_000)
# Seconds of work for a question, and for a search where it is left open; at first, and then twice as many.
_PATIENCE = 0.5
# Seconds of work of the first search of counts in place of programs, and of a search from the plan of a program.
_SEARCH, _POLISH = 0.13, 0.05
# Seconds of work after which a search of counts has half of the time where counts can be many: with less for each
# layer, as in a recording, questions that are settled do more for the gap.
_LATE = 3.0


def prove_by_pairs(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits.

    Is there a plan below some max load? A `PairTree` finds counts of one, or evidence that there is none, which makes
    the bound one that is checked. It is asked for anything below each plan, as that is soon optimal, and where it does
    not know in time, halfway between plan and bound, until it does or a better plan is found.
    Search looks for better plans in between. Where counts are too many for programs, a search of counts has all the
    time; where the shape of the layer allows that many, half of it, after what questions alone close soon.
    """
    instance = incumbent.instance
    seed = meter.left().seed
    search = CountSearch(incumbent, seed)
    many = may_have_many_counts(instance.num_experts, instance.deployment.num_slots)
    searched = 0.0
    while not incumbent.closed and not meter.exhausted and not pairing_applies(instance, incumbent.value):
        searched += _search(search, meter, max(_SEARCH, searched))
    asked: Fraction | None = None
    tree: PairTree | None = None
    patience = _PATIENCE
    while not incumbent.closed and not meter.exhausted:
        first, asked = asked != incumbent.value, incumbent.value
        if first or tree is None or tree.max_load == incumbent.value:
            near = incumbent.value - incumbent.bound <= _NEAR * incumbent.value
            max_load = incumbent.value if first or near else (incumbent.value + incumbent.bound) / 2
            if tree is None or max_load != tree.max_load:
                tree = PairTree(instance, max_load)
        answer = tree.decide(meter.part(most=patience))
        seed += 1
        if answer.counts is not None and incumbent.offer_plan(pair_slots(instance, answer.counts), "pairing"):
            improve(incumbent, incumbent.slots, meter, _POLISH, seed)
        elif answer.evidence is not None:
            incumbent.prove("pairing", tree.max_load, evidence=answer.evidence)
            tree = None
        else:
            # Where no evidence is found soon, there most often is a plan.
            improve(incumbent, incumbent.slots, meter, patience, seed)
            if many and meter.spent >= _LATE:
                searched += _search(search, meter, meter.spent - 2 * searched)
            if not first and asked == incumbent.value:
                patience *= 2


def _search(search: CountSearch, meter: Meter, seconds: float) -> float:
    """Search counts for so long; how long it took."""
    began = meter.spent
    search.run(meter.part(most=seconds))
    return meter.spent - began
