"""Search of several windows, a short step at a time: runs of annealing, warm or anew, and reassignment."""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.heuristics.likely_counts import likely_counts_apply, likely_start
from eplb_opt.heuristics.moves import Moves, moves_of
from eplb_opt.heuristics.segment import COOLING, TRANSFERS, Segment, Slots, hot, warm
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import CallLimits
from eplb_opt.run.step import REPARTITION, SEARCH, Step, StepResult
from eplb_opt.run.steps import anneal_on, reassign_on
from eplb_opt.run.tally import Tally, next_seed

# Proposals of the first run and of the shortest, and how much longer each is than the one before.
_FIRST_RUN, _SHORTEST, _GROWTH = 400_000, 20_000, 6
# Seconds of work of one segment, and of one step of reassignment; of a wide one, which finds less often something.
_STEP, _WIDE_STEP = 0.05, 0.4
# A step of reassignment that lowers what the plan is above the bound by less than this part is slow. So many slow steps
# are waited for at first, of wide ones so many, one more for each that is not, and never more than this.
_SLOW, _PATIENCE, _WIDE_PATIENCE, _MOST_PATIENCE = 0.003, 2, 5, 10
# Proposals of a run at most where reassignment is wide, which gives more than a longer run. After each round in vain it
# may grow.
_LONGEST_WIDE = 2_400_000
# Part of the time left that a last run takes: reassignment after it gives more in the same time.
_LAST_RUN = 0.3
# Runs of a round, as long as they are in vain: a warm one, where counts can be likely so many anew, and a hot one. One
# anew that ends further above the bound than so many times the best plan is the last of those.
_ANEW, _NEAR = 5, 1.5
# Rounds in a row without a better plan after which there is nothing more to expect. A round with so many proposals of a
# run for each slot is the last one in any case.
_STALLED, _LONGEST = 4, 400_000


