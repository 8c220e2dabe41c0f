"""Turn: where one layer stands, and what its next step is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from eplb_opt.backends.limits import Limits
from eplb_opt.backends.outcome import DECOMPOSITION, PAIRING, PROGRAM_METHODS
from eplb_opt.bounds.closing import closing_method
from eplb_opt.bounds.pairing import pairing_applies
from eplb_opt.budget import Budget
from eplb_opt.formulations.assignment import num_variables
from eplb_opt.heuristics.pipeline import Slots, varied_greedy
from eplb_opt.heuristics.registry import names
from eplb_opt.instance import Instance
from eplb_opt.record import LayerRecord
from eplb_opt.run.program import ProgramTask
from eplb_opt.steps import SECONDS_PER_SEARCH, Findings, run_in_worker, search_on, start, start_by_heuristic

START, SEARCH = "start", "search"
# Search steps in a row without a better plan after which proving has its turn, doubled each time.
_PATIENCE = 3
# Below this gap search has nearly always more to give than proofs: it is left more time.
_NARROW, _NARROW_PATIENCE = Fraction(2, 10_000), 50
# Searches that follow each other from a new start. Begins after half as many in vain from the best plan.
_RESTART = 20
# So many searches in a row without a better plan let a layer's gap count for half.
_LONG = 100
# Seconds of the first attempt to prove, and seconds of work where that is limited; doubled each time.
_FIRST_PROOF, _FIRST_PROOF_WORK = 2.0, 0.2
# Whole models this small are worth their time: beyond, their bounds stay where the instant bounds are.
_WORTHWHILE_VARIABLES = 2_000


@dataclass(frozen=True)
class Step:
    """A piece of work on a layer: `function` of `arguments`, and the seconds of work it counts for."""

    kind: str
    function: Callable[..., Findings]
    arguments: tuple[object, ...]
    work: float


@dataclass
class Turn:
    """Where one layer stands.

    Attributes
    ----------
    record
        Its plan and bounds.
    share
        Seconds of work of its own, where work is limited instead of time.
    steps
        How many so far, by kind.
    fruitless
        Searches since the last better plan or proof.
    line, line_left
        Where a restart of the search stands, and for how many more searches it goes on.
    work
        What its steps counted for.
    running
        Kinds of the steps that run now.
    done, exhausted
        Nothing more to do; because the method has nothing more to give.
    solvers_failed
        No more programs.
    started
        Whether the first step is done.
    """

    record: LayerRecord
    method: str
    budget: Budget
    share: float
    steps: Counter[str] = field(default_factory=Counter)
    fruitless: int = 0
    line: Slots | None = None
    line_left: int = 0
    work: float = 0.0
    running: set[str] = field(default_factory=set)
    done: bool = False
    exhausted: bool = False
    solvers_failed: bool = False
    started: bool = False

    @property
    def programs(self) -> int:
        """Steps so far that could prove something."""
        return self.steps.total() - self.steps[SEARCH]

    def first_step(self, in_a_hurry: bool = False) -> Step:
        """Instant bounds and the first plans: of the method, where that is a heuristic, and else greedy ones.

        In a hurry nothing beyond what is promised: no swap descent, and not the best of the registry.
        """
        if self.method in names():
            return Step(START, start_by_heuristic, (self.record.instance, self.record.aim, self.method), 0.0)
        return self._greedy_step(in_a_hurry)

    def next_step(self, call: str, fair_seconds: float, threads: int) -> Step | None:
        """The method's next step, of another kind than those that run; ``None`` where it, or work, has come to its end.

        `fair_seconds` and `threads` are this layer's part of what is left.
        """
        if self.running and self.budget.deterministic:
            return None
        kind = next((kind for kind in self._wanted() if kind not in self.running), None)
        step = None
        if kind == SEARCH:
            step = self.search()
        elif kind is not None:
            step = self._program(kind, call, fair_seconds, threads)
        if step is not None and self.budget.deterministic and self.work + step.work > self.share:
            return None
        return step

    def search(self) -> Step:
        """Search from the best plan, or where a restart stands, with another seed each time."""
        record = self.record
        # Any max load up to this one meets the target gap.
        enough = record.proof.bound / (1 - self.budget.target_gap)
        seed = self.budget.seed + 0x9E3779B1 * (self.steps[SEARCH] + 1)
        if self._restarts and not self.line_left and self.fruitless >= _RESTART // 2:
            self.line, self.line_left = varied_greedy(record.instance, seed), _RESTART
        slots = record.slots if self.line is None else self.line
        return Step(SEARCH, search_on, (record.instance, slots, enough, seed), SECONDS_PER_SEARCH)

    def began(self, step: Step, again: bool = False) -> None:
        """A step runs from now on, and is counted unless that is `again`."""
        self.running.add(step.kind)
        if not again:
            self.work += step.work
            self.steps[step.kind] += 1

    def absorb(self, kind: str, findings: Findings, better: bool) -> None:
        """Learn from a step that is done, and whether it found a better plan or bound."""
        self.done = self.record.gap <= self.budget.target_gap
        self.started |= kind == START
        if findings.complete and not self.done:
            self.exhausted = self.method != "auto"
            self.solvers_failed = True
        if kind == SEARCH:
            self.fruitless = 0 if better else self.fruitless + 1
            if self.line_left:
                self.line_left -= 1
                self.line = findings.last if self.line_left and not better else None
                self.line_left = self.line_left if self.line is not None else 0
        else:
            self.fruitless = 0

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller for layers that need the next step more: those with the widest gaps, unless search is long in vain.

        Programs that get a fair part of the time go to those first that had fewer.
        """
        return 0 if self._in_slices else self.programs, -self.record.rough_gap / (_LONG + self.fruitless)

    def _greedy_step(self, in_a_hurry: bool) -> Step:
        """The greedy plan, with swap descent where more is to follow."""
        return Step(START, start, (self.record.instance, self.method != "greedy" and not in_a_hurry), 0.0)

    def _wanted(self) -> tuple[str, ...]:
        """Kinds of steps that would be of use now, the best first."""
        if self.method in PROGRAM_METHODS:
            return () if self.programs else (self.method,)
        if self.method != "auto" or self.solvers_failed:
            return (SEARCH,)
        if self._closing_method == PAIRING:
            # It searches in between: a search beside it has nothing to give.
            prove = self.fruitless >= self._patience and pairing_applies(self.record.instance, self.record.objective)
            return (PAIRING,) if prove else (SEARCH,)
        if self.fruitless >= self._patience:
            return *self._closers(), SEARCH
        # Programs that run but once begin when search has done its part. And many a layer is done after a few searches:
        # no worker process need be started for it.
        alone = not self._in_slices or self.steps[SEARCH] < _PATIENCE
        return (SEARCH,) if alone else (SEARCH, *self._closers())

    def _closers(self) -> tuple[str, ...]:
        """Kinds of programs that would be of use now, the best first."""
        if self._is_small and not self.programs % 2:
            return ("cpsat",)
        return (self._closing_method,)

    @property
    def _patience(self) -> int:
        """Fruitless searches before the next program: none where that takes no longer than a search."""
        if self._is_small and not self.programs:
            return 0
        if self._closing_method == PAIRING:
            return 0 if self.programs else 1
        narrow = self.record.gap <= _NARROW and not self._is_small
        patience = _NARROW_PATIENCE if narrow else _PATIENCE
        return int(patience * 2 ** min(self.programs, 20))

    @cached_property
    def _closing_method(self) -> str:
        return closing_method(self.record.instance)

    @property
    def _in_program(self) -> Instance:
        """The layer in the unit of its bounds."""
        return self.record.instance

    @property
    def _restarts(self) -> bool:
        """Whether a search that is long in vain begins again elsewhere: of use where the gap is wide."""
        return self._in_slices and self.record.gap > _NARROW

    @property
    def _in_slices(self) -> bool:
        """Whether what closes the gap gives way to search again and again, and begins anew from the best plan."""
        return self._closing_method == DECOMPOSITION

    @property
    def _is_small(self) -> bool:
        return num_variables(self.record.instance, self.record.objective) <= _WORTHWHILE_VARIABLES

    def _program(self, kind: str, call: str, fair_seconds: float, threads: int) -> Step:
        budget, record = self.budget, self.record
        first = _FIRST_PROOF_WORK if budget.deterministic else _FIRST_PROOF
        slice_ = first * 2 ** min(self.steps[kind], 20)
        whole = kind in PROGRAM_METHODS and self.method != "auto"
        if budget.deterministic:
            slice_ = self.share if whole else slice_
            limits = Limits(max(60.0, 100 * budget.seconds), 1, budget.seed % 2**31, work=slice_)
        else:
            # What gives way to search again and again needs no fair share; the others would begin anew each time.
            in_slices = self.method == "auto" and kind in (DECOMPOSITION, "cpsat")
            seconds = min(slice_, budget.left) if in_slices else fair_seconds
            alone = self.method != "auto" or kind == PAIRING
            limits = Limits(seconds, threads if alone else 1, budget.seed % 2**31)
        slots = tuple(record.slots.tolist())
        task = ProgramTask(self._in_program, slots, record.proof.bound, kind, limits, budget.target_gap, call)
        return Step(kind, run_in_worker, (task,), slice_)
