"""The steps that a layer's solution is made of: pure functions of picklable values, for any executor."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from time import monotonic

from eplb_opt.bounds.instant import instant_bound
from eplb_opt.errors import EplbOptError
from eplb_opt.heuristics.levelling import levelled
from eplb_opt.heuristics.linked import EXCHANGED_PER_SECOND, linked, settled
from eplb_opt.heuristics.moves import moves_of
from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, search
from eplb_opt.heuristics.planner import first_plans
from eplb_opt.heuristics.segment import Segment
from eplb_opt.improvement import Improvement, Slots
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective, Windows
from eplb_opt.run.pool import POOL
from eplb_opt.run.step import REPARTITION, SEARCH, START, StepResult
from eplb_opt.run.task import ProofTask

# What one search step counts for when work is limited instead of time, and the pairs of slots that it looks at.
SECONDS_PER_SEARCH = 0.1
WORK_PER_SEARCH = int(SECONDS_PER_SEARCH * PAIRS_PER_SECOND)
# The same of exchanges between linked GPUs.
SECONDS_PER_SETTLING = 0.05
WORK_PER_SETTLING = int(SECONDS_PER_SETTLING * EXCHANGED_PER_SECOND)


def start(instance: Instance, objective: Objective, method: str, more: bool) -> StepResult:
    """The instant bound and the first plans; with `more` than the promised ones, where they are to be improved."""
    begin = monotonic()
    proof = instant_bound(instance, objective)
    found = [Improvement(str(proof), proof=proof, seconds=monotonic() - begin)]
    for by, slots in first_plans(instance, objective, method, WORK_PER_SEARCH if more else 0):
        found.append(Improvement(by, slots=slots, seconds=monotonic() - begin))
    return StepResult(START, tuple(found), monotonic() - begin)


def search_on(instance: Instance, slots: Slots, enough: Fraction, seed: int) -> StepResult:
    """Local search of one window from `slots`, until the max load is `enough`; same arguments, same plan."""
    begin = monotonic()
    found = search(instance, slots, seed=seed, target=instance.kernel_value(enough), work=WORK_PER_SEARCH)
    return _result(SEARCH, found, begin, last=found)


def level_on(instance: Instance, slots: Slots, walk: Slots | None, enough: Fraction, seed: int) -> StepResult:
    """A stretch of a walk from `slots` towards GPUs that carry the same, see `eplb_opt.heuristics.levelling`."""
    begin = monotonic()
    target = instance.kernel_value(enough)
    found, last = levelled(instance, slots, walk, seed, target, WORK_PER_SEARCH)
    return _result("levelling", found, begin, last=last)


def search_evenly_on(instance: Instance, slots: Slots, enough: Fraction, seed: int) -> StepResult:
    """The same as if the split were even: what it finds is at least as good under the optimal one."""
    even = replace(instance, deployment=replace(instance.deployment, dispatch="even"))
    return search_on(even, slots, enough, seed)


def link_on(instance: Instance, slots: Slots, enough: Fraction, seed: int) -> StepResult:
    """A plan whose GPUs share experts in a chain, see `eplb_opt.heuristics.linked`, with the groups of `slots`."""
    begin = monotonic()
    found = settled(instance, linked(instance, slots, seed), seed, instance.kernel_value(enough), WORK_PER_SETTLING)
    return _result("links", found, begin)


def settle_on(instance: Instance, slots: Slots, enough: Fraction, seed: int) -> StepResult:
    """Exchanges between linked GPUs from `slots`, see `eplb_opt.heuristics.linked`."""
    begin = monotonic()
    found = settled(instance, slots, seed, instance.kernel_value(enough), WORK_PER_SETTLING)
    return _result("links", found, begin)


def anneal_on(instance: Instance, windows: Windows, segment: Segment) -> StepResult:
    """The best plan of one segment of annealing, and the one where it ends."""
    begin = monotonic()
    best, last = moves_of(instance).annealed(instance, windows, segment)
    return _result(SEARCH, best, begin, last=last)


def reassign_on(instance: Instance, windows: Windows, slots: Slots, above: float, work: float, seed: int) -> StepResult:
    """The best plan of reassignment from `slots`, in so many seconds of `work`, see `eplb_opt.heuristics.moves`."""
    begin = monotonic()
    found = moves_of(instance).reassigned(instance, windows, slots, above, work, seed)
    return _result(REPARTITION, found, begin, last=found)


def run_in_worker(task: ProofTask) -> StepResult:
    """A task in a worker process; what it found until it was done or ended."""
    begin = monotonic()
    found: list[Improvement] = []

    def keep(improvement: Improvement) -> None:
        found.append(replace(improvement, seconds=monotonic() - begin))

    try:
        complete = POOL.run(task, keep)
    except EplbOptError as error:
        complete = True
        keep(Improvement(f"{task.method}: {error}"))
    return StepResult(task.method, tuple(found), monotonic() - begin, complete)


def _result(name: str, slots: Slots, begin: float, last: Slots | None = None) -> StepResult:
    seconds = monotonic() - begin
    return StepResult(name, (Improvement(name, slots=slots, seconds=seconds),), seconds, last=last)
