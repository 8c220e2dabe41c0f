"""Solution: a plan, and what is known about each of its layers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from eplb_opt.document import SOLUTION, VERSION, layer_object, plan_object
from eplb_opt.exact import exact_number
from eplb_opt.files import write_whole
from eplb_opt.layer_solution import LayerSolution, Status, relative_gap
from eplb_opt.plan import Plan

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

_WEAKEST_FIRST: tuple[Status, ...] = ("infeasible", "feasible", "optimal")


@dataclass(frozen=True, repr=False)
class Solution:
    """A plan, and for every layer its exact value, a proven lower bound and the gap between them.

    Attributes
    ----------
    plan
        Verified.
    layers
        One `LayerSolution` per row of the plan.
    objective
        ``"total"``: max load of the summed windows, in tokens. ``"mean"``, ``"worst"``: mean and largest imbalance over
        the windows that have any load.
    runtime
        Wall-clock seconds of the call.
    window_weights
        What each window counts for in the mean; ``None``: all the same.
    interrupted
        Whether Ctrl-C, or a signal that is treated like it, came during the call: whoever calls in a loop ends it then.
        Layers that were not done say so in ``stopped_by``; where all were, only this does. Files keep the former.
    """

    plan: Plan
    layers: tuple[LayerSolution, ...]
    objective: str
    runtime: float
    window_weights: tuple[Fraction, ...] | None = None
    interrupted: bool = field(default=False, compare=False)

    @property
    def loaded_layers(self) -> tuple[LayerSolution, ...]:
        """The layers that count in figures over layers: those with any load, or all of them where none has.

        A layer without load has an imbalance of 1 by definition; a mean over layers would take it for a good plan.
        """
        return tuple(layer for layer in self.layers if layer.mean_load) or self.layers

    @property
    def gap(self) -> Fraction:
        """Gap of the sum of objectives over the layers with load."""
        objective = sum((layer.objective for layer in self.loaded_layers), Fraction(0))
        return relative_gap(objective, sum((layer.lower_bound for layer in self.loaded_layers), Fraction(0)))

    @property
    def worst_gap(self) -> Fraction:
        """Largest gap of a layer."""
        return max(layer.gap for layer in self.layers)

    @property
    def status(self) -> Status:
        """The weakest status of a layer."""
        return min((layer.status for layer in self.layers), key=_WEAKEST_FIRST.index)

    def __str__(self) -> str:
        """One line for a log; layers without load are told, and count in no figure."""
        counted = self.loaded_layers
        mean: Fraction | int = len(counted)
        if self.objective == "total":
            mean = sum(layer.mean_load for layer in counted) or Fraction(1)
        value = sum(layer.objective for layer in counted) or mean
        bound = sum(layer.lower_bound for layer in counted) or mean
        layers = f"{len(self.layers)} layer{'s' * (len(self.layers) > 1)}"
        empty = sum(not layer.mean_load for layer in self.layers)
        layers += f" ({empty} without load)" if empty else ""
        # Not "mean imbalance": `evaluate` calls so the mean over layers and windows, and "worst" the largest of all.
        over = {"total": "", "mean": " (mean over windows)", "worst": " (in the worst window)"}[self.objective]
        return (
            f"{layers}: imbalance {float(value / mean):.6f}{over}, bound {float(bound / mean):.6f}, "
            f"gap {percent(self.gap)} (worst layer {percent(self.worst_gap)}), {self.runtime:.1f} s"
        )

    def __repr__(self) -> str:
        return f"<Solution of {self}>"

    def to_frame(self) -> pd.DataFrame:
        """One row per layer: exact values as floats, tokens and seconds; the proof as in `Proof`, without evidence."""
        import pandas as pd

        columns: dict[str, Any] = {
            "layer_id": [layer.layer_id for layer in self.layers],
            "objective": [float(layer.objective) for layer in self.layers],
            "lower_bound": [float(layer.lower_bound) for layer in self.layers],
            "gap": [float(layer.gap) for layer in self.layers],
            "status": [layer.status for layer in self.layers],
            # Among strings pandas would make None a NaN.
            "stopped_by": pd.Series([layer.stopped_by for layer in self.layers], dtype=object),
            "proof": [layer.proof.argument for layer in self.layers],
            "by": [layer.proof.by for layer in self.layers],
            "checked": [layer.proof.checked for layer in self.layers],
            "max_load": [float(layer.max_load) for layer in self.layers],
            "mean_load": [float(layer.mean_load) for layer in self.layers],
            "imbalance": [float(layer.imbalance) for layer in self.layers],
            "runtime": [layer.runtime for layer in self.layers],
        }
        return pd.DataFrame(columns)

    def save(self, path: str | PathLike[str]) -> None:
        """Write plan, bounds, proofs and trace as one JSON file, whole or not at all.

        Raises
        ------
        FileFormatError
            The file cannot be written.
        """
        write_whole(path, format_solution(self))


def format_solution(solution: Solution) -> str:
    """JSON text of a solution file."""
    return json.dumps(solution_object(solution)) + "\n"


def solution_object(solution: Solution) -> dict[str, Any]:
    """What a solution file holds; numbers that are exact are written as text and as a float."""
    weights = solution.window_weights
    return {
        "format": SOLUTION,
        "version": VERSION,
        "objective": solution.objective,
        "window_weights": None if weights is None else [exact_number(weight) for weight in weights],
        "runtime": solution.runtime,
        "plan": plan_object(solution.plan),
        "layers": [layer_object(layer) for layer in solution.layers],
    }


def percent(gap: Fraction | float) -> str:
    """A gap in per cent; only an exact 0 prints as ``0 %``, small ones keep two digits."""
    return "0 %" if gap == 0 else f"{float(100 * gap):.{2 if gap < Fraction(1, 2) else 3}g} %"
