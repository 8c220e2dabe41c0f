"""solve: bound -> greedy -> search -> program -> verify, on one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Real
from time import monotonic
from typing import Any

import numpy as np

from eplb_opt.aim import Aim
from eplb_opt.arguments import effort, natural_int, one_of
from eplb_opt.backends.available import require_objective, require_solver
from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.heuristics.registry import names
from eplb_opt.instance import Instance
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.kernels.loading import announced, interrupted_between_kernels
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.record import LayerRecord
from eplb_opt.solution import Solution
from eplb_opt.verify import require_valid

OBJECTIVES = ("auto", "total", "mean", "worst")
METHODS = ("auto", "greedy", "search", *PROGRAM_METHODS, *names())


@dataclass(frozen=True)
class Progress:
    """One step forward, for whoever watches.

    Attributes
    ----------
    seconds, time_limit
        Since the call began, and for all of it.
    layer_id, objective, lower_bound, gap
        The layer that moved, and its values now, exact, in the unit of the objective.
    layers, layers_done
        All layers, and those that meet the target gap.
    worst_gap
        Largest gap of a layer; ``None`` until every layer has a plan.
    """

    seconds: float
    time_limit: float
    layer_id: int
    objective: Fraction
    lower_bound: Fraction
    gap: Fraction
    layers: int
    layers_done: int
    worst_gap: Fraction | None


def solve(
    loads: Any,
    deployment: Deployment,
    *,
    objective: str = "auto",
    window_weights: Sequence[float] | None = None,
    scenarios: int = 0,
    method: str = "auto",
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
        Where the experts can live.
    objective
        ``"total"``: the max load of the summed windows, in tokens. ``"mean"``, ``"worst"``: mean and largest imbalance
        over the windows that have any load. ``"auto"`` is ``"total"`` for one window and ``"mean"`` for several.
    window_weights
        What each window counts for in the mean, such as more for recent ones: positive numbers, taken as exact.
    scenarios
        Extrapolated windows that the search makes cool with the others, where the plan is for windows to come: the
        mean window with normal variations along the differences between the windows (`eplb_opt.aim`). Assumes that
        what never varied will not vary. 30 are of use where a few windows differ much; many noisy windows ask for
        several hundred, and for more time; two nearly equal ones say too little. Objective, bound and gap are always
        those of the real windows, whose objective is then not the least there is.
    method
        ``"auto"``: the best plan of the registry's heuristics (for several windows as with ``"greedy"``), search, and
        on layers whose search has stalled the proof that fits, beside more search where workers are free and else in
        turn: several nodes that take groups, `eplb_opt.bounds.partition`; two slots per GPU, sums of rows that
        pairs obey (`pairing`); else weightings of slot loads (`decomposition`); tiny layers, the whole model.
        Several windows under ``"mean"`` or ``"worst"``: `eplb_opt.kernels.annealing` and `window_repartition` in
        turn, as with ``"search"``; for ``"worst"`` on several nodes that take groups, `partition` after each run.
        ``"greedy"``: the published policy under the deployment's rules; for several windows the best of it on the
        summed and on the mean window, and of `eplb_opt.heuristics.joint`. ``"search"``: greedy, then local search.
        ``"cpsat"``, ``"pulp:HiGHS"``, ``"pulp:COIN_CMD"``: greedy with swap descent, then the whole model of each
        layer as one program. A name of `eplb_opt.heuristics.names`: that heuristic for the summed windows, and bounds;
        this may be worse than ``"greedy"``.
    warm_start
        A plan for the same layers and slots that obeys the deployment's rules; the result is never worse (with
        scenarios: on all windows together).
    time_limit
        Wall-clock seconds of the call. The instant bound and the greedy plan are always made, in this thread where the
        executor is late with them. The first call on a machine compiles the kernels, which takes a minute or two, is
        not counted, and is told in the log.
    target_gap
        A layer whose (objective - lower bound) / objective is at most this is done.
    seed
        For the random choices of search and solvers.
    workers
        Steps that run at once; default: the usable cores.
    deterministic
        Limit work instead of time: each layer has an equal share of `time_limit` as work, one step after the other,
        each fixed by what is known of the layer. Same input and seed, same plan, whatever the workers; and a longer
        time limit never gives a worse one.
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
    """
    began = monotonic()
    loads = Loads.of(loads)
    _check_kinds(deployment, warm_start, executor, progress)
    _check_method(loads, objective, method, deterministic)
    effort(time_limit, target_gap, seed, workers)
    require_solver(method)
    if objective == "auto":
        objective = "total" if loads.num_windows == 1 else "mean"
    _check_scenarios(loads, objective, scenarios)
    aim = Aim(objective, _window_weights(loads, objective, window_weights), scenarios, seed)
    records = [
        LayerRecord(layer_id, Instance.from_loads(values, deployment), aim)
        for layer_id, values in zip(loads.layer_ids, np.moveaxis(loads.values, 1, 0), strict=True)
    ]
    if warm_start is not None:
        _offer_warm_start(warm_start, loads, records, deployment)
    # What is wrong with the input has been said before anything is compiled, which does not count as planning.
    began += _load_kernels(loads, objective, method)
    # These import kernels, which load here and not with the package.
    from eplb_opt.budget import Budget
    from eplb_opt.schedule import Schedule

    workers = workers or usable_cores()
    budget = Budget(began, time_limit, Fraction(target_gap), seed, workers, deterministic)
    done: set[int] = set()

    def on_change(record: LayerRecord) -> None:
        (done.add if record.gap <= budget.target_gap else done.discard)(record.layer_id)
        if progress is not None:
            progress(_progress(record, records, len(done), monotonic() - began, time_limit))

    with interrupt_requests() as interrupt:
        threads = ThreadPoolExecutor(workers, "eplb_opt")
        try:
            stopped_by = Schedule(records, method, budget, executor or threads, interrupt, on_change).run()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        # Here, where an interrupt does not lose what has just been found.
        rows = np.stack([record.slots for record in records])
        plan = require_valid(Plan(rows, deployment, loads.num_experts, **loads.labels.fields))
        if interrupt.is_set():
            late = {key for key, reason in stopped_by.items() if reason in ("time", "stalled")}
            stopped_by |= dict.fromkeys(late, "interrupt")
        return Solution(
            plan=plan,
            layers=tuple(record.to_solution(stopped_by[record.layer_id]) for record in records),
            objective=objective,
            runtime=monotonic() - began,
            window_weights=aim.window_weights,
            interrupted=interrupt.is_set(),
        )


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load_kernels(loads: Loads, objective: str, method: str) -> float:
    """Load what a call runs, or compile it; the seconds that took if anything was compiled, else 0."""
    with interrupted_between_kernels():
        from eplb_opt.steps import load_heuristic, load_kernels
        from eplb_opt.window_steps import load_window_kernels

        with announced() as compiling:
            seconds = load_kernels()
            if loads.num_windows > 1 and objective != "total":
                seconds += load_window_kernels()
            if method in names():
                seconds += load_heuristic(method)
    return seconds if compiling.kernels else 0.0


