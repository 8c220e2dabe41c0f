"""make_report: plans, the bound and everything that a report says about them."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import eplb_opt
from eplb_opt.arguments import positive_seconds
from eplb_opt.certify import certify
from eplb_opt.compare import SOLVE
from eplb_opt.deployment import Deployment, require_deployment
from eplb_opt.errors import InvalidArgumentError, SolverError
from eplb_opt.evaluate import objective_values
from eplb_opt.excess import Values
from eplb_opt.heuristics.registry import names
from eplb_opt.loads import Loads
from eplb_opt.methods import methods_of
from eplb_opt.model import Model
from eplb_opt.models import as_model
from eplb_opt.moves import moves_between
from eplb_opt.plan import Plan, way_to_plan
from eplb_opt.progress import Progress
from eplb_opt.report.changes import Change, changes_of
from eplb_opt.report.colours import GREEDY, OLD, TRIVIAL
from eplb_opt.report.costs import Costs
from eplb_opt.report.curve import REPLAN, ChangeAsked
from eplb_opt.report.effort import FULL, Effort
from eplb_opt.report.frames import layers_frame, metrics_frame, summary_frame
from eplb_opt.report.held_out import HeldOutScores, held_out_scores, why_not
from eplb_opt.report.made_plans import made_plans
from eplb_opt.report.prices import prices_frame, solve_changes, unpriced_words
from eplb_opt.report.report import Report
from eplb_opt.report.values import coolest, matched, require_same
from eplb_opt.report.words import shortened
from eplb_opt.skew import skew
from eplb_opt.solution import Solution
from eplb_opt.solve import solve
from eplb_opt.step import Step
from eplb_opt.time_model import TimeModel

# What plans are called that are not given by name.
LABELS = {GREEDY: "engine's policy", SOLVE: "eplb_opt", TRIVIAL: "in order", OLD: "old plan"}


def make_report(
    loads: Any,
    deployment: Deployment,
    plans: Mapping[str, Plan] | Sequence[Plan] | None = None,
    solution: Solution | None = None,
    *,
    old_plan: Plan | None = None,
    max_moves: Sequence[int] | None = None,
    bandwidth: float | None = None,
    methods: Sequence[str | Callable[..., Any]] = (),
    objective: str = "auto",
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    model: Model | str | None = None,
    time_model: TimeModel | str | None = None,
    tokens_per_gpu: float | None = None,
    command: str = "",
    replan_command: str = REPLAN,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Hold plans against the engine's own policy, the trivial plan and the proven bound, on recorded loads.

    Parameters
    ----------
    loads, deployment
        As in `eplb_opt.solve`.
    plans
        Plans to judge, by the names that they have in the report; default: the plan that `eplb_opt.solve` finds.
        They have to obey the rules of `deployment`.
    solution
        Plan, bounds and proofs for these loads and this deployment, which are not searched again. Its values are
        compared with the loads exactly. Default: `eplb_opt.solve` makes it.
    old_plan
        What runs: judged as the plans are, and what a change from it costs is told, by plans with at most `max_moves`
        moves each. Default: parts of the slots of all layers, from none to a quarter. What is searched keeps the
        numbers of its GPUs, see ``warm_start`` of `eplb_opt.solve`.
    bandwidth
        With these and a `model`: GB/s of weights that each GPU sends and receives, see `eplb_opt.diff.summarise_diff`.
    methods
        Names of `eplb_opt.heuristics.names`, and functions with the signature of DeepSeek's EPLB: what they plan is
        judged as if it were given in `plans`. A function that fails has no row, and the report says why.
    objective, seed, workers, progress
        Of `eplb_opt.solve`.
    time_limit
        Wall-clock seconds of all searches. They are shared between the plan and its bounds, if no `solution` is given;
        plans with few moves from the old plan, if that is given, the same loads under the other policy and, if there
        are several windows, plans for all of them but one, which get as much; and the same loads with another rule or
        one slot per GPU changed, a third of that each. A plan that is to be deployed deserves more: give the solution
        of a longer `eplb_opt.solve`.
    model, time_model, tokens_per_gpu
        A `Model` or its name, and the others as in `eplb_opt.size`: what memory plans take, and what time of a step.
    command
        What made the report, to be told in it.
    replan_command
        The call of ``eplb-opt replan`` with the files that are meant, but for the moves, to be told too.

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
    require_deployment(deployment)
    deployment.require_equal_slots("a report is")
    positive_seconds("time_limit", time_limit)
    model = as_model(model)
    step = Step.of(time_model, tokens_per_gpu, model)
    change = ChangeAsked(old_plan, max_moves, bandwidth, replan_command)
    change.require()
    # The published and the trivial plan are in every report.
    asked = [method for method in methods_of(methods, names(), reserved=LABELS) if method not in LABELS]
    named = _named(plans) if old_plan is None else {OLD: old_plan} | _named(plans)
    given = {name: matched(plan, loads, deployment, name) for name, plan in named.items()}
    timing = {"model": model, "time_model": time_model, "tokens_per_gpu": tokens_per_gpu}
    if OLD in given:
        change.require_costs(given[OLD], loads, timing)
    settings: dict[str, Any] = {"seed": seed, "workers": workers}
    made = made_plans(asked, list(given), loads, deployment, settings)
    given |= made.plans
    solved = solution is None
    changes = changes_of(deployment, loads.num_experts)
    sides = solved + (loads.num_windows > 1) + (OLD in given)
    effort = Effort(time_limit, FULL * sides + sum(change.weight for change in changes))
    if solution is None:
        limit = effort.limit(FULL)
        asked_of_solve = {"objective": objective, "time_limit": limit, "progress": progress, **settings}
        solution = solve(loads, deployment, warm_start=given.get(OLD), **asked_of_solve)
        effort.spend(FULL, solution.runtime)
    else:
        _require_right(solution, loads, deployment, objective)
    curve = None
    if OLD in given and loads.values.any() and not solution.interrupted:
        curve = change.curve(given[OLD], loads, solution, effort.limit(FULL), settings, timing)
        effort.spend(FULL, curve.seconds)
    baselines = _baselines(loads, deployment, settings)
    shown = {
        GREEDY: baselines[GREEDY],
        **given,
        SOLVE: matched(solution.plan, loads, deployment, SOLVE),
        TRIVIAL: baselines[TRIVIAL],
    }
    values = {
        name: objective_values(plan, loads, solution.objective, solution.window_weights) for name, plan in shown.items()
    }
    _require_below(values, solution, loads)
    labels = {name: LABELS.get(name) or shortened(name) for name in shown}
    metrics = metrics_frame(shown, loads)
    interrupted = solution.interrupted or (curve is not None and curve.interrupted)
    changed = {} if interrupted else solve_changes(loads, solution, changes, effort, settings, progress)
    best = coolest([*given, SOLVE], values)
    start = OLD if OLD in given else next((name for name in given if name != best), TRIVIAL)
    ended = _ended(effort, interrupted, changed)
    missing = why_not(loads) or (f"Not computed: {ended}." if ended else "")
    return Report(
        loads=loads,
        solution=solution,
        plans=shown,
        labels=labels,
        layers=layers_frame(values, labels, solution, loads),
        summary=summary_frame(metrics, values, _evenly(shown, loads, solution), labels, solution),
        metrics=metrics,
        experts=skew(loads),
        prices=prices_frame(solution, changed),
        unpriced=unpriced_words(changes, changed, ended),
        held_out=HeldOutScores(missing) if missing else held_out_scores(loads, solution, effort.limit(FULL), settings),
        solved=solved,
        subject=coolest(list(given) or [SOLVE], values),
        best=best,
        start=start,
        moves=len(moves_between(shown[start], shown[best])),
        costs=Costs.of(model, step, shown, solution, loads),
        curve=curve,
        methods=made.errors,
        facts=_facts(solution, solved, time_limit, seed, workers, command),
    )


def _require_right(solution: Solution, loads: Loads, deployment: Deployment, objective: str) -> None:
    """Refuse a solution of something else than is asked for, or one that is wrong."""
    require_same(solution, loads, deployment)
    for layer in certify(solution, loads):
        if layer.error:
            raise InvalidArgumentError(f"the solution is wrong about layer {layer.layer_id}: {layer.error}")
    if objective not in ("auto", solution.objective):
        raise InvalidArgumentError(f"objective={objective!r}, but the solution is for {solution.objective!r}")


def _named(plans: Mapping[str, Plan] | Sequence[Plan] | None) -> dict[str, Plan]:
    if plans is None:
        return {}
    if isinstance(plans, Plan):
        plans = {"plan": plans}
    if not isinstance(plans, Mapping):
        plans = {f"plan {number}": plan for number, plan in enumerate(plans, start=1)}
    for name, plan in plans.items():
        if not isinstance(plan, Plan):
            raise InvalidArgumentError(f"plans[{name!r}]={plan!r} is not a Plan; {way_to_plan(plan)}")
        if name in LABELS:
            raise InvalidArgumentError(f"a plan cannot be called {name!r}: that is one of {', '.join(LABELS)}")
    return dict(plans)


def _baselines(loads: Loads, deployment: Deployment, settings: Mapping[str, Any]) -> dict[str, Plan]:
    """The published greedy and the trivial plan, under the same rules; of several windows, for their sum."""
    return {
        name: solve(loads, deployment, method=name, objective="total", **settings).plan for name in (GREEDY, TRIVIAL)
    }


def _evenly(plans: Mapping[str, Plan], loads: Loads, solution: Solution) -> dict[str, Values]:
    """What plans are worth under the even split, where the deployment has another dispatch; else nothing."""
    if solution.plan.deployment.dispatch == "even":
        return {}
    return {
        name: objective_values(plan.dispatched("even"), loads, solution.objective, solution.window_weights)
        for name, plan in plans.items()
    }


def _ended(effort: Effort, interrupted: bool, changed: Mapping[Change, Solution]) -> str:
    """Why nothing more is searched, in words; empty if it may be."""
    if interrupted or any(each.interrupted for each in changed.values()):
        return "the search was interrupted"
    return "the time limit was over" if effort.over else ""


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
        "bounds from": "solve, for this report" if solved else "the given solution, which was not searched again",
        "plan and bounds took": f"{solution.runtime:.1f} s",
        "time limit of all searches": f"{time_limit:g} s",
        "seed": str(seed),
        "workers": "the usable cores" if workers is None else str(workers),
        "eplb_opt": eplb_opt.__version__,
        "OR-Tools": version("ortools"),
        "Python": platform.python_version(),
    }
    return facts | ({"command": command} if command else {})
