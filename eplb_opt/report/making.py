"""make_report: plans, the bound and everything that a report says about them."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import eplb_opt
from eplb_opt.arguments import positive_seconds
from eplb_opt.certify import certify
from eplb_opt.compare import SOLVE
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, SolverError
from eplb_opt.evaluate import objective_values
from eplb_opt.excess import Values
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.report.colours import GREEDY, TRIVIAL
from eplb_opt.report.frames import hierarchy_frame, layers_frame, metrics_frame, summary_frame
from eplb_opt.report.report import Report
from eplb_opt.report.values import coolest, matched, require_same
from eplb_opt.report.words import shortened
from eplb_opt.skew import skew
from eplb_opt.solution import Solution
from eplb_opt.solve import solve

# What plans are called that are not given by name.
LABELS = {TRIVIAL: "in order", GREEDY: "published greedy", SOLVE: "eplb_opt"}
# Of the time limit, for the same loads under the global policy, where groups are bound to nodes.
_GLOBAL_SHARE = 0.25
# Where a solution is given and nothing is to be searched: a heuristic of milliseconds.
_AT_ONCE = "descent"


def make_report(
    loads: Any,
    deployment: Deployment,
    plans: Mapping[str, Plan] | Sequence[Plan] | None = None,
    solution: Solution | None = None,
    *,
    objective: str = "auto",
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    command: str = "",
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Hold plans against the trivial one, the published greedy one and the proven bound, on recorded loads.

    Parameters
    ----------
    loads, deployment
        As in `eplb_opt.solve`.
    plans
        Plans to judge, by the names that they have in the report; default: the plan that `eplb_opt.solve` finds.
        They have to obey the rules of `deployment`.
    solution
        Plan, bounds and proofs for these loads and this deployment; nothing is solved again. Its values are compared
        with the loads exactly. Default: `eplb_opt.solve` makes it.
    objective, seed, workers, progress
        Of `eplb_opt.solve`.
    time_limit
        Wall-clock seconds. Where groups are bound to nodes, a quarter is for the same loads without that rule.
    command
        What made the report, to be told in it.

    Returns
    -------
    Report
        Data frames, facts, and two ways to write them.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidPlanError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    """
    loads = Loads.of(loads)
    if not isinstance(deployment, Deployment):
        raise InvalidArgumentError(f"deployment={deployment!r} is not a Deployment")
    positive_seconds("time_limit", time_limit)
    given = {name: matched(plan, loads, deployment, name) for name, plan in _named(plans).items()}
    settings: dict[str, Any] = {"seed": seed, "workers": workers}
    solved = solution is None
    if solution is None:
        share = 1.0 - _GLOBAL_SHARE if deployment.hierarchical else 1.0
        limit = share * time_limit
        solution = solve(loads, deployment, objective=objective, time_limit=limit, progress=progress, **settings)
    else:
        require_same(solution, loads, deployment)
        for layer in certify(solution, loads):
            if layer.error:
                raise InvalidArgumentError(f"the solution is wrong about layer {layer.layer_id}: {layer.error}")
        if objective not in ("auto", solution.objective):
            raise InvalidArgumentError(f"objective={objective!r}, but the solution is for {solution.objective!r}")
    shown = {**_baselines(loads, solution, settings), **given, SOLVE: matched(solution.plan, loads, deployment, SOLVE)}
    values = {
        name: objective_values(plan, loads, solution.objective, solution.window_weights) for name, plan in shown.items()
    }
    _require_below(values, solution, loads)
    labels = {name: LABELS.get(name) or shortened(name) for name in shown}
    metrics = metrics_frame(shown, loads)
    anywhere = _anywhere(loads, solution, solved, time_limit, settings, progress)
    return Report(
        loads=loads,
        solution=solution,
        plans=shown,
        labels=labels,
        layers=layers_frame(values, labels, solution, loads),
        summary=summary_frame(metrics, values, _evenly(shown, loads, solution), labels, solution),
        metrics=metrics,
        experts=skew(loads),
        hierarchy=None if anywhere is None else hierarchy_frame(solution, anywhere),
        subject=coolest(list(given) or [SOLVE], values),
        best=coolest([*given, SOLVE], values),
        facts=_facts(solution, solved, time_limit, seed, workers, command),
    )


