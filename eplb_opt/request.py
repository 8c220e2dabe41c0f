"""Request: what a call of `solve` asks for, with everything that is wrong about it said at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from numbers import Real
from reprlib import repr as short
from sys import float_info

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import natural_int, one_of
from eplb_opt.backends.available import require_objective, require_solver
from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.deployment import Deployment, require_deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.full_table import numbered
from eplb_opt.heuristics.registry import names
from eplb_opt.layers import Layers
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.objective import Objective
from eplb_opt.own_method import OwnMethod
from eplb_opt.plan import Plan, way_to_plan
from eplb_opt.verify import require_valid

OBJECTIVES = ("auto", "total", "mean", "worst")
# The dispatch whose shares depend on the layers before.
DRAWN = "sglang-static"
METHODS = ("auto", "greedy", "search", *PROGRAM_METHODS, *names())


def check_kinds(deployment: object, warm_start: object, executor: object, progress: object) -> None:
    """Refuse arguments of `solve` that are no such objects at all."""
    require_deployment(deployment)
    if warm_start is not None and not isinstance(warm_start, Plan):
        raise InvalidArgumentError(f"warm_start={warm_start!r} is not a Plan; {way_to_plan(warm_start)}")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise InvalidArgumentError(f"executor={executor!r} is not an Executor: it has no submit")
    if progress is not None and not callable(progress):
        raise InvalidArgumentError(f"progress={progress!r} cannot be called")


def check_method(loads: Loads, deployment: Deployment, objective: str, method: Method, deterministic: bool) -> None:
    """Refuse what does not go together, and solvers that are not installed."""
    one_of("objective", objective, OBJECTIVES)
    if isinstance(method, OwnMethod):
        deployment.require_equal_slots("methods of one's own are")
        return
    require_objective(method, objective, loads.num_windows, deployment.dispatch)
    require_solver(method)
    if method in names():
        deployment.require_equal_slots(f"method={method!r} is")
    if deterministic and method.startswith("pulp:"):
        raise InvalidArgumentError(f"method={method!r} has no deterministic limit; use cpsat, search or auto")


def searched_deployment(deployment: Deployment, labels: Layers) -> Deployment:
    """The deployment whose plans are searched: where ranks draw at start, that of what is expected of the draws.

    Raises
    ------
    InvalidPlanError
        Ranks draw for decoder layers, and which of them the rows are is not known.
    """
    if deployment.dispatch != DRAWN:
        return deployment
    numbered(labels, "decoder")
    return replace(deployment, dispatch="nearest")


def objective_of(
    loads: Loads, kind: str, window_weights: Sequence[float] | None, scenarios: int, seed: int
) -> Objective:
    """What the plans are valued by; ``"auto"`` is the total of one window, and the mean of several."""
    if kind == "auto":
        kind = "total" if loads.num_windows == 1 else "mean"
    if natural_int("scenarios", scenarios) and (kind == "total" or loads.num_windows < 2):
        raise InvalidArgumentError(
            f"scenarios={scenarios} extrapolate how windows differ: give several, and objective='mean' or 'worst'"
        )
    return Objective(kind, _window_weights(loads, kind, window_weights), scenarios, seed)


def _window_weights(loads: Loads, objective: str, weights: Sequence[float] | None) -> tuple[Fraction, ...] | None:
    if weights is None:
        return None
    if objective != "mean":
        raise InvalidArgumentError(f"window_weights weigh the mean over windows; the objective is {objective}")
    if len(weights) != loads.num_windows:
        raise InvalidArgumentError(f"there are {len(weights)} window_weights for {loads.num_windows} windows")
    for weight in weights:
        if not (isinstance(weight, Real) and 0 < weight <= float_info.max):
            raise InvalidArgumentError(f"window_weights hold {short(weight)}, which is not a positive number")
    return tuple(Fraction(*weight.as_integer_ratio()) for weight in weights)


def warm_start_rows(plan: Plan, loads: Loads, deployment: Deployment) -> NDArray[np.int64]:
    """The rows of a plan for the layers of the loads, shape ``(layers, slots)``; it obeys the deployment's rules."""
    known = plan.numbered_as(loads.labels).select(loads.layer_ids)
    ours = Plan(known.physical_to_logical, deployment, loads.num_experts, loads.layer_ids)
    if plan.num_experts != ours.num_experts:
        raise InvalidPlanError(f"the warm start has {plan.num_experts} experts, the loads {ours.num_experts}")
    rows: NDArray[np.int64] = require_valid(ours, "the warm start").physical_to_logical
    return rows
