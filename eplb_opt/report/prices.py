"""Prices: what each rule and each slot costs, by planning the same loads without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.excess import Values, exact_excess, total_excess
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.report.changes import Change
from eplb_opt.report.effort import Effort
from eplb_opt.sizing.extension import extended_row
from eplb_opt.solution import Solution
from eplb_opt.solve import solve

if TYPE_CHECKING:
    import pandas as pd

# The row of the deployment that the report is about.
AS_IT_IS = "as it is"


def solve_changes(
    loads: Loads,
    solution: Solution,
    changes: Iterable[Change],
    effort: Effort,
    settings: Mapping[str, Any],
    progress: Callable[[Progress], None] | None,
) -> dict[Change, Solution]:
    """The same loads planned with each change, for the same objective; none once time is over or after Ctrl-C."""
    solved: dict[Change, Solution] = {}
    known = solution
    for change in changes:
        if known.interrupted or effort.over:
            break
        known = solve(
            loads,
            change.deployment,
            objective=solution.objective,
            window_weights=_floats(solution.window_weights),
            warm_start=_warm_start(change, solution, loads),
            time_limit=effort.limit(change.weight),
            progress=progress,
            **settings,
        )
        effort.spend(change.weight, known.runtime)
        solved[change] = known
    return solved


def _warm_start(change: Change, solution: Solution, loads: Loads) -> Plan | None:
    """The plan as it is where it obeys the changed rules; for one slot more, with a replica more on each GPU."""
    if change.key == "slot more":
        layers = zip(solution.plan.physical_to_logical, np.moveaxis(loads.values, 1, 0), strict=True)
        rows = np.stack([extended_row(row, values, change.deployment) for row, values in layers])
        return Plan(rows, change.deployment, loads.num_experts, **loads.labels.fields)
    return solution.plan if change.allows == 1 else None


def prices_frame(solution: Solution, solved: Mapping[Change, Solution]) -> pd.DataFrame:
    """A row for the deployment as it is and one for each change, see `Report.prices`.

    ``least_gain`` is the bound as it is less the plan with the change, ``most_gain`` the plan as it is less the bound
    with the change: whatever the best plans are, the difference between them lies between these two.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = [_row(AS_IT_IS, "as it is", solution, 0.0, 0.0)]
    rows += [
        _row(change.key, change.words, other, *_gains(change, solution, other)) for change, other in solved.items()
    ]
    return pd.DataFrame(rows)


def unpriced_words(changes: Sequence[Change], solved: Mapping[Change, Solution], why: str) -> str:
    """Which changes were not planned, in a sentence; empty if all were."""
    if not changes:
        return "No rule and no slot can be changed here."
    missing = [change.words for change in changes if change not in solved]
    return f"Not planned, as {why}: {'; '.join(missing)}." if missing else ""


def _gains(change: Change, solution: Solution, other: Solution) -> tuple[float, float]:
    """The least and the most that the change can gain; exact, as they are rounded outwards."""
    means, plan, bound = _values(solution)
    if not any(means):
        return 0.0, 0.0
    _, changed_plan, changed_bound = _values(other)
    excess = partial(exact_excess, means=means, objective=solution.objective)
    least, most = excess(bound) - excess(changed_plan), excess(plan) - excess(changed_bound)
    # Where plans with the rule are plans without it, nobody loses by the change.
    if change.allows == 1:
        least = max(Fraction(0), least)
    elif change.allows == -1:
        most = min(Fraction(0), most)
    return float(least), float(most)


def _row(key: str, words: str, solution: Solution, least: float, most: float) -> dict[str, Any]:
    means, plan, bound = _values(solution)
    return {
        "change": key,
        "words": words,
        "excess": total_excess(plan, means, solution.objective),
        "least_excess": total_excess(bound, means, solution.objective),
        "least_gain": least,
        "most_gain": most,
        "seconds": solution.runtime,
    }


def _values(solution: Solution) -> tuple[Values, Values, Values]:
    """Mean load, plan and bound of each layer."""
    layers = solution.layers
    return (
        tuple(layer.mean_load for layer in layers),
        tuple(layer.objective for layer in layers),
        tuple(layer.lower_bound for layer in layers),
    )


def _floats(weights: Sequence[Fraction] | None) -> list[float] | None:
    return None if weights is None else [float(weight) for weight in weights]
