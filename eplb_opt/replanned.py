"""Replan: a solution made from an old plan, with its moves."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan
from typing import TYPE_CHECKING

from eplb_opt.layer_solution import LayerSolution, Status, relative_gap
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution, percent

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class ReplannedLayer(LayerSolution):
    """What is known about a layer of a new plan; its `limit` is as many moves as it has.

    Attributes
    ----------
    moves
        Experts on GPUs that did not hold them.
    moves_bound
        Proven: no plan of the layer whose objective is at most this one's has fewer.
    free_bound
        Proven at once: no plan of the layer has a smaller objective, whatever its moves.
    objective_before
        That of the old row; ``None`` where it is no plan any more, as experts are lost.
    """

    moves: int
    moves_bound: int
    free_bound: Fraction
    objective_before: Fraction | None


@dataclass(frozen=True, repr=False, kw_only=True)
class Replan(Solution):
    """A new plan, and what no plan with as few moves, and none of its value, can do better.

    An expert that stays on a GPU stays in its slot. Saved and read again it is a `Solution`, which `eplb_opt.certify`
    checks: values, moves, and the bound of each layer for as many moves.

    Attributes
    ----------
    layers
        One `ReplannedLayer` per row of the plan.
    old_plan
        What runs, without GPUs that are lost.
    max_moves
        The most moves that were asked for; ``None`` where a gap was.
    bound_in_all
        Proven: the least sum of objectives over loaded layers of all plans with at most `moves` moves, however these
        are shared over the layers.
    moves_bound
        Proven: no plan whose objectives sum to at most those of this one has fewer moves in all.
    """

    layers: tuple[ReplannedLayer, ...]
    old_plan: Plan
    max_moves: int | None
    bound_in_all: Fraction
    moves_bound: int

    @property
    def loaded_layers(self) -> tuple[ReplannedLayer, ...]:
        """As of a solution."""
        return tuple(layer for layer in self.layers if layer.mean_load) or self.layers

    @property
    def moves(self) -> int:
        """Moves over all layers."""
        return sum(layer.moves for layer in self.layers)

    @property
    def value(self) -> Fraction:
        """Sum of objectives over the layers with load."""
        return sum((layer.objective for layer in self.loaded_layers), Fraction(0))

    @property
    def value_before(self) -> Fraction | None:
        """The same sum of the old plan; ``None`` where experts are lost."""
        values = [layer.objective_before for layer in self.loaded_layers]
        return None if None in values else sum((value for value in values if value is not None), Fraction(0))

    @property
    def free_bound(self) -> Fraction:
        """Proven at once: the least sum of all plans, whatever their moves."""
        return sum((layer.free_bound for layer in self.loaded_layers), Fraction(0))

    def imbalance_of(self, value: Fraction) -> float:
        """A sum of objectives as one imbalance, 1 being perfect balance in every layer; ``NaN`` without load.

        For ``"total"`` the hottest GPUs of all layers over the mean ones, in tokens; else the mean over layers.
        """
        layers = self.loaded_layers
        in_tokens = self.objective == "total"
        perfect = sum((layer.mean_load for layer in layers), Fraction(0)) if in_tokens else Fraction(len(layers))
        return float(value / perfect) if perfect and any(layer.mean_load for layer in layers) else nan

    @property
    def gap(self) -> Fraction:
        """Gap of the sum of objectives, to the bound on all plans with as many moves."""
        return relative_gap(self.value, self.bound_in_all)

    @property
    def status(self) -> Status:
        """``"optimal"`` if no plan with as few moves has a smaller sum."""
        return "optimal" if self.value == self.bound_in_all else "feasible"

    def __str__(self) -> str:
        """One line for a log, with the bound on the sum."""
        value, bound = (self.imbalance_of(value) for value in (self.value, self.bound_in_all))
        return (
            f"{len(self.layers)} layer{'s' * (len(self.layers) != 1)}: {self.moves:,} move{'s' * (self.moves != 1)}, "
            f"imbalance {value:.6f}, bound {bound:.6f}, gap {percent(self.gap)}, {self.runtime:.1f} s"
        )

    def to_frame(self) -> pd.DataFrame:
        """As of a solution, with moves, their bounds and the objectives before."""
        frame = super().to_frame()
        before = [layer.objective_before for layer in self.layers]
        frame.insert(1, "moves", [layer.moves for layer in self.layers])
        frame.insert(2, "moves_bound", [layer.moves_bound for layer in self.layers])
        frame.insert(3, "objective_before", [None if value is None else float(value) for value in before])
        return frame
