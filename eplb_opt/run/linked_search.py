"""Search of one window under the optimal split, a short step at a time: linked plans, and those of the even split."""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.improvement import Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import CallLimits
from eplb_opt.run.step import SEARCH, Step, StepResult
from eplb_opt.run.steps import (
    SECONDS_PER_SEARCH,
    SECONDS_PER_SETTLING,
    link_on,
    search_evenly_on,
    settle_on,
)
from eplb_opt.run.tally import Tally, next_seed

# What steps do, again and again.
_TURNS = ("links", "links", "best", "links", "even", "line")


@dataclass
class LinkedSearch:
    """New linked plans, exchanges from the best plan, and from where a search stands that takes the split for even.

    Linked plans differ much in what they lead to, and are the quickest. Where the hottest experts and small ones alone
    are linked they lead nowhere; the even search always does.

    Attributes
    ----------
    line
        Where the even search stands, which keeps the plans that are best for the even split.
    """

    incumbent: Incumbent
    limits: CallLimits
    line: Slots | None = None

    # It never ends by itself.
    finished = False

    def step(self, tally: Tally, fair_seconds: float) -> Step:
        """The next step, with another seed each time."""
        incumbent = self.incumbent
        # Any max load up to this one meets the target gap.
        enough = incumbent.bound / (1 - self.limits.target_gap)
        seed = self.limits.seed + next_seed(tally)
        line = incumbent.slots if self.line is None else self.line
        turn = _TURNS[tally.steps[SEARCH] % len(_TURNS)]
        slots = incumbent.slots if turn == "best" else line
        run = {"links": link_on, "even": search_evenly_on}.get(turn, settle_on)
        work = SECONDS_PER_SEARCH if turn == "even" else SECONDS_PER_SETTLING
        return Step(SEARCH, run, (incumbent.instance, slots, enough, seed), work)

    def learn(self, result: StepResult, better: bool) -> None:
        """Where the even search stands."""
        if result.last is not None:
            self.line = result.last
