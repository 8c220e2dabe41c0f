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


@dataclass
class LinkedSearch:
    """Four steps in turn: a new linked plan, search as if the split were even, exchanges from there, and from the best.

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
        turn = tally.steps[SEARCH] % 4
        if turn == 1:
            return Step(SEARCH, search_evenly_on, (incumbent.instance, line, enough, seed), SECONDS_PER_SEARCH)
        run = link_on if turn == 0 else settle_on
        slots = line if turn == 2 else incumbent.slots
        return Step(SEARCH, run, (incumbent.instance, slots, enough, seed), SECONDS_PER_SETTLING)

    def learn(self, result: StepResult, better: bool) -> None:
        """Where the even search stands."""
        if result.last is not None:
            self.line = result.last
