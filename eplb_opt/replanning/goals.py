"""Goals: what a call is after, as the next attempts at better plans and stronger bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from eplb_opt.replanning.frontier import Frontier
from eplb_opt.replanning.shares import Point, Shares

# First plans are after these parts of the way from the bound to what runs.
_GRID = tuple(Fraction(part, 100) for part in (30, 10, 60, 3, 20, 45, 6, 80, 1, 14))
# Later ones are after these parts of the way from the bound to the best plan.
_NEARER = (Fraction(9, 10), Fraction(3, 4), Fraction(1, 2))
# Nearer to its bound than this part, a plan is left as it is.
_NEAR = Fraction(1, 10**5)


class Attempt(NamedTuple):
    """A plan of a layer with at most so many moves and at most this value, in the unit of the search."""

    layer: int
    moves: int
    value: Fraction


class Goal(Protocol):
    """What is to be tried next; nothing where nothing is left."""

    def begins(self, turn: int) -> bool:
        """Whether a turn looks for first plans."""

    def attempts(self, frontiers: Sequence[Frontier], turn: int) -> Iterator[Attempt]:
        """Plans to look for."""

    def refutations(self, frontiers: Sequence[Frontier]) -> Iterator[Attempt]:
        """What plans are to be proven not to reach."""


@dataclass(frozen=True)
class FewestMoves:
    """As few moves as possible to these values of the layers, in the unit of the search."""

    values: Sequence[Fraction]

    def begins(self, turn: int) -> bool:
        """The first one."""
        return turn == 0

    def attempts(self, frontiers: Sequence[Frontier], turn: int) -> Iterator[Attempt]:
        """One move fewer than the best plan has."""
        for layer, (frontier, value) in enumerate(zip(frontiers, self.values, strict=True)):
            plan = frontier.within(value)
            if plan is None:
                yield Attempt(layer, len(frontier.layer.before), value)
            elif plan.moves > frontier.fewest_moves(value):
                yield Attempt(layer, plan.moves - 1, value)

    def refutations(self, frontiers: Sequence[Frontier]) -> Iterator[Attempt]:
        """As many moves as it is not known whether they are too few."""
        for layer, (frontier, value) in enumerate(zip(frontiers, self.values, strict=True)):
            moves, plan = frontier.fewest_moves(value), frontier.within(value)
            if plan is None or moves < plan.moves:
                yield Attempt(layer, moves, value)


@dataclass(frozen=True)
class LeastValue:
    """The least sum of values with at most so many moves: in all, one number for each plan that is wanted.

    Attributes
    ----------
    budgets
        Moves of the whole model.
    most_of_layer
        The most moves of each layer.
    units
        What a unit of the search is worth in each layer.
    """

    budgets: Sequence[int]
    most_of_layer: int
    units: Sequence[Fraction]

    def begins(self, turn: int) -> bool:
        """As many as there are first targets."""
        return turn < len(_GRID)

    def attempts(self, frontiers: Sequence[Frontier], turn: int) -> Iterator[Attempt]:
        """Plans all the way from what runs to the bound; then better ones for what the best sums spend on layers."""
        if self.begins(turn):
            for layer, frontier in enumerate(frontiers):
                runs, bound = frontier.reached[0].value, frontier.free.bound
                if runs > bound:
                    yield Attempt(layer, self.most_of_layer, bound + _GRID[turn] * (runs - bound))
            return
        for layer, moves in sorted(self._spent(frontiers)):
            plan, bound = frontiers[layer].at(moves), frontiers[layer].proof(moves).bound
            if plan is not None and plan.value - bound > _NEAR * plan.value:
                yield Attempt(layer, moves, bound + _NEARER[turn % len(_NEARER)] * (plan.value - bound))

    def refutations(self, frontiers: Sequence[Frontier]) -> Iterator[Attempt]:
        """What the best sums spend on each layer."""
        for layer, moves in sorted(self._spent(frontiers)):
            plan = frontiers[layer].at(moves)
            if plan is not None and plan.value > frontiers[layer].proof(moves).bound:
                yield Attempt(layer, moves, plan.value)

    def _spent(self, frontiers: Sequence[Frontier]) -> set[tuple[int, int]]:
        """Layers and moves that the budgets come to."""
        shares = self.plans(frontiers)
        return {(layer, moves) for budget in self.budgets for layer, moves in enumerate(shares.of_layers(budget))}

    def plans(self, frontiers: Sequence[Frontier]) -> Shares:
        """The least sums of plans."""
        points = [
            [Point(plan.moves, plan.value * unit) for plan in frontier.reached if plan.moves <= self.most_of_layer]
            for frontier, unit in zip(frontiers, self.units, strict=True)
        ]
        return Shares.of(points, max(self.budgets), round_up=True)
