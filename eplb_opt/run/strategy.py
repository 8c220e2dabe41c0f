"""Strategy: which step a layer takes next, of a search and of a prover that are chosen once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from eplb_opt.backends.available import PROGRAMMED
from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.bounds.methods import (
    DECOMPOSITION,
    PAIRING,
    WINDOWS,
    proof_method,
    window_nodes_apply,
    window_weightings_apply,
)
from eplb_opt.bounds.search_evidence import placements_are_few
from eplb_opt.heuristics.registry import GIVEN, names
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import CallLimits, Limits
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof
from eplb_opt.run.annealing_runs import AnnealingRuns
from eplb_opt.run.linked_search import LinkedSearch
from eplb_opt.run.local_search import LocalSearch
from eplb_opt.run.provers import (
    NodesBetweenRuns,
    NoProver,
    PairsAfterSearch,
    ProgramBesideSearch,
    ProofsBesideSearch,
    Prover,
    WholeModel,
    WindowsBesideRuns,
)
from eplb_opt.run.step import SEARCH, START, Step, StepResult
from eplb_opt.run.steps import run_in_worker, start
from eplb_opt.run.tally import Tally
from eplb_opt.run.task import ProofTask

# So many searches in a row without a better plan let a layer's gap count for half.
_LONG = 100
# Seconds of the first attempt to prove, and seconds of work where that is limited; doubled each time.
_FIRST_PROOF, _FIRST_PROOF_WORK = 2.0, 0.2
# Patterns of several windows take seconds to list: a layer with less time for itself is searched alone, or with less
# than twice that where search would have to wait, and the first attempt is as long as the third of others.
_WORTHWHILE_SECONDS, _LATER = 10.0, 2
# Of few placements it takes a part of a second.
_WORTHWHILE_FEW = 1.0


class Searcher(Protocol):
    """Looks for better plans of a layer, a short step at a time."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to expect."""

    def step(self, tally: Tally, fair_seconds: float) -> Step:
        """The next step; `fair_seconds` is the layer's part of the time that is left."""

    def learn(self, result: StepResult, better: bool) -> None:
        """Take in what a step found, and whether the layer is better known for it."""


