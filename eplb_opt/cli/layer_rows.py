"""Rows of layers: those that decide, or all of them, and how many are done."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.cli.tables import Format, gap_cell, show, show_table
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.layers import describe_ids
from eplb_opt.report.words import plural
from eplb_opt.solution import Solution, percent

ROWS = ("deciding", "all")
# Layers that decide, at most.
_FEW = 5
_NUMBERS: dict[str, Format] = {
    "max_load": ",.1f",
    "mean_load": ",.1f",
    "imbalance": ".6f",
    "bound": ".6f",
    "gap": gap_cell,
}


def show_layers(solution: Solution, rows: str, target_gap: float) -> None:
    """Print rows of layers, the line that sums them up, and which layers are not done.

    A layer is done whose gap is at most `target_gap`. Of the others those with the most left to gain decide: the
    objective less the bound.
    """
    open_layers = [layer for layer in solution.layers if layer.gap > target_gap]
    deciding = sorted(open_layers, key=_left, reverse=True)[:_FEW]
    shown = list(solution.layers) if rows == "all" else sorted(deciding, key=lambda layer: layer.layer_id)
    if shown:
        _show_rows(solution, shown)
        show("")
    show(str(solution))
    show(_done_words(solution, open_layers, target_gap))
    if len(shown) < len(open_layers):
        left = sum(map(_left, shown), Fraction(0)) / sum(map(_left, open_layers), Fraction(0))
        show(f"above: the {len(shown)} with most left to gain, {100 * float(left):.0f} % of it; --rows all shows all")


def _left(layer: LayerSolution) -> Fraction:
    return layer.objective - layer.lower_bound


def _done_words(solution: Solution, open_layers: list[LayerSolution], target_gap: float) -> str:
    """How many layers are done, and which are not."""
    number, gap = len(solution.layers), percent(target_gap)
    if not open_layers:
        return f"{f'all {number} layers are' if number > 1 else 'the layer is'} done: gap at most {gap}"
    ids = describe_ids(tuple(layer.layer_id for layer in open_layers))
    return f"{number - len(open_layers)} of {plural(number, 'layer')} done: gap at most {gap}; not done: {ids}"


def _show_rows(solution: Solution, layers: list[LayerSolution]) -> None:
    frame = solution.to_frame()
    frame["proof"] = [layer.proof.named for layer in solution.layers]
    formats = dict(_NUMBERS)
    known = ["bound", "gap", "status", "stopped_by", "proof"]
    if solution.objective == "total":
        frame["bound"] = [
            float(layer.lower_bound / layer.mean_load) if layer.mean_load else 1.0 for layer in solution.layers
        ]
        columns = ["layer_id", "max_load", "mean_load", "imbalance", *known]
    else:
        imbalance = f"{solution.objective} imbalance"
        frame = frame.drop(columns="imbalance").rename(columns={"objective": imbalance, "lower_bound": "bound"})
        formats[imbalance] = ".6f"
        columns = ["layer_id", imbalance, *known]
    ids = [layer.layer_id for layer in layers]
    show_table(frame.loc[frame["layer_id"].isin(ids), columns], formats)
