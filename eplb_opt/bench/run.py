"""Runs: methods on cases, each by one call of `solve`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from eplb_opt.arguments import effort
from eplb_opt.backends.available import require_objective
from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.bench.machine import Machine
from eplb_opt.bench.suite import Case
from eplb_opt.errors import InvalidArgumentError, MethodError, SolverError
from eplb_opt.heuristics.registry import GIVEN
from eplb_opt.layer_solution import relative_gap
from eplb_opt.methods import Method
from eplb_opt.own_method import OwnMethod
from eplb_opt.progress import Progress
from eplb_opt.proof import Proof
from eplb_opt.run.pool import POOL
from eplb_opt.solution import Solution
from eplb_opt.solve import solve

# Given a case and a method, a context around the call of `solve` that may hand it a callback.
Watch = Callable[[Case, str], AbstractContextManager[Callable[[Progress], None] | None]]


@dataclass(frozen=True)
class Settings:
    """What every call gets; as in `eplb_opt.solve`.

    Raises
    ------
    InvalidArgumentError
        What `solve` would refuse.
    """

    time_limit: float
    target_gap: float
    seed: int
    workers: int

    def __post_init__(self) -> None:
        effort(self.time_limit, self.target_gap, self.seed, self.workers)


def value_of(solution: Solution) -> Fraction:
    """Sum of the objectives of all layers with load."""
    return sum((layer.objective for layer in solution.loaded_layers), Fraction(0))


def bound_of(solution: Solution) -> Fraction:
    """Sum of the lower bounds of all layers with load."""
    return sum((layer.lower_bound for layer in solution.loaded_layers), Fraction(0))


@dataclass(frozen=True)
class Run:
    """A method on a case.

    Attributes
    ----------
    case, method
        What was solved, and how.
    solution
        What came back.
    seconds
        Wall clock of the whole call.
    thread_seconds
        CPU time of the calling thread: Python that hands out steps, verifies plans and values them exactly.
    workers
        Steps that could run at once.
    machine
        Where it ran.
    """

    case: Case
    method: str
    solution: Solution
    seconds: float
    thread_seconds: float
    workers: int
    machine: Machine

    @property
    def value(self) -> Fraction:
        """Sum of the objectives of all layers with load."""
        return value_of(self.solution)

    @property
    def lower_bound(self) -> Fraction:
        """Sum of the run's own lower bounds of all layers with load."""
        return bound_of(self.solution)

    @property
    def imbalance(self) -> Fraction:
        """What the plan reached, all layers together."""
        return self.as_imbalance(self.value)

    @property
    def bound(self) -> Fraction:
        """The least imbalance that the run's own lower bounds leave open."""
        return self.as_imbalance(self.lower_bound)

    @property
    def gaps(self) -> list[Fraction]:
        """Gap of each layer with load to its own lower bound."""
        return [layer.gap for layer in self.solution.loaded_layers]

    @property
    def layers_optimal(self) -> int:
        """Layers with load that are proven optimal."""
        return sum(layer.status == "optimal" for layer in self.solution.loaded_layers)

    @property
    def work(self) -> dict[str, float]:
        """Seconds by step over all layers, the most first."""
        total: dict[str, float] = {}
        for layer in self.solution.layers:
            for step, seconds in layer.work.items():
                total[step] = total.get(step, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    @property
    def failures(self) -> list[str]:
        """What went wrong in words: a program that was too large, a solver that crashed or contradicted a plan.

        Remarks of the trace, which bring neither a better plan nor a better bound.
        """
        return [
            now.source
            for layer in self.solution.layers
            for before, now in pairwise(layer.trace)
            if ": " in now.source and now.objective >= before.objective and now.lower_bound <= before.lower_bound
        ]

    @property
    def solver_idle(self) -> bool:
        """Whether the solver of a whole model had layers to improve, and gave no better plan or bound for any."""
        if self.method not in PROGRAM_METHODS:
            return False
        sources = [point.source for layer in self.solution.layers for point in layer.trace]
        # What a plan of the solver's, and a bound of its, are called in a trace.
        found = {self.method, str(Proof("program", Fraction(0), checked=False, by=self.method))}
        return found.isdisjoint(sources) and self.solution.status != "optimal"

    def gap_to(self, bound: Fraction) -> Fraction:
        """(objective - bound) / objective, of sums over layers."""
        return relative_gap(self.value, bound)

    def as_imbalance(self, value: Fraction) -> Fraction:
        """A sum of objectives or bounds over layers as an imbalance.

        Max loads over the sum of the mean loads, 1 without any load; of objectives that are imbalances the mean. Layers
        without load count in neither.
        """
        layers = self.solution.loaded_layers
        if self.solution.objective != "total":
            return value / len(layers)
        mean = sum((layer.mean_load for layer in layers), Fraction(0))
        return value / mean if mean else Fraction(1)


@dataclass(frozen=True)
class LeftOut:
    """A method that has no run on a case, and why.

    Attributes
    ----------
    failed
        Whether it was tried and ended in an error, instead of having no way to plan for the objective.
    """

    case: Case
    method: str
    reason: str
    failed: bool


def run_all(
    cases: Sequence[Case],
    methods: Sequence[Method],
    settings: Settings,
    watch: Watch = lambda case, method: nullcontext(),
    kept: Mapping[tuple[str, str], Run] | None = None,
) -> Iterator[Run | LeftOut]:
    """Every method on every case, case by case; of `kept`, by names of cases and methods, runs are taken as they are.

    Kernels are compiled or loaded before the first clock starts, and workers for solvers wait before each: a solver
    that had to be ended does not cost the next method a start. A call that Ctrl-C ended early is no measurement: it is
    dropped with a ``KeyboardInterrupt``.
    """
    kept, machine = kept or {}, Machine.here()
    _load_kernels(cases, methods)
    for case in cases:
        for method in methods:
            name = str(method)
            if (case.name, name) in kept:
                yield kept[case.name, name]
            elif (reason := _unable(case, method)) is not None:
                yield LeftOut(case, name, reason, failed=False)
            else:
                POOL.prepare(min(settings.workers, case.loads.num_layers))
                with watch(case, name) as progress:
                    done = _run(case, method, settings, machine, progress)
                yield done


def _unable(case: Case, method: Method) -> str | None:
    """Why a method cannot plan for the objective of a case; ``None`` if it can."""
    if isinstance(method, OwnMethod):
        return None
    try:
        require_objective(method, case.objective, case.loads.num_windows, case.deployment.dispatch)
    except InvalidArgumentError as error:
        return str(error)
    return None


def _load_kernels(cases: Sequence[Case], methods: Sequence[Method]) -> None:
    from eplb_opt.kernels.loading import announced
    from eplb_opt.run.loading import load_kernels, parts_for, proof_parts
    from eplb_opt.run.parts import PARTS

    needed = {
        part
        for case in cases
        for method in methods
        for part in (
            *parts_for(
                case.deployment,
                case.loads.num_experts,
                case.loads.num_windows > 1 and case.objective != "total",
                GIVEN if isinstance(method, OwnMethod) else method,
            ),
            # Here, as runs are compared: not in worker processes while the first of them goes on.
            *proof_parts(case.deployment, case.loads.num_experts),
        )
    }
    with announced():
        load_kernels([part for part in PARTS if part in needed])


def _run(
    case: Case, method: Method, settings: Settings, machine: Machine, progress: Callable[[Progress], None] | None
) -> Run | LeftOut:
    begin, thread_begin = time.perf_counter(), time.thread_time()
    try:
        solution = solve(
            case.loads,
            case.deployment,
            objective=case.objective,
            method=method,
            time_limit=settings.time_limit,
            target_gap=settings.target_gap,
            seed=settings.seed,
            workers=settings.workers,
            progress=progress,
        )
    except (SolverError, MethodError) as error:
        return LeftOut(case, str(method), str(error), failed=True)
    if solution.interrupted:
        raise KeyboardInterrupt
    seconds, thread_seconds = time.perf_counter() - begin, time.thread_time() - thread_begin
    return Run(case, str(method), solution, seconds, thread_seconds, settings.workers, machine)
