"""Local search of one window, a short step at a time: from the best plan, and long in vain from elsewhere.

The search of several windows would do for one as well. It is kept apart as it finds worse plans of one window in more
time: on five layers of DeepSeek-V3 it ends 2 to 22 times as far above the bound, after 3 to 14 times as long
(``python -m tests.measure_search decode_in2000out100.json --seconds 1 --layers 4``; 16, 32, 64 and 96 GPUs).
"""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.heuristics.pipeline import varied_greedy
from eplb_opt.improvement import Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import CallLimits
from eplb_opt.run.step import SEARCH, Step, StepResult
from eplb_opt.run.steps import SECONDS_PER_SEARCH, search_on
from eplb_opt.run.tally import NARROW, Tally, next_seed

# Searches that follow each other from a new start. Begins after half as many in vain from the best plan.
_RESTART = 20


@dataclass
class LocalSearch:
    """The search of a layer of one window.

    Attributes
    ----------
    restarts
        Whether a search that is long in vain begins again elsewhere: of use where the gap is wide, and where what
        proves gives way to search again and again.
    line, line_left
        Where a restart stands, and for how many more searches it goes on.
    """

    incumbent: Incumbent
    limits: CallLimits
    restarts: bool
    line: Slots | None = None
    line_left: int = 0

    # It never ends by itself.
    finished = False

    def step(self, tally: Tally, fair_seconds: float) -> Step:
        """Search from the best plan, or where a restart stands, with another seed each time."""
        incumbent = self.incumbent
        # Any max load up to this one meets the target gap.
        enough = incumbent.bound / (1 - self.limits.target_gap)
        seed = self.limits.seed + next_seed(tally)
        restarts = self.restarts and incumbent.gap > NARROW
        if restarts and not self.line_left and tally.fruitless >= _RESTART // 2:
            self.line, self.line_left = varied_greedy(incumbent.instance, seed), _RESTART
        slots = incumbent.slots if self.line is None else self.line
        return Step(SEARCH, search_on, (incumbent.instance, slots, enough, seed), SECONDS_PER_SEARCH)

    def learn(self, result: StepResult, better: bool) -> None:
        """Where a restart stands: it ends with a better plan."""
        if self.line_left:
            self.line_left -= 1
            self.line = result.last if self.line_left and not better else None
            self.line_left = self.line_left if self.line is not None else 0
