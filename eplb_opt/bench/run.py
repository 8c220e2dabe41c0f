"""Runs: methods on cases, each by one call of `solve`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction

from eplb_opt.bench.suite import Case
from eplb_opt.solution import Solution
from eplb_opt.solve import Progress, solve

# Given a case and a method, a context around the call of `solve` that may hand it a callback.
Watch = Callable[[Case, str], AbstractContextManager[Callable[[Progress], None] | None]]


@dataclass(frozen=True)
class Settings:
    """What every call gets; as in `eplb_opt.solve`."""

    time_limit: float
    target_gap: float
    seed: int
    workers: int


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
    """

    case: Case
    method: str
    solution: Solution
    seconds: float
    thread_seconds: float
    workers: int

    @property
    def imbalance(self) -> Fraction:
        """Sum of max loads over layers / sum of mean loads; 1 without any load."""
        return self.as_imbalance(sum((layer.max_load for layer in self.solution.layers), Fraction(0)))

    @property
    def bound(self) -> Fraction:
        """The least imbalance that the run's own lower bounds leave open."""
        return self.as_imbalance(sum((layer.lower_bound for layer in self.solution.layers), Fraction(0)))

    @property
    def gaps(self) -> list[Fraction]:
        """Gap of each layer to its own lower bound."""
        return [layer.gap for layer in self.solution.layers]

    @property
    def layers_optimal(self) -> int:
        """Layers that are proven optimal."""
        return sum(layer.status == "optimal" for layer in self.solution.layers)

    @property
    def work(self) -> dict[str, float]:
        """Seconds by step over all layers, the most first."""
        total: dict[str, float] = {}
        for layer in self.solution.layers:
            for step, seconds in layer.work.items():
                total[step] = total.get(step, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def as_imbalance(self, tokens: Fraction) -> Fraction:
        """A sum of loads over layers / sum of the mean loads of the case; 1 without any load."""
        mean = sum((layer.mean_load for layer in self.solution.layers), Fraction(0))
        return tokens / mean if mean else Fraction(1)


def run_all(
    cases: Sequence[Case],
    methods: Sequence[str],
    settings: Settings,
    watch: Watch = lambda case, method: nullcontext(),
) -> Iterator[Run]:
    """Every method on every case, case by case.

    Kernels are compiled or loaded before the first clock starts. A call that Ctrl-C ended early is no measurement: it
    is dropped with a ``KeyboardInterrupt``.
    """
    from eplb_opt.steps import load_kernels

    load_kernels()
    for case in cases:
        for method in methods:
            with watch(case, method) as progress:
                run = _run(case, method, settings, progress)
            if any(layer.stopped_by == "interrupt" for layer in run.solution.layers):
                raise KeyboardInterrupt
            yield run


def _run(case: Case, method: str, settings: Settings, progress: Callable[[Progress], None] | None) -> Run:
    begin, thread_begin = time.perf_counter(), time.thread_time()
    solution = solve(
        case.loads,
        case.deployment,
        method=method,
        time_limit=settings.time_limit,
        target_gap=settings.target_gap,
        seed=settings.seed,
        workers=settings.workers,
        progress=progress,
    )
    seconds, thread_seconds = time.perf_counter() - begin, time.thread_time() - thread_begin
    return Run(case, method, solution, seconds, thread_seconds, settings.workers)