def _named(plans: Mapping[str, Plan] | Sequence[Plan] | None) -> dict[str, Plan]:
    if plans is None:
        return {}
    if isinstance(plans, Plan):
        plans = {"plan": plans}
    if not isinstance(plans, Mapping):
        plans = {f"plan {number}": plan for number, plan in enumerate(plans, start=1)}
    for name, plan in plans.items():
        if not isinstance(plan, Plan):
            raise InvalidArgumentError(f"plans[{name!r}]={plan!r} is not a Plan; read_plan reads one from a file")
        if name in LABELS:
            raise InvalidArgumentError(f"a plan cannot be called {name!r}: that is one of {', '.join(LABELS)}")
    return dict(plans)


def _baselines(loads: Loads, solution: Solution, settings: Mapping[str, Any]) -> dict[str, Plan]:
    """The trivial and the published greedy plan, under the same rules."""
    deployment, objective = solution.plan.deployment, solution.objective
    return {
        name: solve(loads, deployment, method=name, objective=objective, **settings).plan for name in (TRIVIAL, GREEDY)
    }


def _evenly(plans: Mapping[str, Plan], loads: Loads, solution: Solution) -> dict[str, Values]:
    """What plans are worth under the even split, where the deployment has another dispatch; else nothing."""
    if solution.plan.deployment.dispatch == "even":
        return {}
    return {
        name: objective_values(plan.dispatched("even"), loads, solution.objective, solution.window_weights)
        for name, plan in plans.items()
    }


def _anywhere(
    loads: Loads,
    solution: Solution,
    solved: bool,
    time_limit: float,
    settings: Mapping[str, Any],
    progress: Callable[[Progress], None] | None,
) -> Solution | None:
    """What were possible if groups were not bound to nodes; ``None`` where they are not."""
    deployment = solution.plan.deployment
    if not deployment.hierarchical:
        return None
    return solve(
        loads,
        replace(deployment, policy="global"),
        objective=solution.objective,
        window_weights=_floats(solution.window_weights),
        method="auto" if solved and not solution.interrupted else _AT_ONCE,
        time_limit=_GLOBAL_SHARE * time_limit,
        progress=progress,
        **settings,
    )


def _floats(weights: Sequence[Fraction] | None) -> list[float] | None:
    return None if weights is None else [float(weight) for weight in weights]


def _require_below(values: Mapping[str, Values], solution: Solution, loads: Loads) -> None:
    """No plan may be better than what is proven to be impossible."""
    for name, plan_values in values.items():
        for layer_id, value, layer in zip(loads.layer_ids, plan_values, solution.layers, strict=True):
            if value < layer.lower_bound:
                raise SolverError(
                    f"layer {layer_id} of {name} is worth {float(value):.12g}, below the bound "
                    f"{float(layer.lower_bound):.12g} ({layer.proof}); one of them is wrong"
                )


def _facts(
    solution: Solution, solved: bool, time_limit: float, seed: int, workers: int | None, command: str
) -> dict[str, str]:
    """How the numbers were made."""
    facts = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "objective": solution.objective,
        "bounds from": "solve, for this report" if solved else "the given solution; nothing was solved again",
        "solver time": f"{solution.runtime:.1f} s",
        "time limit": f"{time_limit:g} s",
        "seed": str(seed),
        "workers": "the usable cores" if workers is None else str(workers),
        "eplb_opt": eplb_opt.__version__,
        "OR-Tools": version("ortools"),
        "Python": platform.python_version(),
    }
    if not solved:
        del facts["time limit"], facts["seed"], facts["workers"]
    return facts | ({"command": command} if command else {})
