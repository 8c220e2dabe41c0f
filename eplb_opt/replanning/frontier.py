"""Frontier: what is known of a layer for each number of moves, the best plan and the best bound."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from eplb_opt.acceptance import accepted
from eplb_opt.bounds.few_moves import Ints, OldRow
from eplb_opt.moves import count_moves, keep_slots, of_equal_size
from eplb_opt.proof import Proof


class Reached(NamedTuple):
    """A row of slots, its moves and its exact value in the unit of the search."""

    moves: int
    value: Fraction
    row: Ints


@dataclass
class Frontier:
    """A layer between plans and bounds: the more moves, the better.

    Attributes
    ----------
    layer
        What is planned, and from what.
    reached
        Plans of which none has fewer moves and no larger value than another: moves grow, values fall.
    bounded
        Bounds that took time, for the moves that they were proven for.
    """

    layer: OldRow
    reached: list[Reached] = field(default_factory=list)
    bounded: dict[int, Proof] = field(default_factory=dict)

    def offer(self, row: Ints) -> Reached:
        """Value a valid row exactly, and keep it if no plan here is as good; experts that stay keep their slots."""
        gpus = self.layer.instance.deployment.gpus
        new, before = (of_equal_size(one[None], gpus) for one in (row, self.layer.before))
        kept = keep_slots(new, before, len(gpus.slots))
        (moves,) = count_moves(kept, before, len(gpus.slots)).tolist()
        (slots,) = gpus.rows(kept)
        found = Reached(moves, self.layer.objective.value(slots.tolist(), self.layer.instance), slots)
        known = self.at(moves)
        if known is None or found.value < known.value:
            self.reached = sorted(
                [found, *(plan for plan in self.reached if plan.moves < moves or plan.value < found.value)],
                key=lambda plan: plan.moves,
            )
        return found

    def at(self, moves: int) -> Reached | None:
        """The best plan with at most so many moves."""
        place = bisect_right(self.reached, moves, key=lambda plan: plan.moves)
        return self.reached[place - 1] if place else None

    def within(self, value: Fraction) -> Reached | None:
        """The plan with the fewest moves whose value is at most this."""
        return next((plan for plan in self.reached if plan.value <= value), None)

    def prove(self, moves: int, proof: Proof) -> None:
        """Keep a bound for at most so many moves, if it says more than those for as many or more."""
        if proof.bound > self.proof(moves).bound:
            self.bounded[moves] = proof

    def proof(self, moves: int) -> Proof:
        """The best bound on plans with at most so many moves."""
        best = self.layer.proof([window.instant(moves) for window in self.layer.windows])
        for limit, proof in self.bounded.items():
            if limit >= moves and proof.bound > best.bound:
                best = proof
        return best

    def checked(self, moves: int) -> Proof:
        """The same as the checker sees it."""
        layer = self.layer
        return accepted(self.proof(moves), layer.instance, layer.objective, layer.limit(moves))

    def least_values(self) -> list[tuple[int, Fraction]]:
        """Steps of the best bound: the fewest moves from which on each is the largest, and what it is; it falls."""
        steps, least = [], self.layer.missing
        for moves in sorted({*self.bounded, *range(max(len(window.touched) for window in self.layer.windows))}):
            if moves >= least and (bound := self.proof(moves).bound) > self.proof(moves + 1).bound:
                steps.append((least, bound))
                least = moves + 1
        return [*steps, (least, self.free.bound)]

    @property
    def free(self) -> Proof:
        """The best bound on all plans."""
        return self.layer.proof([window.free for window in self.layer.windows])

    def fewest_moves(self, value: Fraction) -> int:
        """Proven: a plan of at most this value has at least so many moves."""
        return next((moves for moves, least in self.least_values() if least <= value), self.layer.missing)
