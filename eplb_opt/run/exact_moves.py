"""Re-planning one small layer from its old row by a solver: the coolest plan of few moves, the fewest to a cool one.

A reference for what is faster: the whole model as one program, values in exact arithmetic, under the even split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from eplb_opt.backends.by_method import solve_program
from eplb_opt.errors import InvalidArgumentError, SolverError
from eplb_opt.formulations.moves import assignment_with_moves
from eplb_opt.formulations.scaling import largest_row_sum
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.move_limit import MoveLimit
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.verify import objective_value, require_valid

# Solvers keep objectives, weights times scaled loads, in 53 bits.
_LARGEST_WEIGHTS = 2**20


@dataclass(frozen=True)
class Replanning:
    """One layer to plan again.

    Attributes
    ----------
    instance
        The layer, under the even split.
    old
        Its row of slots that runs, empty slots negative. It need not be valid.
    objective
        Of kind ``"total"``, ``"mean"`` or ``"worst"``, without scenarios.

    Raises
    ------
    InvalidArgumentError
        Another dispatch than the even split, of which there is no program with moves.
    """

    instance: Instance
    old: tuple[int, ...]
    objective: Objective

    def __post_init__(self) -> None:
        dispatch = self.instance.deployment.dispatch
        if dispatch != "even":
            raise InvalidArgumentError(f"the program of moves is of the even split, not of dispatch={dispatch!r}")

    def value(self, slots: Sequence[int]) -> Fraction:
        """Exact value of a row, as `objective_value` says."""
        return objective_value(slots, self.instance, self.objective.kind, self.objective.window_weights)

    def moves(self, slots: Sequence[int]) -> int:
        """Moves from the old row."""
        return MoveLimit(self.old, 0).moves_of(slots, self.instance.deployment.gpus)


@dataclass(frozen=True)
class Replanned:
    """What a solver says.

    Attributes
    ----------
    slots, value, moves
        The best row that keeps the limit, its exact value, and its moves; ``None`` where none was found.
    bound
        No row that keeps the limit has a smaller value, or fewer moves, whichever is minimised. ``None``: not known, or
        where `complete` is set too, there is no such row. Loads that are too large for a solver are rounded down, so
        that it may be a little below what is reached though the solver came to its end.
    complete
        Whether the solver came to its end.
    """

    slots: tuple[int, ...] | None
    value: Fraction | None
    moves: int | None
    bound: Fraction | None
    complete: bool


def coolest_within(
    layer: Replanning, most_moves: int, method: str, limits: Limits, start: Sequence[int] | None = None
) -> Replanned:
    """The least value that at most so many moves reach, by one of `PROGRAM_METHODS`.

    `start` is a valid row of at most so many moves: only rows at least as good are searched, which makes the program
    smaller. Without, no row is left out.

    Raises
    ------
    InvalidArgumentError
        `start` has more moves.
    SolverError
        The solver contradicts itself.
    """
    if start is None:
        # No plan is worse than all of the load on the slowest GPU.
        gpus = layer.instance.deployment.gpus
        most = Fraction(gpus.total_speed) / min(map(gpus.speed, range(len(gpus.slots))))
        upper = layer.instance.total().mean_loads[0] * most if layer.objective.kind == "total" else most
    else:
        upper = layer.value(start)
        if layer.moves(start) > most_moves:
            raise InvalidArgumentError(f"the start has {layer.moves(start)} moves, more than {most_moves}")
    found = _solve(layer, upper, most_moves, start, method, limits)
    if layer.objective.kind != "total" and found.bound is not None:
        # Without any load too.
        found = replace(found, bound=max(found.bound, Fraction(1)))
    if found.moves is not None and found.moves > most_moves:
        raise SolverError(f"{method} calls {found.moves} moves at most {most_moves}")
    if found.bound is not None and found.value is not None and found.bound > found.value:
        raise SolverError(f"{method} proves {float(found.bound)}, and its own plan is worth {float(found.value)}")
    return found


def fewest_moves(
    layer: Replanning, limit: Fraction, method: str, limits: Limits, start: Sequence[int] | None = None
) -> Replanned:
    """The fewest moves to a value of at most `limit`, by one of `PROGRAM_METHODS`.

    `start` is a valid row of such a value.

    Raises
    ------
    InvalidArgumentError
        `start` has a larger value.
    SolverError
        The solver contradicts itself.
    """
    if start is not None and layer.value(start) > limit:
        raise InvalidArgumentError(f"the start is worth {float(layer.value(start))}, more than {float(limit)}")
    if layer.objective.kind != "total" and limit < 1:
        # The hottest GPU is no cooler than the mean, also where there is no load at all.
        return Replanned(None, None, None, None, complete=True)
    found = _solve(layer, limit, None, start, method, limits)
    if found.value is not None and found.value > limit:
        # It keeps the limit only as rounded loads have it: what it proves stays.
        return replace(found, slots=None, value=None, moves=None)
    if found.bound is not None and found.moves is not None and found.bound > found.moves:
        raise SolverError(f"{method} proves {found.bound} moves, and its own plan has {found.moves}")
    return found


def _solve(
    layer: Replanning,
    upper: Fraction,
    most_moves: int | None,
    start: Sequence[int] | None,
    method: str,
    limits: Limits,
) -> Replanned:
    """What the solver finds, or else the start, valued exactly."""
    instance, weights = _searched(layer)
    row_sum = largest_row_sum(method)
    try:
        program = assignment_with_moves(
            instance, layer.old, upper=upper, most_moves=most_moves, largest_row_sum=row_sum, weights=weights
        )
    except InvalidArgumentError:
        # Bounds show it without a solver.
        return Replanned(None, None, None, None, complete=True)
    warm_start = None if start is None else program.values_of(start)
    outcome = solve_program(method, program.problem, warm_start, limits, lambda values, bound: None)
    bound = None if outcome.bound is None else program.bound(outcome.bound)
    complete = outcome.verdict != "stopped"
    found = start if outcome.values is None else program.slots_of(outcome.values)
    if found is None:
        return Replanned(None, None, None, bound, complete)
    if outcome.verdict == "infeasible":
        raise SolverError(f"{method} calls a program infeasible that has a plan")
    slots = tuple(int(expert) for expert in found)
    require_valid(Plan(np.array([slots]), instance.deployment, instance.num_experts), f"the plan of {method}")
    return Replanned(slots, layer.value(slots), layer.moves(slots), bound, complete)


def _searched(layer: Replanning) -> tuple[Instance, tuple[int, ...]]:
    """The windows that count in one unit, tokens or imbalances, and their weights in a mean."""
    kind, loaded = layer.objective.kind, layer.instance.loaded()
    if kind == "total":
        return layer.instance.total(), ()
    if not any(layer.instance.loaded_windows):
        # All plans are alike.
        return loaded, ()
    if kind == "worst":
        return loaded.in_mean_loads(), ()
    parts = layer.instance.weights_of_loaded(layer.objective.window_weights)
    weights = tuple(int(part * lcm(*(part.denominator for part in parts))) for part in parts)
    if sum(weights) > _LARGEST_WEIGHTS:
        raise InvalidArgumentError(f"as whole numbers the window weights sum to more than {_LARGEST_WEIGHTS}")
    return loaded.in_mean_loads(), weights
