"""Step times: milliseconds of the experts of all layers in a step, as planned and at the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.gain import compared_plans
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution
from eplb_opt.step import Step


def plan_milliseconds(step: Step, plan: Plan, loads: Loads) -> float:
    """With this plan, whose rows are the layers of the loads: layers follow each other, windows count by their mean.

    ``NaN`` where the dispatch leaves open which replicas are active.
    """
    return sum(step.mean_microseconds(slots, instance) for slots, instance in layers_of(plan, loads)) / 1e3


def least_milliseconds(step: Step, plan: Plan, loads: Loads, bounds: Sequence[Fraction], objective: str) -> float:
    """With any plan of the same deployment; `bounds` of the objective of each layer, in its unit.

    A bound on the worst window, or on the sum of several, says nothing of the mean over them: perfect balance does.
    """
    least = 0.0
    for (_, instance), bound in zip(layers_of(plan, loads), bounds, strict=True):
        imbalance = 1.0
        if objective == "mean":
            imbalance = float(bound)
        elif objective == "total" and loads.num_windows == 1 and instance.mean_loads[0]:
            imbalance = float(bound / instance.mean_loads[0])
        least += step.least_microseconds(instance, imbalance)
    return least / 1e3


def least_of(solution: Solution, loads: Loads, step: Step) -> float:
    """`least_milliseconds` by the bounds of a solution of these loads."""
    # Weights of windows are not those of their mean.
    objective = solution.objective if solution.window_weights is None else "weighted mean"
    return least_milliseconds(step, solution.plan, loads, [layer.lower_bound for layer in solution.layers], objective)


@dataclass(frozen=True)
class StepTimes:
    """Milliseconds of the experts of a step, as in `eplb_opt.gain.Gain`.

    Attributes
    ----------
    now, greedy, plan
        With what runs now, with the published greedy policy, and with the solution's plan.
    least
        No plan takes less.
    """

    now: float
    greedy: float
    plan: float
    least: float

    @classmethod
    def of(cls, solution: Solution, loads: Loads, step: Step, old_plan: Plan | None = None) -> StepTimes:
        """Those of a solution of these loads, against `old_plan` or experts in order."""
        now, greedy = compared_plans(solution, loads, old_plan)
        return cls(
            now=plan_milliseconds(step, now, loads),
            greedy=plan_milliseconds(step, greedy, loads),
            plan=plan_milliseconds(step, solution.plan, loads),
            least=least_of(solution, loads, step),
        )
