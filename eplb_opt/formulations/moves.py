"""Moves from an old row in the whole model of one layer: the coolest plan of few moves, or the fewest to a cool one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eplb_opt.formulations.assignment import Assignment, assignment
from eplb_opt.formulations.scaling import FLOAT_SOLVER_ROW_SUM
from eplb_opt.formulations.terms import Row, integer, sum_of
from eplb_opt.instance import Instance

if TYPE_CHECKING:
    import pulp


@dataclass(frozen=True)
class MovesAssignment:
    """The program of one layer with an old row, and how to read it.

    Attributes
    ----------
    base
        The variables and rows that say what a plan is, and what it is worth.
    arrivals
        For each (e, g) that the old row does not hold, a variable or several of which it is the sum whether, and so
        where at most one replica of e fits on g how often, expert e is on GPU g.
    c
        Of these, the variables that `base` does not have, by ``(e, g)``: see `assignment_with_moves`.
    counts_moves
        Whether moves are what is minimised.
    """

    base: Assignment
    arrivals: Mapping[tuple[int, int], tuple[pulp.LpVariable, ...]]
    c: Mapping[tuple[int, int], pulp.LpVariable]
    counts_moves: bool

    @property
    def problem(self) -> pulp.LpProblem:
        """The PuLP problem."""
        return self.base.problem

    def bound(self, value: int) -> Fraction:
        """A lower bound on the program's objective as one on moves, or on the value as `Assignment.bound` says."""
        return Fraction(value) if self.counts_moves else self.base.bound(value)

    def values_of(self, slots: Sequence[int]) -> dict[str, int]:
        """The value of every variable, by name, for one valid row of a plan: see `Assignment.values_of`."""
        (table,) = self.base.instance.deployment.gpus.table(np.asarray(slots)[np.newaxis], filler=-1)
        held = {variable.name: int((table[g] == e).any()) for (e, g), variable in self.c.items()}
        return self.base.values_of(slots) | held

    def slots_of(self, values: Mapping[str, float]) -> NDArray[np.int64]:
        """The row of slots that variable values stand for, GPU by GPU."""
        return self.base.slots_of(values)


def assignment_with_moves(
    instance: Instance,
    old: Sequence[int],
    *,
    upper: Fraction,
    most_moves: int | None = None,
    largest_row_sum: int = FLOAT_SOLVER_ROW_SUM,
    weights: Sequence[int] = (),
) -> MovesAssignment:
    r"""The program of `assignment` with moves from the row `old`, whose empty slots are negative.

    Data       old[g] experts that GPU g held
    Variables  c[e,g] = 1 if expert e is on GPU g;  only for e not in old[g], and where several replicas fit a GPU
    arrives[e,g]    sum_r x[e,r,g] <= u c[e,g];  u is the largest u[r] of e
    moves           sum_{g, e not in old[g]} c[e,g] <= most_moves

    Where replicas are distinct, c[e,g] is ``sum_r x[e,r,g]`` itself. With `most_moves` the objective is that of
    `assignment`. Without, it is the moves, and `upper` is what the value is limited to: as loads are rounded down,
    every plan of value at most `upper` is a solution, so the minimum is a lower bound on the fewest moves. Where
    nothing is rounded, every solution is a plan of value at most `upper`, and the minimum is the fewest moves.

    Raises
    ------
    InvalidArgumentError
        No plan reaches `upper` with any number of moves.
    """
    import pulp

    base = assignment(instance, upper=upper, largest_row_sum=largest_row_sum, weights=weights)
    (table,) = instance.deployment.gpus.table(np.asarray(old, dtype=np.int64)[np.newaxis], filler=-1)
    new = [(e, g) for g, held in enumerate(table.tolist()) for e in range(instance.num_experts) if e not in held]
    replicas = {(e, g): tuple(base.x[e, r, g] for r in base.ranges[e]) for e, g in new}
    c = {key: integer(pulp, "c", key, 1) for key, variables in replicas.items() if _most(variables) > 1}
    program = MovesAssignment(
        base=base,
        arrivals={key: (c[key],) if key in c else variables for key, variables in replicas.items()},
        c=c,
        counts_moves=most_moves is None,
    )
    for name, row in arrives(program):
        base.problem.addConstraint(row, name)
    moves = [(variable, 1) for variables in program.arrivals.values() for variable in variables]
    if most_moves is None:
        # T stands for itself where nothing can move: PuLP has no program without an objective.
        base.problem.setObjective(sum_of([*moves, (base.tops[0], 0)]))
    elif moves:
        base.problem.addConstraint(sum_of(moves) <= most_moves, "moves")
    return program


def arrives(program: MovesAssignment) -> Iterator[Row]:
    """Copies allowed: replicas of an expert that a GPU did not hold make it one move, however many they are."""
    for (e, g), c in program.c.items():
        variables = [program.base.x[e, r, g] for r in program.base.ranges[e]]
        yield f"arrives_{e}_{g}", sum_of([*((x, 1) for x in variables), (c, -_most(variables))]) <= 0


def _most(variables: Sequence[pulp.LpVariable]) -> int:
    """The most replicas of an expert on a GPU."""
    return max(int(variable.upBound) for variable in variables)
