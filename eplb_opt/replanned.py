"""Replan: a new plan made from an old one, and what is known about its values and its moves."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from eplb_opt.layer_solution import LayerSolution
from eplb_opt.move_limit import MoveLimit
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReplannedLayer:
    """What is known about a layer of a new plan.

    Attributes
    ----------
    layer_id
        Decoder layer.
    moves
        Experts on GPUs that did not hold them.
    objective
        Exact value of the row, see `Replan.objective`.
    objective_before
        That of the old row; ``None`` where it is no plan any more, as experts are lost.
    proof
        No plan of the layer with at most as many moves has a smaller value than this proves.
    fewest_moves
        Proven: no plan of the layer of at most this value has fewer.
    max_load, mean_load
        Load of the hottest GPU, and of a GPU on average, in tokens, of several windows of their sum.
    """

    layer_id: int
    moves: int
    objective: Fraction
    objective_before: Fraction | None
    proof: Proof
    fewest_moves: int
    max_load: Fraction
    mean_load: Fraction


@dataclass(frozen=True)
class Replan:
    """A new plan, and what no plan with as few moves, and none of its value, can do better.

    Attributes
    ----------
    plan
        Verified. An expert that stays on a GPU stays in its slot.
    old_plan
        What runs, without GPUs that are lost.
    layers
        One `ReplannedLayer` per row of the plan.
    objective
        As in `eplb_opt.Solution`.
    limit
        The most moves that were asked for; ``None`` where a gap was asked for.
    lower_bound
        Proven: the least sum of the values of loaded layers of all plans with at most `moves` moves, however these are
        shared over the layers.
    fewest_moves
        Proven: no plan whose values sum to at most those of this one has fewer.
    runtime
        Wall-clock seconds of the call.
    window_weights
        What each window counts for in the mean; ``None``: all the same.
    interrupted
        Whether Ctrl-C came during the call.
    """

    plan: Plan
    old_plan: Plan
    layers: tuple[ReplannedLayer, ...]
    objective: str
    limit: int | None
    lower_bound: Fraction
    fewest_moves: int
    runtime: float
    window_weights: tuple[Fraction, ...] | None = None
    interrupted: bool = False

    @property
    def loaded_layers(self) -> tuple[ReplannedLayer, ...]:
        """Those with any load, or all where none has."""
        return tuple(layer for layer in self.layers if layer.mean_load) or self.layers

    @property
    def moves(self) -> int:
        """Moves over all layers."""
        return sum(layer.moves for layer in self.layers)

    @property
    def value(self) -> Fraction:
        """Sum of the values of loaded layers."""
        return sum((layer.objective for layer in self.loaded_layers), Fraction(0))

    @property
    def gap(self) -> Fraction:
        """(value - lower bound) / value."""
        return (self.value - self.lower_bound) / self.value if self.value else Fraction(0)

    def to_solution(self) -> Solution:
        """The plan with the bound of each layer for as many moves as it has, to save and to check.

        `eplb_opt.certify` and ``eplb-opt verify`` read it: values, moves and bounds.
        """
        before = self.old_plan.physical_to_logical.tolist()
        layers = tuple(
            LayerSolution(
                layer_id=layer.layer_id,
                objective=layer.objective,
                max_load=layer.max_load,
                mean_load=layer.mean_load,
                proof=layer.proof,
                stopped_by=None
                if layer.proof.bound == layer.objective
                else "interrupt"
                if self.interrupted
                else "time",
                limit=MoveLimit(tuple(row), layer.moves),
            )
            for row, layer in zip(before, self.layers, strict=True)
        )
        return Solution(self.plan, layers, self.objective, self.runtime, self.window_weights, self.interrupted)

    def to_frame(self) -> pd.DataFrame:
        """One row per layer: exact values as floats."""
        import pandas as pd

        return pd.DataFrame(
            {
                "layer_id": [layer.layer_id for layer in self.layers],
                "moves": [layer.moves for layer in self.layers],
                "fewest_moves": [layer.fewest_moves for layer in self.layers],
                "objective_before": [
                    None if layer.objective_before is None else float(layer.objective_before) for layer in self.layers
                ],
                "objective": [float(layer.objective) for layer in self.layers],
                "lower_bound": [float(layer.proof.bound) for layer in self.layers],
                "proof": [layer.proof.argument for layer in self.layers],
                "checked": [layer.proof.checked for layer in self.layers],
            }
        )
