"""WindowTurn: the next step of a layer of several windows, a leg of an annealing run."""

from __future__ import annotations

from dataclasses import dataclass

from eplb_opt.steps import Findings
from eplb_opt.turn import SEARCH, START, Step, Turn
from eplb_opt.window_steps import Leg, Slots, anneal_on, start_on_windows

# First temperature of a run, in mean slot loads, and how much colder it ends. Cool enough for plans to stay near the
# one they begin with: hotter runs find plans that are no better on the windows known, and worse on others.
_WARM, _COOLING = 1e-2, 1 / 200
# First temperature, in mean GPU loads, where warm runs have nothing more to give: on layers with few experts a single
# move makes a large difference.
_HOT = 2e-1
# Proposals of the first run, how much longer each is than the one before, and of one leg: a tenth of a second or less.
_FIRST_RUN, _GROWTH, _LEG = 200_000, 4, 200_000
# What a proposal counts for in seconds of work, for each window and on top.
_WORK_PER_WINDOW, _WORK_PER_PROPOSAL = 2e-8, 2e-7
# Runs in a row without a better plan, a warm one and a hot one, after which there is nothing more to expect.
_STALLED = 2


@dataclass
class WindowTurn(Turn):
    """Runs of annealing from the best plan, each much longer than the one before; the last fits what time is left.

    A run that is of no use is followed by a hot one of its length.

    Attributes
    ----------
    length, made
        Proposals of this run: all, and those of the legs so far.
    hot
        Its first temperature.
    last
        Where this run stands.
    runs_in_vain
        Runs in a row without a better plan.
    """

    length: int = 0
    made: int = 0
    hot: float = _HOT
    last: Slots | None = None
    runs_in_vain: int = 0
    _fair_seconds: float = 0.0
    _seconds: float = 0.0
    _proposals: int = 0
    _was_better: bool = False

    def next_step(self, call: str, fair_seconds: float, threads: int) -> Step | None:
        """The next leg; ``None`` where runs have found nothing better for long, or the work has come to its end."""
        self._fair_seconds = fair_seconds
        if self.runs_in_vain >= _STALLED:
            self.exhausted = True
            return None
        return super().next_step(call, fair_seconds, threads)

    def first_step(self) -> Step:
        """Instant bounds and greedy plans."""
        record = self.record
        return Step(START, start_on_windows, (record.instance, record.aim, record.outlook), 0.0)

    def search(self) -> Step:
        """The next leg of this run, or the first of a new one from the best plan."""
        if self.made >= self.length:
            self._begin_run()
        record = self.record
        proposals = min(_LEG, self.length - self.made)
        cold = self._warm * _COOLING
        begin, end = (
            self.hot * (cold / self.hot) ** (made / self.length) for made in (self.made, self.made + proposals)
        )
        slots = record.slots if self.last is None else self.last
        leg = Leg(slots, begin, end, proposals, (self.budget.seed + 0x9E3779B1 * (self.steps[SEARCH] + 1)) % 2**64)
        self.made += proposals
        self._proposals += proposals
        work = proposals * (_WORK_PER_PROPOSAL + _WORK_PER_WINDOW * len(record.outlook.loads))
        return Step(SEARCH, anneal_on, (record.instance, record.outlook, leg), work)

    def absorb(self, kind: str, findings: Findings, better: bool) -> None:
        """Where the run stands, how fast it is, and at its end whether it was of use."""
        super().absorb(kind, findings, better)
        self.last = findings.last
        self._seconds += findings.seconds
        self._was_better |= better
        if self.made >= self.length:
            self.runs_in_vain = 0 if self._was_better else self.runs_in_vain + 1

    @property
    def _warm(self) -> float:
        return _WARM / self.record.instance.deployment.slots_per_gpu

    def _wanted(self) -> tuple[str, ...]:
        return (SEARCH,)

    def _begin_run(self) -> None:
        hot = self.runs_in_vain > 0
        following = self.length if hot else max(_FIRST_RUN, _GROWTH * self.length)
        if not self.budget.deterministic and self._seconds:
            # Cooling that time cuts short is wasted: a run that would be followed by none takes all that is left.
            possible = int(self._fair_seconds * self._proposals / self._seconds)
            if possible < (1 + _GROWTH) * following:
                following = max(_FIRST_RUN, possible)
        self.hot = max(_HOT, self._warm) if hot else self._warm
        self.length, self.made, self.last, self._was_better = following, 0, None, False
