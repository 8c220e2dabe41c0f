"""Points: deployments with their plans, made one after the other within one time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import nan

from eplb_opt.backtest import SCENARIOS
from eplb_opt.deployment import Deployment
from eplb_opt.held_out import held_out
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solve import solve

# Of a search that has no time left: what is published is still planned, and bounded.
_LEAST_SECONDS = 1e-3


@dataclass(frozen=True, eq=False)
class Point:
    """A deployment and what is known of it.

    Attributes
    ----------
    plan
        Where the experts live.
    values, bounds
        Objective of each layer and what no plan goes below, in the unit of the objective.
    mean_loads
        Of each layer, in tokens.
    objective
        As in `eplb_opt.Solution`.
    held_out
        Mean balancedness on windows that a plan was not made for; ``NaN`` of one window.
    seconds
        What planning took.
    """

    plan: Plan
    values: tuple[Fraction, ...]
    bounds: tuple[Fraction, ...]
    mean_loads: tuple[Fraction, ...]
    objective: str
    held_out: float
    seconds: float

    @property
    def deployment(self) -> Deployment:
        """That of the plan."""
        return self.plan.deployment


@dataclass(frozen=True, eq=False)
class Search:
    """Plans deployments; the fields are those of `eplb_opt.size`."""

    loads: Loads
    time_limit: float
    seed: int
    workers: int
    progress: Callable[[str], None] | None

    def points(self, wanted: Sequence[Deployment]) -> Iterator[Point]:
        """Each deployment with its plan; `KeyboardInterrupt` if somebody interrupted.

        What one leaves of its part of the time is for those after it, so that large ones come first, which are easy.
        """
        left, number = self.time_limit, len(wanted)
        for deployment in sorted(wanted, key=lambda deployment: (deployment.num_gpus, -deployment.slots_per_gpu)):
            point = self._point(deployment, left / number)
            left, number = max(0.0, left - point.seconds), number - 1
            yield point

    def _point(self, deployment: Deployment, seconds: float) -> Point:
        if self.progress is not None:
            self.progress(f"{_words(deployment)} (Ctrl-C: deployments done so far)")
        # One plan for all windows, and of several one without each.
        windows = self.loads.num_windows
        seconds = max(seconds / (1 + windows if windows > 1 else 1), _LEAST_SECONDS)
        solution = solve(self.loads, deployment, time_limit=seconds, seed=self.seed, workers=self.workers)
        if solution.interrupted:
            raise KeyboardInterrupt
        score, took = nan, 0.0
        if windows > 1:
            found = held_out(
                self.loads,
                deployment,
                seconds=seconds * windows,
                scenarios=SCENARIOS,
                seed=self.seed,
                workers=self.workers,
            )
            if found.interrupted:
                raise KeyboardInterrupt
            score, took = found.planned.balancedness, found.seconds
        return Point(
            plan=solution.plan,
            values=tuple(layer.objective for layer in solution.layers),
            bounds=tuple(layer.lower_bound for layer in solution.layers),
            mean_loads=tuple(layer.mean_load for layer in solution.layers),
            objective=solution.objective,
            held_out=score,
            seconds=solution.runtime + took,
        )


def _words(deployment: Deployment) -> str:
    policy = "hierarchical" if deployment.hierarchical else "global"
    return f"{deployment.num_gpus} GPUs, {deployment.slots_per_gpu} slots each, {policy}"