@dataclass
class Strategy:
    """What a layer does next.

    Attributes
    ----------
    incumbent
        What is known of the layer.
    method, limits
        As in `eplb_opt.solve`.
    share
        Seconds of work of its own, where work is limited instead of time.
    search, prover
        What finds better plans, and what says when to prove.
    in_slices
        Whether what proves gives way to search again and again, and begins anew from the best plan.
    tally
        What was done so far.
    running
        Kinds of the steps that run now.
    exhausted
        Nothing more to do, because the method has nothing more to give.
    """

    incumbent: Incumbent
    method: str
    limits: CallLimits
    share: float
    search: Searcher
    prover: Prover
    in_slices: bool
    tally: Tally = field(default_factory=Tally)
    running: set[str] = field(default_factory=set)
    exhausted: bool = False

    @classmethod
    def of(cls, incumbent: Incumbent, method: str, limits: CallLimits, share: float) -> Strategy:
        """The strategy of a method for a layer: by its windows, nodes and slots per GPU; or of GPUs that differ."""
        if not incumbent.instance.deployment.alike:
            # What else searches and proves takes GPUs for alike.
            runs = AnnealingRuns(incumbent, limits)
            return cls(incumbent, method, limits, share, runs, _prover_of_different(incumbent, method), False)
        proof = proof_method(incumbent.instance)
        in_slices = proof == DECOMPOSITION
        dispatch = incumbent.instance.deployment.dispatch
        if dispatch == "optimal" and incumbent.instance.num_windows == 1:
            linked = LinkedSearch(incumbent, limits)
            return cls(incumbent, method, limits, share, linked, _prover(incumbent, method, proof), in_slices)
        dispatched = dispatch != "even"
        if incumbent.instance.num_windows > 1 or dispatched:
            runs = AnnealingRuns(incumbent, limits)
            prover = _prover_of_windows(incumbent, runs) if method == "auto" else NoProver()
            return cls(incumbent, method, limits, share, runs, prover, in_slices)
        search = LocalSearch(incumbent, limits, restarts=in_slices)
        return cls(incumbent, method, limits, share, search, _prover(incumbent, method, proof), in_slices)

    def first_step(self, hurried: bool = False) -> Step:
        """The instant bound and the first plans; when hurried, no more of them than is promised."""
        more = self.method != "greedy" and not hurried
        return Step(START, start, (self.incumbent.instance, self.incumbent.objective, self.method, more), 0.0)

    def next_step(self, call: str, fair_seconds: float, threads: int) -> Step | None:
        """The next step, of another kind than those that run; ``None`` where the method, or work, comes to its end.

        `fair_seconds` and `threads` are this layer's part of what is left.
        """
        if self.search.finished:
            self.exhausted = True
            return None
        if self.running and self.limits.deterministic:
            return None
        kinds = (kind for kind in self.prover.wanted(self.tally) if kind not in self.running)
        kind = next((kind for kind in kinds if kind != WINDOWS or self._worthwhile(fair_seconds, threads)), None)
        step = None
        if kind == SEARCH:
            step = self.search.step(self.tally, fair_seconds)
        elif kind is not None:
            step = self._proof(kind, call, fair_seconds, threads)
        if step is not None and self.limits.deterministic and self.tally.total_work + step.work > self.share:
            return None
        return step

    def began(self, step: Step, again: bool = False) -> None:
        """A step runs from now on, and is counted unless that is `again`."""
        self.running.add(step.kind)
        if not again:
            self.tally.work[step.kind] += step.work
            self.tally.steps[step.kind] += 1

    def learn(self, kind: str, result: StepResult, better: bool) -> None:
        """Take in a step that is done, and whether it found a better plan or bound."""
        if result.complete and not self.incumbent.closed:
            # What has come to its end without closing the gap, or has failed, is not asked again.
            self.exhausted = self.method != "auto"
            self.prover = self.prover if self.exhausted else NoProver()
        if kind == SEARCH:
            self.tally.fruitless = 0 if better else self.tally.fruitless + 1
            self.search.learn(result, better)
        else:
            self.tally.fruitless = 0

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller for layers that need the next step more: those with the widest gaps, unless search is long in vain.

        Proofs that get a fair part of the time go to those first that had fewer.
        """
        proofs = 0 if self.in_slices else self.tally.proofs
        return proofs, -self.incumbent.rough_gap / (_LONG + self.tally.fruitless)

    def _worthwhile(self, fair_seconds: float, threads: int) -> bool:
        """Whether there is time to prove something of all windows at once."""
        seconds = self.share if self.limits.deterministic else fair_seconds
        if placements_are_few(self.incumbent.instance):
            return seconds >= _WORTHWHILE_FEW
        waits = threads < 2 and not self.limits.deterministic
        return seconds >= (2 * _WORTHWHILE_SECONDS if waits else _WORTHWHILE_SECONDS)

    def _proof(self, kind: str, call: str, fair_seconds: float, threads: int) -> Step:
        limits, incumbent = self.limits, self.incumbent
        first = _FIRST_PROOF_WORK if limits.deterministic else _FIRST_PROOF
        slice_ = first * 2 ** min(self.tally.steps[kind] + (_LATER if kind == WINDOWS else 0), 20)
        whole = kind in PROGRAM_METHODS and self.method != "auto"
        seed = limits.seed % 2**31
        if limits.deterministic:
            slice_ = self.share if whole else slice_
            allowed = Limits(max(60.0, 100 * limits.seconds), 1, seed, work=slice_)
        else:
            # What gives way to search again and again needs no fair share; the others would begin anew each time.
            in_slices = self.method == "auto" and kind in (DECOMPOSITION, WINDOWS, "cpsat")
            seconds = min(slice_, limits.left) if in_slices else fair_seconds
            alone = self.method != "auto" or kind == PAIRING
            allowed = Limits(seconds, threads if alone else 1, seed)
        known, instance = incumbent.proof, incumbent.instance
        task = ProofTask(
            # In the unit of the bounds, which of several windows is an imbalance.
            instance if instance.num_windows == 1 else instance.in_mean_loads(),
            tuple(incumbent.slots.tolist()),
            Proof(known.argument, known.bound, known.checked, known.by),
            kind,
            allowed,
            limits.target_gap,
            call,
            incumbent.objective if incumbent.objective.kind == "mean" else Objective(),
        )
        return Step(kind, run_in_worker, (task,), slice_)


def _prover(incumbent: Incumbent, method: str, proof: str) -> Prover:
    if method in PROGRAM_METHODS:
        return WholeModel(method)
    dispatch = incumbent.instance.deployment.dispatch
    if method != "auto" or dispatch not in PROGRAMMED:
        return NoProver()
    # What else proves is about the even split.
    if dispatch == "optimal":
        return ProgramBesideSearch(incumbent)
    if proof == PAIRING:
        return PairsAfterSearch(incumbent)
    return ProofsBesideSearch(incumbent, proof, in_slices=proof == DECOMPOSITION)


def _prover_of_windows(incumbent: Incumbent, runs: AnnealingRuns) -> Prover:
    """Of several windows, or of a dispatch that is searched as they are."""
    if _nodes_apply(incumbent):
        return NodesBetweenRuns(runs)
    applies = window_weightings_apply(incumbent.instance) or window_nodes_apply(incumbent.instance)
    return WindowsBesideRuns(runs) if applies and not incumbent.objective.scenarios else NoProver()


def _prover_of_different(incumbent: Incumbent, method: str) -> Prover:
    """For GPUs that differ: the whole model, where there is one."""
    if method in PROGRAM_METHODS:
        return WholeModel(method)
    instance = incumbent.instance
    programmed = instance.num_windows == 1 and instance.deployment.dispatch in PROGRAMMED
    return ProgramBesideSearch(incumbent) if method == "auto" and programmed else NoProver()


def _nodes_apply(incumbent: Incumbent) -> bool:
    """Whether the plan of several windows is as good as that of its hottest node in its hottest window."""
    objective, nodes = incumbent.objective, incumbent.instance.deployment.binding_nodes
    even = incumbent.instance.deployment.dispatch == "even"
    return even and objective.kind == "worst" and not objective.scenarios and nodes > 1


def ends_with_first_plans(method: str) -> bool:
    """Whether a method has nothing to give beyond its first plans."""
    return method in ("greedy", GIVEN, *names())
