"""solve: bound, first plan, improve, prove, verify, on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.arguments import effort
from eplb_opt.deployment import Deployment
from eplb_opt.failure_domains import require_survivable
from eplb_opt.heuristics.registry import GIVEN
from eplb_opt.instance import Instance
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.kernels.loading import interrupted_between_kernels
from eplb_opt.limits import CallLimits, usable_cores
from eplb_opt.loads import Loads
from eplb_opt.methods import method_of
from eplb_opt.own_method import OwnMethod, summed
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.request import METHODS, check_kinds, check_method, objective_of, searched_deployment, warm_start_rows
from eplb_opt.solution import Solution
from eplb_opt.verify import require_valid

if TYPE_CHECKING:
    from eplb_opt.run.layer_run import LayerRun


def solve(
    loads: Any,
    deployment: Deployment,
    *,
    objective: str = "auto",
    window_weights: Sequence[float] | None = None,
    scenarios: int = 0,
    method: str | Callable[..., Any] = "auto",
    survive: int = 0,
    warm_start: Plan | None = None,
    time_limit: float = 60.0,
    target_gap: float = 1e-4,
    seed: int = 0,
    workers: int | None = None,
    deterministic: bool = False,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Find a plan, a proven lower bound and the gap between them.

    Parameters
    ----------
    loads
        `Loads`, or an array, tensor or nested list of shape ``(experts,)``, ``(layers, experts)`` or
        ``(windows, layers, experts)``, in tokens, taken as exact.
    deployment
        Where the experts can live, and which replica serves a source: objective, bound and gap are about that dispatch.
    objective
        ``"total"``: the max load of the summed windows, in tokens. ``"mean"``, ``"worst"``: mean and largest imbalance
        over the windows that have any load. ``"auto"`` is ``"total"`` for one window and ``"mean"`` for several.
    window_weights
        What each window counts for in the mean, such as more for recent ones: positive numbers, taken as exact.
    scenarios
        Extrapolated windows that the search makes cool with the others, where the plan is for windows to come: the
        mean window with normal variations along the differences between the windows (`eplb_opt.objective`). Assumes
        that what never varied will not vary. 30 are of use where a few windows differ much; many noisy windows ask for
        several hundred, and for more time; two nearly equal ones say too little. Objective, bound and gap are always
        those of the real windows, whose objective is then not the least there is.
    method
        ``"auto"``: the best plan of the registry's heuristics (for several windows as with ``"greedy"``), search, and
        on layers whose search has stalled the proof that fits, beside more search where workers are free and else in
        turn: several nodes that take groups, `eplb_opt.bounds.partition`; two slots per GPU, sums of rows that
        pairs obey (`pairing`); else dual functions of slot loads (`decomposition`); tiny layers, the whole model.
        Several windows under ``"mean"`` or ``"worst"``: `eplb_opt.kernels.annealing` and `window_reassignment` in
        turn, as with ``"search"``, from the best plan and from `eplb_opt.heuristics.likely_counts`; for ``"worst"`` on
        several nodes that take groups, `partition` after each run.
        ``"greedy"``: the published policy under the deployment's rules; for several windows the best of it on the
        summed and on the mean window, and of `eplb_opt.heuristics.joint`. ``"search"``: greedy, then local search.
        ``"cpsat"``, ``"pulp:HiGHS"``, ``"pulp:COIN_CMD"``: greedy with swap descent, then the whole model of each
        layer as one program. A name of `eplb_opt.heuristics.names`: that heuristic for the summed windows, and bounds;
        this may be worse than ``"greedy"``. A function with the signature of DeepSeek's EPLB: its plan for the summed
        windows (`eplb_opt.own_method`), and bounds; it is called once, and takes the time that it takes.
    survive
        1: every expert has replicas on two GPUs at least, of two nodes where there are several and no groups are bound
        to them, so that the loss of one GPU, or node, loses no expert (`eplb_opt.survival`). That takes two slots for
        each expert, rounded up to equally many of each GPU. Part of the time goes to `eplb_opt.run.survivable`. Bound
        and gap are about all plans, also those that lose experts. 0: no such rule.
    warm_start
        A plan for the same layers and slots that obeys the deployment's rules; the result is never worse (with
        scenarios: on all windows together; where ranks draw replicas, on all layers together; with `survive`, than
        those of its layers that survive).
    time_limit
        Wall-clock seconds of the call. The instant bound and the greedy plan are always made, in this thread where the
        executor is late with them. The first call on a machine compiles the kernels, which takes some 10 seconds, is
        not counted, and is told in the log; what proofs alone need is compiled while it searches.
    target_gap
        A layer whose (objective - lower bound) / objective is at most this is done.
    seed
        For the random choices of search and solvers.
    workers
        Steps that run at once; default: the usable cores.
    deterministic
        Limit work instead of time: each layer has an equal share of `time_limit` as work, one step after the other,
        each fixed by what is known of the layer. Same input and seed, same plan, whatever the workers; and a longer
        time limit never gives a worse one (but with `survive`).
    executor
        Runs the steps (``concurrent.futures``), `workers` of them at a time; default: threads, as compiled code and
        solvers do not hold Python. A step that it loses, as with a worker that dies, is run again. Solvers on other
        machines end at their time limit, not at once with Ctrl-C.
    progress
        Called in this thread with a `Progress` after each step.

    Returns
    -------
    Solution
        Verified plan, exact values, bounds and proofs. The first Ctrl-C ends the call early with what is known.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidPlanError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    MissingPackageError
        `method` names a solver that is not installed.
    MethodError
        `method` is a function that failed, or returned no valid plan.
    """
    began = monotonic()
    loads = Loads.of(loads)
    check_kinds(deployment, warm_start, executor, progress)
    how = method_of(method, METHODS)
    check_method(loads, deployment, objective, how, deterministic)
    effort(time_limit, target_gap, seed, workers)
    require_survivable(survive, deployment, loads.num_experts)
    asked = objective_of(loads, objective, window_weights, scenarios, seed)
    searched = searched_deployment(deployment, loads.labels)
    instances = [Instance.from_loads(layer, searched) for layer in np.moveaxis(loads.values, 1, 0)]
    known = None if warm_start is None else warm_start_rows(warm_start, loads, deployment)
    named = GIVEN if isinstance(how, OwnMethod) else how
    # What is wrong with the input has been said before anything is compiled, which does not count as planning.
    began += _load_kernels(loads, deployment, asked.kind, named, survive)
    given = how.place(summed(loads), deployment).slots if isinstance(how, OwnMethod) else None
    # These import kernels, which load here and not with the package.
    from eplb_opt.run import survivable
    from eplb_opt.run.draws import search_limits, settle
    from eplb_opt.run.layer_run import LayerRun
    from eplb_opt.run.schedule import Schedule

    workers = workers or usable_cores()
    limits = CallLimits(began, time_limit, Fraction(target_gap), seed, workers, deterministic)
    of_search = survivable.search_limits(survive, search_limits(deployment, limits))
    layers = [
        LayerRun.of(layer_id, instance, asked, named, of_search, of_search.seconds / len(instances))
        for layer_id, instance in zip(loads.layer_ids, instances, strict=True)
    ]
    for by, rows, when in (("warm start", known, 0.0), (str(how), given, monotonic() - began)):
        for layer, slots in zip(layers, [] if rows is None else rows, strict=rows is not None):
            layer.incumbent.offer_plan(slots, by, when)
    watch = _Watch(layers, limits, progress)
    with interrupt_requests() as interrupt, _threads(workers) as threads:
        schedule = Schedule(layers, of_search, executor or threads, interrupt, watch)
        schedule.first_plans()
        schedule.improve_and_prove()
        settle(layers, deployment, loads.labels, limits, interrupt, watch, known)
        if survive:
            survivable.make_survivable(layers, limits, interrupt, watch, known)
        # Here, where an interrupt does not lose what has just been found.
        best = np.stack([layer.incumbent.slots for layer in layers])
        return Solution(
            plan=require_valid(Plan(best, deployment, loads.num_experts, **loads.labels.fields)),
            layers=tuple(layer.to_solution(interrupt.is_set()) for layer in layers),
            objective=asked.kind,
            runtime=monotonic() - began,
            window_weights=asked.window_weights,
            interrupted=interrupt.is_set(),
        )


