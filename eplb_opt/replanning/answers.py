"""Answers: plans with few moves for a problem, and what is proven about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import monotonic

from eplb_opt.arguments import natural_int
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.kernels.loading import interrupted_between_kernels
from eplb_opt.renumbering import renumber
from eplb_opt.replanned import Replan, ReplannedLayer
from eplb_opt.replanning.frontier import Frontier, Reached
from eplb_opt.replanning.goals import FewestMoves, Goal, LeastValue
from eplb_opt.replanning.problem import Problem
from eplb_opt.replanning.repair import repaired
from eplb_opt.replanning.search import Search
from eplb_opt.replanning.shares import Point, Shares
from eplb_opt.run.loading import seconds_of_loading
from eplb_opt.solve import solve
from eplb_opt.verify import max_loads

# From so many moves on, as a part of the slots, plans that do not look at the old one are tried too, for a part of the
# time.
_MANY, _PART_FOR_ANY = 0.3, 0.3
# What is compiled before the clock starts.
_KERNELS = ("bounds", "few moves", "moving")


@dataclass(frozen=True)
class Call:
    """What a call may use: seconds from when it began, or as work whatever the clock says, a seed, and threads.

    When it is made, kernels are loaded, so what is wrong with the input has to have been said before.
    """

    seconds: float
    seed: int
    workers: int
    deterministic: bool = False
    began: float = field(default_factory=lambda: _loaded())


def _loaded() -> float:
    began = monotonic()
    with interrupted_between_kernels():
        return began + seconds_of_loading(_KERNELS)


def with_fewest_moves(problem: Problem, gap: Fraction, call: Call) -> Replan:
    """As few moves as possible to within a gap of the instant bound of each layer."""
    frontiers = _frontiers(problem)
    values = [frontier.free.bound / (1 - gap) for frontier in frontiers]
    interrupted = _search(frontiers, FewestMoves(values), call)
    plans = [frontier.within(value) or frontier.reached[-1] for frontier, value in zip(frontiers, values, strict=True)]
    return _Answers(problem, frontiers, call.began, interrupted).of(plans, None)


def with_limits(problem: Problem, moves: Sequence[int | None], per_layer: int | None, call: Call) -> tuple[Replan, ...]:
    """The least sum of values for each limit on all moves, each layer having at most so many.

    Raises
    ------
    InvalidArgumentError
        Fewer moves than experts that are lost.
    """
    frontiers = _frontiers(problem)
    slots = problem.old_plan.deployment.num_slots
    most = slots if per_layer is None else min(slots, natural_int("max_moves_per_layer", per_layer))
    budgets = [
        min(most * len(frontiers), most * len(frontiers) if m is None else natural_int("max_moves", m)) for m in moves
    ]
    _require_enough(frontiers, budgets, most)
    many = max(budgets) >= _MANY * slots * len(frontiers)
    interrupted = many and _offer_any_plan(problem, frontiers, call)
    goal = LeastValue(budgets, most, problem.units)
    interrupted = interrupted or _search(frontiers, goal, call, 1 - _PART_FOR_ANY if many else 1.0)
    answers, shares = _Answers(problem, frontiers, call.began, interrupted), goal.plans(frontiers)
    found = []
    for limit, budget in zip(moves, budgets, strict=True):
        spent = zip(frontiers, shares.of_layers(budget), strict=True)
        found.append(answers.of([plan for frontier, own in spent if (plan := frontier.at(own))], limit))
    return tuple(found)


def _require_enough(frontiers: Sequence[Frontier], budgets: Sequence[int], most: int) -> None:
    needed = [frontier.reached[0].moves for frontier in frontiers]
    if sum(needed) > min(budgets) or max(needed) > most:
        name, limit, least = ("max_moves", min(budgets), sum(needed))
        if max(needed) > most:
            name, limit, least = "max_moves_per_layer", most, max(needed)
        raise InvalidArgumentError(
            f"{name}={limit} is too few: experts of which no replica is left need {least} moves to come back"
        )


def _frontiers(problem: Problem) -> list[Frontier]:
    """One for each layer, with the old row, or the first that has all experts."""
    frontiers = [Frontier(layer) for layer in problem.layers]
    for frontier in frontiers:
        frontier.offer(repaired(frontier.layer.before, frontier.layer.instance))
    return frontiers


def _search(frontiers: Sequence[Frontier], goal: Goal, call: Call, part: float = 1.0) -> bool:
    """For what is left of the time, or for this part of the work; whether Ctrl-C came."""
    with interrupt_requests() as interrupt:
        search = Search(frontiers, goal, call.seed)
        if call.deterministic:
            search.run_counted(part * call.seconds, call.workers, interrupt)
        else:
            search.run(call.began + call.seconds, call.workers, interrupt)
        return interrupt.is_set()


def _offer_any_plan(problem: Problem, frontiers: Sequence[Frontier], call: Call) -> bool:
    """Plans that are made without a look at the old one, their GPUs renumbered so that few experts move, and bounds.

    Whether Ctrl-C came.
    """
    deployment, asked = problem.old_plan.deployment, problem.asked
    solution = solve(
        problem.loads,
        deployment,
        objective=asked.kind,
        window_weights=None if asked.window_weights is None else [float(weight) for weight in asked.window_weights],
        time_limit=_PART_FOR_ANY * call.seconds,
        seed=call.seed,
        workers=call.workers,
        deterministic=call.deterministic,
    )
    rows = renumber(solution.plan.physical_to_logical, problem.old_plan.physical_to_logical, deployment)
    for frontier, row, layer, unit in zip(frontiers, rows, solution.layers, problem.units, strict=True):
        frontier.offer(row)
        if layer.proof.checked:
            frontier.prove(row.size, replace(layer.proof, bound=layer.proof.bound / unit))
    return solution.interrupted


class _Answers:
    """Plans made of rows of the frontiers, with what these prove."""

    def __init__(self, problem: Problem, frontiers: Sequence[Frontier], began: float, interrupted: bool) -> None:
        self._problem, self._frontiers = problem, frontiers
        self._began, self._interrupted = began, interrupted
        self._before = problem.values(problem.old_plan)
        loaded = [any(layer.instance.loaded_windows) for layer in problem.layers]
        curves = [
            [Point(moves, value * unit) for moves, value in frontier.least_values()]
            for frontier, unit, has_load in zip(frontiers, problem.units, loaded, strict=True)
            if has_load or not any(loaded)
        ]
        self._bounds = Shares.of(curves, sum(curve[-1].moves for curve in curves), round_up=False)

    def of(self, rows: Sequence[Reached], max_moves: int | None) -> Replan:
        """A plan, or the old one where ranks draw and it is better as they do."""
        problem, moves = self._problem, [row.moves for row in rows]
        plan = problem.plan([row.row for row in rows])
        values = problem.values(plan) or ()
        if self._before is not None and sum(self._before) < sum(values):
            plan, values, moves = (
                problem.plan([layer.before for layer in problem.layers]),
                self._before,
                [0] * len(rows),
            )
        layers, instances = [], list(layers_of(plan, problem.loads))
        for row, (frontier, unit) in enumerate(zip(self._frontiers, problem.units, strict=True)):
            proof, (_, instance) = frontier.checked(moves[row]), instances[row]
            total = instance.total()
            layers.append(
                ReplannedLayer(
                    layer_id=plan.layer_ids[row],
                    objective=values[row],
                    max_load=max_loads(plan.physical_to_logical[row].tolist(), total)[0],
                    mean_load=total.mean_loads[0],
                    proof=replace(proof, bound=proof.bound * unit),
                    stopped_by=None
                    if proof.bound * unit == values[row]
                    else "interrupt"
                    if self._interrupted
                    else "time",
                    limit=frontier.layer.limit(moves[row]),
                    moves=moves[row],
                    moves_bound=min(moves[row], frontier.fewest_moves(values[row] / unit)),
                    free_bound=frontier.free.bound * unit,
                    objective_before=None if self._before is None else self._before[row],
                )
            )
        found = Replan(
            plan=plan,
            layers=tuple(layers),
            objective=problem.asked.kind,
            runtime=monotonic() - self._began,
            window_weights=problem.asked.window_weights,
            interrupted=self._interrupted,
            old_plan=problem.old_plan,
            max_moves=max_moves,
            bound_in_all=Fraction(0),
            moves_bound=0,
        )
        bound, fewest = self._bounds.value(found.moves) or Fraction(0), self._bounds.fewest(found.value)
        # The bound is rounded down to a grid; what holds for any moves, and for none, is exact.
        exact = sum((layer.lower_bound for layer in found.loaded_layers), Fraction(0))
        bound = max(bound, found.free_bound, Fraction(0) if found.moves else exact)
        return replace(found, bound_in_all=bound, moves_bound=fewest or 0)