def _check_kinds(deployment: object, warm_start: object, executor: object, progress: object) -> None:
    if not isinstance(deployment, Deployment):
        raise InvalidArgumentError(f"deployment={deployment!r} is not a Deployment")
    if warm_start is not None and not isinstance(warm_start, Plan):
        raise InvalidArgumentError(f"warm_start={warm_start!r} is not a Plan; read_plan reads one from a file")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise InvalidArgumentError(f"executor={executor!r} is not an Executor: it has no submit")
    if progress is not None and not callable(progress):
        raise InvalidArgumentError(f"progress={progress!r} cannot be called")


def _check_method(loads: Loads, objective: str, method: str, deterministic: bool) -> None:
    one_of("objective", objective, OBJECTIVES)
    one_of("method", method, METHODS)
    require_objective(method, objective, loads.num_windows)
    if deterministic and method.startswith("pulp:"):
        raise InvalidArgumentError(f"method={method!r} has no deterministic limit; use cpsat, search or auto")


def _window_weights(loads: Loads, objective: str, weights: Sequence[float] | None) -> tuple[Fraction, ...] | None:
    if weights is None:
        return None
    if objective != "mean":
        raise InvalidArgumentError(f"window_weights weigh the mean over windows; the objective is {objective}")
    if len(weights) != loads.num_windows:
        raise InvalidArgumentError(f"there are {len(weights)} window_weights for {loads.num_windows} windows")
    for weight in weights:
        if not (isinstance(weight, Real) and isfinite(weight) and weight > 0):
            raise InvalidArgumentError(f"window_weights hold {weight!r}, which is not a positive number")
    return tuple(Fraction(*weight.as_integer_ratio()) for weight in weights)


def _check_scenarios(loads: Loads, objective: str, scenarios: int) -> None:
    if natural_int("scenarios", scenarios) and (objective == "total" or loads.num_windows < 2):
        raise InvalidArgumentError(
            f"scenarios={scenarios} extrapolate how windows differ: give several, and objective='mean' or 'worst'"
        )


def _offer_warm_start(plan: Plan, loads: Loads, records: list[LayerRecord], deployment: Deployment) -> None:
    known = plan.numbered_as(loads.labels).select(loads.layer_ids)
    ours = Plan(known.physical_to_logical, deployment, loads.num_experts, loads.layer_ids)
    if plan.num_experts != ours.num_experts:
        raise InvalidPlanError(f"the warm start has {plan.num_experts} experts, the loads {ours.num_experts}")
    require_valid(ours, "the warm start")
    for record, slots in zip(records, ours.physical_to_logical, strict=True):
        record.offer_plan(slots, "warm start")


def _progress(record: LayerRecord, records: list[LayerRecord], done: int, seconds: float, limit: float) -> Progress:
    gaps = [other.gap for other in records if other.has_plan]
    return Progress(
        seconds=seconds,
        time_limit=limit,
        layer_id=record.layer_id,
        objective=record.in_objective(record.objective),
        lower_bound=record.in_objective(record.proof.bound),
        gap=record.gap,
        layers=len(records),
        layers_done=done,
        worst_gap=max(gaps) if len(gaps) == len(records) else None,
    )
