"""replan: a better plan from one that runs, with few moves."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from eplb_opt.arguments import effort
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.limits import usable_cores
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.replanned import Replan
from eplb_opt.request import objective_of

# As few moves as lead this near to what is possible, where nothing else is asked for.
TARGET_GAP = 0.01


def replan(
    old_plan: Plan,
    loads: Any,
    deployment: Deployment | None = None,
    *,
    max_moves: int | None = None,
    max_moves_per_layer: int | None = None,
    target_gap: float | None = None,
    lost: Sequence[int] = (),
    objective: str = "auto",
    window_weights: Sequence[float] | None = None,
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    deterministic: bool = False,
) -> Replan:
    """A better plan from one that runs, with few moves, and two bounds: on objectives and on moves.

    A move is an expert on a GPU that did not hold it, so that its weights have to be copied. GPUs keep their numbers.

    Parameters
    ----------
    old_plan
        What runs.
    loads
        As in `eplb_opt.solve`. `Loads` are matched to the plan by ``layer_ids``, anything else row by row.
    deployment
        Of the new plan, for as many GPUs, and no fewer slots; the old plan has to obey its rules. Default: that of the
        old plan.
    max_moves
        The most moves in all. They are shared over the layers so that the sum of their objectives is least.
    max_moves_per_layer
        The most moves of each layer, with `max_moves` or by itself.
    target_gap
        Instead: as few moves as possible, until in every layer (value - bound) / value is at most this, where the
        bound is the instant one on all plans, such as the mean load. What is not reached within time stays above.
        0.01 where nothing is asked for.
    lost
        GPUs that are gone, with all they held: ids in the old plan. The plan is for those that are left, in order;
        experts of which nothing is left come back whatever the moves, and count as such.
    objective, window_weights
        As in `eplb_opt.solve`.
    time_limit
        Wall-clock seconds, compiling not counted.
    seed
        For the random choices of search.
    workers
        Threads; default: the usable cores.
    deterministic
        Limit work instead of time: search and proofs count for `time_limit` seconds together, on one core. Same input
        and seed, same plan and bounds, whatever the workers and the machine is busy with.

    Returns
    -------
    Replan
        A `Solution` with `Replan.moves` and `Replan.moves_bound`, of each layer and in all; never worse than the old
        plan where no GPU is lost.

    Raises
    ------
    InvalidPlanError, InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input, or fewer moves than what is lost needs; one sentence says what.
    """
    # These import kernels, which load here and not with the package.
    from eplb_opt.replanning.answers import Call, with_fewest_moves, with_limits
    from eplb_opt.replanning.problem import Problem

    limited = max_moves is not None or max_moves_per_layer is not None
    if limited and target_gap is not None:
        raise InvalidArgumentError("max_moves and target_gap exclude each other: the most, or as few as lead so far")
    if not limited and target_gap is None:
        target_gap = TARGET_GAP
    effort(time_limit, 0.0 if target_gap is None else target_gap, seed, workers)
    problem = Problem.of(
        old_plan, loads, deployment, lost, objective_of(Loads.of(loads), objective, window_weights, 0, seed)
    )
    call = Call(time_limit, seed, workers or usable_cores(), deterministic)
    if target_gap is not None:
        return with_fewest_moves(problem, Fraction(target_gap), call)
    (found,) = with_limits(problem, [max_moves], max_moves_per_layer, call)
    return found


def replan_curve(
    old_plan: Plan,
    loads: Any,
    max_moves: Sequence[int],
    deployment: Deployment | None = None,
    *,
    max_moves_per_layer: int | None = None,
    lost: Sequence[int] = (),
    objective: str = "auto",
    window_weights: Sequence[float] | None = None,
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    deterministic: bool = False,
) -> tuple[Replan, ...]:
    """A solution for each of several limits on moves, which share search and bounds; arguments as in `replan`."""
    # These import kernels, which load here and not with the package.
    from eplb_opt.replanning.answers import Call, with_limits
    from eplb_opt.replanning.problem import Problem

    given: Any = max_moves
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"max_moves={reprlib.repr(given)} is no list; replan makes a single plan")
    max_moves = list(given)
    if not max_moves:
        raise InvalidArgumentError("max_moves is empty: give the most moves of each plan")
    effort(time_limit, 0.0, seed, workers)
    problem = Problem.of(
        old_plan, loads, deployment, lost, objective_of(Loads.of(loads), objective, window_weights, 0, seed)
    )
    call = Call(time_limit, seed, workers or usable_cores(), deterministic)
    return with_limits(problem, max_moves, max_moves_per_layer, call)
