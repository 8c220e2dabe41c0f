"""WindowTurn: the next step of a layer of several windows, a leg of an annealing run or repartition."""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.backends.outcome import PARTITION
from eplb_opt.heuristics.window_search import (
    COOLING,
    Leg,
    Slots,
    deals_apply,
    hot,
    seconds_per_node,
    seconds_per_proposal,
    warm,
)
from eplb_opt.instance import Instance
from eplb_opt.steps import Findings
from eplb_opt.turn import SEARCH, START, Step, Turn
from eplb_opt.window_steps import anneal_on, repartition_on, start_on_windows

# Proposals of the first run and of the shortest, and how much longer each is than the one before.
_FIRST_RUN, _SHORTEST, _GROWTH = 400_000, 20_000, 6
# Seconds of work of one leg, and of one step of repartition.
_STEP = 0.05
# A step of repartition that lowers what the plan is above the bound by less than this part is slow. So many slow steps
# are waited for at first, one more for each that is not, and never more than this.
_SLOW, _PATIENCE, _MOST_PATIENCE = 0.003, 2, 10
# Part of the time left that a last run takes: repartition after it gives more in the same time.
_LAST_RUN = 0.3
# Runs in a row without a better plan, a warm one and a hot one, after which there is nothing more to expect.
_STALLED = 2


@dataclass
class WindowTurn(Turn):
    """Runs of annealing from the best plan, each much longer than the one before; the last fits what time is left.

    After each run repartition has its turn, for as long as it is quick: where a GPU has eight slots or more it takes
    half off the gap, where it has four it is no quicker than annealing. A run that is of no use is followed by a hot
    one of its length.

    Attributes
    ----------
    length, made
        Proposals of this run: all, and those of the legs so far.
    hot
        Its first temperature.
    last
        Where this run stands.
    runs
        Runs that are done, repartition included.
    runs_in_vain
        Runs in a row without a better plan, repartition included.
    patience
        Slow steps of repartition that are waited for until annealing goes on.
    """

    length: int = 0
    made: int = 0
    hot: float = 0.0
    last: Slots | None = None
    runs: int = 0
    runs_in_vain: int = 0
    patience: int = 0
    _fair_seconds: float = 0.0
    _seconds: float = 0.0
    _proposals: int = 0
    _was_better: bool = False
    _above_before: float = 0.0

    def next_step(self, call: str, fair_seconds: float, threads: int) -> Step | None:
        """The next leg or repartition; ``None`` where runs found nothing better for long, or the work is used up."""
        self._fair_seconds = fair_seconds
        if self.runs_in_vain >= _STALLED:
            self.exhausted = True
            return None
        return super().next_step(call, fair_seconds, threads)

    def search(self) -> Step:
        """The next leg of this run; once it is done, repartition, or the first leg of a new run from the best plan."""
        if self.made >= self.length:
            if self.patience:
                return self._repartition()
            self._begin_run()
        record = self.record
        per_proposal = seconds_per_proposal(record.instance, record.outlook)
        proposals = min(int(_STEP / per_proposal), self.length - self.made)
        cold = warm(record.instance) * COOLING
        begin, end = (
            self.hot * (cold / self.hot) ** (made / self.length) for made in (self.made, self.made + proposals)
        )
        slots = record.slots if self.last is None else self.last
        leg = Leg(slots, begin, end, proposals, self._next_seed)
        self.made += proposals
        self._proposals += proposals
        return Step(SEARCH, anneal_on, (record.instance, record.outlook, leg), proposals * per_proposal)

    def absorb(self, kind: str, findings: Findings, better: bool) -> None:
        """Where the run stands, how fast it is, and at its end whether it was of use."""
        super().absorb(kind, findings, better)
        if kind != SEARCH:
            return
        self._was_better |= better
        above = self._above
        if findings.last is None:
            quick = above < (1 - _SLOW) * self._above_before
            self.patience = min(_MOST_PATIENCE, self.patience + 1) if quick else self.patience - 1
        else:
            self.last = findings.last
            self._seconds += findings.seconds
            self.patience = _PATIENCE if deals_apply(self.record.instance) else 0
        self._above_before = above
        if self.made >= self.length and not self.patience:
            self.runs += 1
            self.runs_in_vain = 0 if self._was_better else self.runs_in_vain + 1

    def _repartition(self) -> Step:
        record = self.record
        nodes = int(_STEP / seconds_per_node(record.outlook))
        arguments = (record.instance, record.outlook, record.slots, self._above, nodes, self._next_seed)
        return Step(SEARCH, repartition_on, arguments, _STEP)

    @property
    def _above(self) -> float:
        """What the best plan is above the bound, in what the search makes cool."""
        record = self.record
        value = record.outlook.value(record.slots, record.instance.deployment.num_gpus)
        # The bound is that of the real windows; with scenarios there is none but the mean load.
        return max(0.0, value - (1.0 if record.aim.scenarios else float(record.proof.bound)))

    @property
    def _next_seed(self) -> int:
        return (self.budget.seed + 0x9E3779B1 * (self.steps[SEARCH] + 1)) % 2**64

    def _greedy_step(self, in_a_hurry: bool) -> Step:
        """Greedy plans of the summed windows, of the mean one and of all jointly."""
        record = self.record
        return Step(START, start_on_windows, (record.instance, record.aim, record.outlook), 0.0)

    def _wanted(self) -> tuple[str, ...]:
        """Search; but after each run the nodes one by one, where the hottest window of the hottest node counts."""
        done = self.made >= self.length and not self.patience
        return (PARTITION,) if self._can_partition and done and self.programs < self.runs else (SEARCH,)

    @property
    def _can_partition(self) -> bool:
        aim, nodes = self.record.aim, self.record.instance.deployment.binding_nodes
        exact = aim.objective == "worst" and not aim.scenarios
        return exact and nodes > 1 and self.method == "auto" and not self.solvers_failed

    @property
    def _in_program(self) -> Instance:
        return self.record.instance.in_mean_loads()

    def _begin_run(self) -> None:
        record = self.record
        in_vain = self.runs_in_vain > 0
        following = self.length if in_vain else max(_FIRST_RUN, _GROWTH * self.length)
        if not self.budget.deterministic:
            # Cooling that time cuts short is wasted: a run that would be followed by none fits what is left. The first
            # is short all the same, for repartition to find most of what it can early.
            per_second = (
                self._proposals / self._seconds
                if self._seconds
                else 1 / seconds_per_proposal(record.instance, record.outlook)
            )
            possible = int(_LAST_RUN * self._fair_seconds * per_second)
            last = self.length > 0 and possible < (1 + _GROWTH) * following
            following = max(_SHORTEST, possible if last else min(following, possible))
        self.hot = hot(record.instance) if in_vain else warm(record.instance)
        self.length, self.made, self.last, self._was_better = following, 0, None, False
