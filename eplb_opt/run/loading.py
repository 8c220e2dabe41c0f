"""First calls of the kernels that a call needs."""

from __future__ import annotations

import logging
from dataclasses import replace
from time import monotonic

from eplb_opt.bounds import patterns
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy, search
from eplb_opt.heuristics.window_search import Leg
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.run.steps import anneal_on, repartition_on, start

logger = logging.getLogger(__name__)

# Enough for a first call of everything, and next to nothing for each later one.
_WORK_TO_LOAD = 10_000


def load_kernels() -> float:
    """Compile the kernels, or load them where that was done on this machine before; the seconds it took."""
    begin = monotonic()
    instance = Instance.from_loads([3, 2, 1, 1], Deployment(num_gpus=4, num_slots=8, num_nodes=2, num_groups=4))
    start(instance, Objective(), "auto", more=True)
    search(instance, greedy(instance), kicks=1, work=_WORK_TO_LOAD)
    single = replace(instance, deployment=replace(instance.deployment, num_nodes=1, num_groups=1))
    search(single, greedy(single), kicks=1, work=_WORK_TO_LOAD)
    # Here and not in the workers, whose limits may be too short to compile anything.
    patterns.load_kernels()
    seconds = monotonic() - begin
    logger.info("kernels loaded in %.1f s", seconds)
    return seconds


def load_heuristic(name: str) -> float:
    """Compile the kernels of a heuristic of the registry, or load them; the seconds it took."""
    begin = monotonic()
    start(Instance.from_loads([3, 2, 1, 1], Deployment(num_gpus=2, num_slots=6)), Objective(), name, more=False)
    return monotonic() - begin


def load_window_kernels() -> float:
    """Compile the kernels for several windows, or load them; the seconds it took."""
    begin = monotonic()
    instance = Instance.from_loads([[3, 2, 1, 1], [1, 2, 3, 1]], Deployment(num_gpus=4, num_slots=8))
    objective = Objective("mean")
    start(instance, objective, "auto", more=False)
    leg = Leg(greedy(instance.total()), hot=1.0, cold=0.1, proposals=100, seed=0)
    anneal_on(instance, objective.windows(instance), leg)
    repartition_on(instance, objective.windows(instance), leg.slots, 0.1, 100, 0)
    return monotonic() - begin
