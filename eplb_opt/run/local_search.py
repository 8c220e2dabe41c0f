"""Local search of one window, a short step at a time: from the best plan, and long in vain from elsewhere.

The search of several windows would do for one as well. It is kept apart as it finds worse plans of one window in more
time: on five layers of DeepSeek-V3 it ends 2 to 22 times as far above the bound, after 3 to 14 times as long
(``python -m tests.measure_search decode_in2000out100.json --seconds 1 --layers 4``; 16, 32, 64 and 96 GPUs).
"""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.heuristics.levelling import levelling_applies
from eplb_opt.heuristics.pipeline import varied_greedy
from eplb_opt.improvement import Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import CallLimits
from eplb_opt.run.step import SEARCH, Step, StepResult
from eplb_opt.run.steps import SECONDS_PER_SEARCH, level_on, search_on
from eplb_opt.run.tally import NARROW, Tally, next_seed

# Searches that follow each other from a new start. Begins after half as many in vain from the best plan.
_RESTART = 20
# So many searches in vain until levelling has its first turn, which lasts as long. Each turn is one longer than before.
_FIRST_TURN = 10
# The part of a turn that is left to what was not of use last; and to levelling then where the gap is wide: GPUs can
# seldom carry the same there.
_OTHER, _SELDOM = 2, 8


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
    levelling, levelling_helps, walk
        Whether levelling has its turn, whether it found the best plan, and where its walk stands.
    turn, turn_left
        How many steps in vain end a turn, and how many more end this one.
    """

    incumbent: Incumbent
    limits: CallLimits
    restarts: bool
    line: Slots | None = None
    line_left: int = 0
    levelling: bool = False
    levelling_helps: bool = False
    walk: Slots | None = None
    turn: int = _FIRST_TURN
    turn_left: int = _FIRST_TURN

    # It never ends by itself.
    finished = False

    def step(self, tally: Tally, fair_seconds: float) -> Step:
        """Search from the best plan, or where a restart stands, with another seed each time."""
        incumbent = self.incumbent
        # Any max load up to this one meets the target gap.
        enough = incumbent.bound / (1 - self.limits.target_gap)
        seed = self.limits.seed + next_seed(tally)
        if self.levelling:
            return Step(
                SEARCH, level_on, (incumbent.instance, incumbent.slots, self.walk, enough, seed), SECONDS_PER_SEARCH
            )
        restarts = self.restarts and incumbent.gap > NARROW
        if restarts and not self.line_left and tally.fruitless >= _RESTART // 2:
            self.line, self.line_left = varied_greedy(incumbent.instance, seed), _RESTART
        slots = incumbent.slots if self.line is None else self.line
        return Step(SEARCH, search_on, (incumbent.instance, slots, enough, seed), SECONDS_PER_SEARCH)

    def learn(self, result: StepResult, better: bool) -> None:
        """Where a restart stands, which ends with a better plan, or a walk; and whose turn it is."""
        if self.levelling:
            # With a better plan another node may be the hottest.
            ends = better and self.incumbent.instance.deployment.binding_nodes > 1
            self.walk = None if ends else result.last
        elif self.line_left:
            self.line_left -= 1
            self.line = result.last if self.line_left and not better else None
            self.line_left = self.line_left if self.line is not None else 0
        if better:
            self.levelling_helps = self.levelling
        self.turn_left = self.turn if better else self.turn_left - 1
        if not self.turn_left:
            self._end_turn()

    def _end_turn(self) -> None:
        if self.levelling:
            self.turn += 1
        self.walk = None
        self.levelling = not self.levelling and levelling_applies(self.incumbent.instance)
        # What was of use last has longer turns.
        if self.levelling == self.levelling_helps:
            self.turn_left = self.turn
        else:
            seldom = self.levelling and self.incumbent.gap > NARROW
            self.turn_left = max(1, self.turn // (_SELDOM if seldom else _OTHER))