def _load_kernels(loads: Loads, deployment: Deployment, objective: str, method: str, survive: int) -> float:
    """Load what a call runs, or compile it; the seconds that took if anything was compiled, else 0."""
    with interrupted_between_kernels():
        from eplb_opt.run.loading import parts_for, seconds_of_loading

        several = loads.num_windows > 1 and objective != "total"
        parts = parts_for(deployment, loads.num_experts, several, method)
        return seconds_of_loading([*parts, *["moving"] * survive])


@contextmanager
def _threads(workers: int) -> Iterator[Executor]:
    """Threads for steps, which nobody waits for at the end: steps end by themselves."""
    threads = ThreadPoolExecutor(workers, "eplb_opt")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class _Watch:
    """Tells whoever watches a call about each layer that has moved."""

    def __init__(self, layers: list[LayerRun], limits: CallLimits, progress: Callable[[Progress], None] | None) -> None:
        self._layers, self._limits, self._progress = layers, limits, progress
        self._done: set[int] = set()

    def __call__(self, layer: LayerRun) -> None:
        (self._done.add if layer.incumbent.closed else self._done.discard)(layer.layer_id)
        if self._progress is None:
            return
        gaps = [other.incumbent.gap for other in self._layers if other.incumbent.has_plan]
        self._progress(
            Progress(
                seconds=monotonic() - self._limits.began,
                time_limit=self._limits.seconds,
                layer_id=layer.layer_id,
                objective=layer.in_asked(layer.incumbent.value),
                lower_bound=layer.in_asked(layer.incumbent.bound),
                gap=layer.incumbent.gap,
                layers=len(self._layers),
                layers_done=len(self._done),
                worst_gap=max(gaps) if len(gaps) == len(self._layers) else None,
            )
        )
