"""The steps a layer's solution is made of: pure functions of picklable values, for any executor."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from eplb_opt.aim import Aim
from eplb_opt.bounds import fillings
from eplb_opt.bounds.acceptance import accepted
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError
from eplb_opt.heuristics.batch import best_placement, place_layers
from eplb_opt.heuristics.joint import joint_plan
from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, greedy, greedy_plus_swap, search
from eplb_opt.heuristics.registry import JOINT, heuristic_of
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest
from eplb_opt.run.pool import POOL
from eplb_opt.run.program import ProgramTask

logger = logging.getLogger(__name__)

Slots = NDArray[np.int64]

# What one search step counts for when work is limited instead of time, and the pairs of slots that it looks at.
SECONDS_PER_SEARCH = 0.1
_WORK_PER_STEP = int(SECONDS_PER_SEARCH * PAIRS_PER_SECOND)
# Enough for a first call of everything, and next to nothing for each later one.
_WORK_TO_LOAD = 10_000


@dataclass(frozen=True)
class Finding:
    """One thing that a step found out about its layer.

    Attributes
    ----------
    source
        What found it, or in a remark what went wrong.
    slots
        A row of slots, if it is a plan.
    proof
        A lower bound, if it is one.
    seconds
        Since the step began.
    """

    source: str
    slots: Slots | None = None
    proof: Proof | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Findings:
    """Everything that a step found out, in order.

    Attributes
    ----------
    step
        What kind of step it was: ``"start"``, ``"search"``, ``"repartition"`` or the method of a program.
    items
        Plans, bounds and remarks.
    seconds
        Time the step took.
    complete
        There is nothing more to expect of the like: it is done, or it failed.
    last
        Where a random walk stands at the end of the step.
    """

    step: str
    items: tuple[Finding, ...]
    seconds: float
    complete: bool = False
    last: Slots | None = None


def load_kernels() -> float:
    """Compile the kernels, or load them where that was done on this machine before; the seconds it took."""
    begin = monotonic()
    instance = Instance.from_loads([3, 2, 1, 1], Deployment(num_gpus=4, num_slots=8, num_nodes=2, num_groups=4))
    start(instance, descend=True)
    search(instance, greedy(instance), kicks=1, work=_WORK_TO_LOAD)
    single = replace(instance, deployment=replace(instance.deployment, num_nodes=1, num_groups=1))
    search(single, greedy(single), kicks=1, work=_WORK_TO_LOAD)
    # Here and not in the workers, whose limits may be too short to compile anything.
    fillings.load_kernels()
    seconds = monotonic() - begin
    logger.info("kernels loaded in %.1f s", seconds)
    return seconds


def load_heuristic(name: str) -> float:
    """Compile the kernels of a heuristic of the registry, or load them; the seconds it took."""
    begin = monotonic()
    start_by_heuristic(Instance.from_loads([3, 2, 1, 1], Deployment(num_gpus=2, num_slots=6)), Aim(), name)
    return monotonic() - begin


def instant_bound(instance: Instance, aim: Aim, begin: float) -> Finding:
    """The best of the instant bounds, as the checker sees it."""
    if instance.num_windows == 1:
        bounds = quick_bounds(instance)
    else:
        bounds = window_bounds(instance, aim.objective, aim.window_weights)
    proof = accepted(strongest(*bounds), instance, aim)
    return Finding(str(proof), proof=proof, seconds=monotonic() - begin)


def start(instance: Instance, descend: bool) -> Findings:
    """Instant bounds and the greedy plan; if asked for, with swap descent, and the best of the registry's plans."""
    begin = monotonic()
    items = [instant_bound(instance, Aim(), begin)]
    items.append(Finding("greedy", slots=greedy(instance), seconds=monotonic() - begin))
    if descend:
        items.append(
            Finding("swap descent", slots=greedy_plus_swap(instance, _WORK_PER_STEP), seconds=monotonic() - begin)
        )
        name, slots = best_placement(instance)
        items.append(Finding(name, slots=slots, seconds=monotonic() - begin))
    return Findings("start", tuple(items), monotonic() - begin)


def start_by_heuristic(instance: Instance, aim: Aim, name: str) -> Findings:
    """Instant bounds, and the plan of a heuristic of the registry for the summed windows, or jointly for all."""
    begin = monotonic()
    items = [instant_bound(instance, aim, begin)]
    if name == JOINT:
        slots = joint_plan(instance, aim)
    else:
        loads = instance.total().kernel_loads[np.newaxis]
        slots = place_layers(heuristic_of(name), loads, instance.deployment).slots[0]
    items.append(Finding(name, slots=slots, seconds=monotonic() - begin))
    return Findings("start", tuple(items), monotonic() - begin)


def search_on(instance: Instance, slots: Slots, enough: Fraction, seed: int) -> Findings:
    """One step of local search from `slots`, until the max load is `enough`; same arguments, same plan."""
    begin = monotonic()
    target = instance.kernel_value(enough)
    found = search(instance, slots, seed=seed, target=target, work=_WORK_PER_STEP)
    seconds = monotonic() - begin
    return Findings("search", (Finding("search", slots=found, seconds=seconds),), seconds, last=found)


def run_in_worker(task: ProgramTask) -> Findings:
    """A program in a worker process; what it found until it was done or ended."""
    begin = monotonic()
    items = []
    verdict: str | None = None
    try:
        for news in POOL.run(task):
            now, verdict = monotonic() - begin, news.verdict
            if news.slots is not None:
                items.append(Finding(task.method, slots=np.array(news.slots, dtype=np.int64), seconds=now))
            if news.proof is not None:
                items.append(Finding(str(news.proof), proof=news.proof, seconds=now))
    except EplbOptError as error:
        verdict = "failed"
        items.append(Finding(f"{task.method}: {error}", seconds=monotonic() - begin))
    if verdict == "infeasible":
        items.append(
            Finding(f"{task.method}: it calls a program infeasible that has a plan", seconds=monotonic() - begin)
        )
    complete = verdict not in (None, "stopped")
    return Findings(task.method, tuple(items), monotonic() - begin, complete)
