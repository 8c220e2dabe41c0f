"""Two slots per GPU: optimal plans from programs over replica counts alone, without assignment variables."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.pair_model import may_have_many_counts, pairing_applies
from eplb_opt.heuristics.count_search import CountSearch
from eplb_opt.heuristics.planner import improve
from eplb_opt.heuristics.two_slots import pair_slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Meter

# Where plan and bound are nearer than this, only plans below the best one are asked about.
_NEAR = Fraction(1, 100_000)
# How far from the bound to the plan other questions are, at most and at least.
_FARTHEST, _NEAREST = Fraction(1, 2), Fraction(1, 16)
# And how much time they have for each second of the question about the best plan.
_BETWEEN = 0.3
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
    the bound one that is checked. It is asked for anything below each plan, as that is soon optimal, and now and then
    between plan and bound.
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
    questions, patience = _Questions(incumbent), _PATIENCE
    while not incumbent.closed and not meter.exhausted:
        before = incumbent.value
        max_load, answer = questions.ask(meter.part(most=patience))
        seed += 1
        if answer.counts is not None and incumbent.offer_plan(pair_slots(instance, answer.counts), "pairing"):
            improve(incumbent, incumbent.slots, meter, _POLISH, seed)
        elif answer.evidence is not None:
            incumbent.prove("pairing", max_load, evidence=answer.evidence)
        else:
            # Where no evidence is found soon, there most often is a plan.
            improve(incumbent, incumbent.slots, meter, patience, seed)
            if many and meter.spent >= _LATE:
                searched += _search(search, meter, meter.spent - 2 * searched)
            if before == incumbent.value:
                patience *= 2


class _Questions:
    """Whether there is a plan below the best one, and whether there is one below some way from the bound to it."""

    def __init__(self, incumbent: Incumbent) -> None:
        self._incumbent = incumbent
        self._below_plan: PairTree | None = None
        self._way = _FARTHEST
        self._spent, self._found = [0.0, 0.0], False

    def ask(self, meter: Meter) -> tuple[Fraction, Feasibility]:
        """A max load and the answer about it.

        The question about the best plan is gone on with, and has most of the time. The other is about a max load nearer
        to the bound each time that it is open, and from the farthest on again; where a plan was found, there often is
        a much better one.
        """
        value, bound = self._incumbent.value, self._incumbent.bound
        if self._below_plan is None or self._below_plan.max_load != value:
            self._below_plan = PairTree(self._incumbent.instance, value)
        tree = self._below_plan
        due = self._found or tree.given_up or self._spent[0] * _BETWEEN > self._spent[1]
        between = due and value - bound > _NEAR * value
        if between:
            tree = PairTree(self._incumbent.instance, bound + self._way * (value - bound))
        began = meter.spent
        answer = tree.decide(meter)
        self._spent[between] += meter.spent - began
        self._found = answer.counts is not None
        if between:
            is_open = not self._found and answer.evidence is None
            self._way = self._way / 2 if is_open and self._way > _NEAREST else _FARTHEST
        return tree.max_load, answer


def _search(search: CountSearch, meter: Meter, seconds: float) -> float:
    """Search counts for so long; how long it took."""
    began = meter.spent
    search.run(meter.part(most=seconds))
    return meter.spent - began