@dataclass
class AnnealingRuns:
    """Runs of annealing from the best plan, each much longer than the one before; the last fits what time is left.

    After each run reassignment has its turn, for as long as it is quick: where a GPU has eight slots or more it takes
    half off the gap. Where it is wide (`eplb_opt.heuristics.wide_windows`) it goes on from the end of a run that is
    hot or has likely counts, however far above the best plan: annealing alone hardly comes near that any more. A run
    that is of no use is followed by some of its length that begin with likely counts and keep them
    (`eplb_opt.heuristics.likely_counts`), and by a hot one. Where reassignment is wide, the first of all begins with
    them, too, and none is long.

    Attributes
    ----------
    length, made
        Proposals of this run: all, and those of the segments so far.
    hot
        Its first temperature.
    last
        Where this run stands.
    runs
        Runs that are done, reassignment included.
    turn
        Runs of this round that are done, all of them in vain, reassignment included; the next round is of longer ones.
    rounds_in_vain
        Rounds in a row without a better plan.
    patience
        Slow steps of reassignment that are waited for until annealing goes on.
    """

    incumbent: Incumbent
    limits: CallLimits
    length: int = 0
    made: int = 0
    hot: float = 0.0
    last: Slots | None = None
    runs: int = 0
    turn: int = 0
    rounds_in_vain: int = 0
    patience: int = 0
    _seconds: float = 0.0
    _proposals: int = 0
    _was_better: bool = False
    _above_before: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether rounds found nothing better for long, or one whose runs could not be much longer."""
        if not self.between_runs or self.turn or not self.rounds_in_vain:
            return False
        long = self.length >= _LONGEST * self.incumbent.instance.deployment.num_slots
        return long or self.rounds_in_vain >= _STALLED

    @property
    def between_runs(self) -> bool:
        """Whether a run is done, reassignment included, and the next has not begun."""
        return self.made >= self.length and not self.patience

    def step(self, tally: Tally, fair_seconds: float) -> Step:
        """The next segment of this run; once done, reassignment, or the first one of a new run from the best plan."""
        incumbent = self.incumbent
        instance, windows = incumbent.instance, incumbent.windows
        seed = (self.limits.seed + next_seed(tally)) % 2**64
        if self.made >= self.length:
            if self.patience:
                slots, seconds = self._reassigned, _WIDE_STEP if self._is_wide else _STEP
                arguments = (instance, windows, slots, self._above_bound(slots), seconds, seed)
                return Step(SEARCH, reassign_on, arguments, seconds)
            self._begin_run(fair_seconds, seed)
        per_proposal = self._moves.seconds_per_proposal(instance, windows)
        proposals = min(int(_STEP / per_proposal), self.length - self.made)
        cold = warm(instance) * COOLING
        begin, end = (
            self.hot * (cold / self.hot) ** (made / self.length) for made in (self.made, self.made + proposals)
        )
        slots = incumbent.slots if self.last is None else self.last
        self.made += proposals
        self._proposals += proposals
        segment = Segment(slots, begin, end, proposals, seed, 0.0 if self._is_anew else TRANSFERS)
        return Step(SEARCH, anneal_on, (instance, windows, segment), proposals * per_proposal)

    def learn(self, result: StepResult, better: bool) -> None:
        """Where the run stands, how fast it is, and at its end whether it was of use."""
        self._was_better |= better
        self.last = result.last
        above = self._above_bound(self._reassigned)
        if result.name == REPARTITION:
            quick = above < (1 - _SLOW) * self._above_before
            self.patience = min(_MOST_PATIENCE, self.patience + 1) if quick else self.patience - 1
        else:
            self._seconds += result.seconds
            useful = self._was_better or not self._is_anew or self._is_wide
            applies = self._moves.reassignment_applies(self.incumbent.instance)
            patience = _WIDE_PATIENCE if self._is_wide else _PATIENCE
            self.patience = patience if useful and applies else 0
        self._above_before = above
        if self.between_runs:
            self.runs += 1
            if self._was_better:
                self.turn = self.rounds_in_vain = 0
            elif self.turn > self._anew:
                self.turn, self.rounds_in_vain = 0, self.rounds_in_vain + 1
            else:
                self.turn = self._anew + 1 if self._is_far else self.turn + 1

    @property
    def _is_wide(self) -> bool:
        """Whether reassignment is of many GPUs at once."""
        return self._moves.reassigns_widely(self.incumbent.instance, self.incumbent.windows)

    @property
    def _reassigned(self) -> Slots:
        """The plan that reassignment goes on from: the best one, but where it is wide and the run was not from that."""
        return self.last if self._is_wide and self.turn and self.last is not None else self.incumbent.slots

    @property
    def _above(self) -> float:
        """What the best plan is above the bound, in what the search makes cool."""
        return self._above_bound(self.incumbent.slots)

    def _above_bound(self, slots: Slots) -> float:
        incumbent = self.incumbent
        value = incumbent.windows.value(slots, incumbent.instance)
        # The bound is that of the real windows; with scenarios there is none but the mean load.
        return max(0.0, value - (1.0 if incumbent.objective.scenarios else incumbent.imbalance_bound))

    @property
    def _moves(self) -> Moves:
        return moves_of(self.incumbent.instance)

    @property
    def _anew(self) -> int:
        """Runs of a round that begin with likely counts."""
        return _ANEW if likely_counts_apply(self.incumbent.instance) else 0

    @property
    def _is_anew(self) -> bool:
        """Whether this run begins with likely counts, and keeps them."""
        return 0 < self.turn <= self._anew

    @property
    def _is_far(self) -> bool:
        """Whether a run that began with likely counts ended so far above the best plan that the next would, too."""
        return self._is_anew and self.last is not None and self._above_bound(self.last) > _NEAR * self._above

    def _begin_run(self, fair_seconds: float, seed: int) -> None:
        instance, windows = self.incumbent.instance, self.incumbent.windows
        if not self.runs and self._is_wide and self._anew:
            # Reassignment changes some counts, and first plans are many away from likely ones.
            self.turn = 1
        grows = not (self.turn and self.runs)
        following = max(_FIRST_RUN, _GROWTH * self.length) if grows else self.length
        if self._is_wide:
            following = min(following, _LONGEST_WIDE * _GROWTH**self.rounds_in_vain)
        if not self.limits.deterministic:
            # Cooling that time cuts short is wasted: a run that would be followed by none fits what is left. The first
            # is short all the same, for reassignment to find most of what it can early.
            measured = self._proposals / self._seconds if self._seconds else 0.0
            per_second = measured or 1 / self._moves.seconds_per_proposal(instance, windows)
            possible = int(_LAST_RUN * fair_seconds * per_second)
            last = self.length > 0 and possible < (1 + _GROWTH) * following
            following = max(_SHORTEST, possible if last else min(following, possible))
        self.length, self.made, self.last, self._was_better = following, 0, None, False
        self.hot = hot(instance) if self.turn > self._anew else warm(instance)
        if self._is_anew:
            self.last = likely_start(instance, windows, seed)
