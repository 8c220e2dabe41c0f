"""Curves: plan and bound of a run over time, and what integrals and times to a gap say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bench.best import Best
from eplb_opt.bench.run import Run

# Gaps that the time to is told.
LEVELS = 0.01, 0.001, 0.0001


@dataclass(frozen=True, eq=False)
class Curve:
    """Sums over the layers with load of a run as they were known at each time; before each has a plan, nothing is.

    Attributes
    ----------
    seconds
        Increasing times at which something was found, the first when every layer has a plan.
    plan, bound
        Sums of objectives and of lower bounds from then on.
    end
        Seconds up to which the integrals count: what a run that ends earlier has then, it keeps.
    """

    seconds: NDArray[np.float64]
    plan: NDArray[np.float64]
    bound: NDArray[np.float64]
    end: float

    @classmethod
    def of(cls, run: Run, end: float) -> Curve:
        """From the traces of a run's layers."""
        traces = [layer.trace for layer in run.solution.loaded_layers]
        first = max(trace[0].seconds for trace in traces)
        seconds = np.unique([max(first, point.seconds) for trace in traces for point in trace])
        plan, bound = np.zeros(seconds.size), np.zeros(seconds.size)
        for trace in traces:
            last = np.searchsorted([point.seconds for point in trace], seconds, side="right") - 1
            plan += np.array([float(point.objective) for point in trace])[last]
            bound += np.array([float(point.lower_bound) for point in trace])[last]
        return cls(seconds, plan, bound, max(end, float(seconds[-1])))

    def primal_integral(self, best: float) -> float:
        """Seconds that the run was away from the plan with value `best`, each weighed by how far: (plan - best) / plan.

        While there is no plan that is 1 (Berthold, Measuring the impact of primal heuristics, 2013).
        """
        return float(self.seconds[0] + self._integral((self.plan - best) / np.maximum(self.plan, best or 1)))

    def dual_integral(self, best: float) -> float:
        """The same for the bound: (best - bound) / best."""
        return float(self.seconds[0] + self._integral(1 - self.bound / best)) if best else 0.0

    def seconds_to(self, gap: float, bound: float) -> float:
        """When the plan was first within a gap of `bound`, (plan - bound) / plan; infinite if it never was."""
        near = np.flatnonzero(self.plan - bound <= gap * self.plan)
        return float(self.seconds[near[0]]) if near.size else float("inf")

    def _integral(self, values: NDArray[np.float64]) -> float:
        return float((np.diff(self.seconds, append=self.end) * values.clip(0, 1)).sum())


def measures(run: Run, runs: Sequence[Run]) -> dict[str, float]:
    """Integrals up to the end of the longest run on the case, and times; against the best that anybody knows of it."""
    best = Best.of(run.case, runs)
    curve = Curve.of(run, max(other.seconds for other in runs if other.case is run.case))
    return {
        "primal_integral": curve.primal_integral(float(best.plan)),
        "dual_integral": curve.dual_integral(float(best.plan)),
        **{f"seconds_to_{level:g}": curve.seconds_to(level, float(best.bound)) for level in LEVELS},
    }
