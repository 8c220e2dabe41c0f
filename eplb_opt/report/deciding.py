"""Section: which layers decide."""

from __future__ import annotations

from itertools import accumulate, compress
from typing import Any

from eplb_opt.report.blocks import Section, Table, Text
from eplb_opt.report.data import ReportData
from eplb_opt.report.verdict import subject_words
from eplb_opt.report.words import in_percent, percent, percent_at_most, plural

_SHOWN = 10
# Of the sum: what is less in a layer is not worth a row.
_NOTABLE = 1e-4
# Layers that have this part of what is left are told in a sentence.
_MOST = 0.8


def deciding_section(report: ReportData) -> Section:
    """Layers by their share of the sum of max loads, and by what is left to gain."""
    if report.loads.num_layers == 1:
        return Section("deciding", "Which layers decide", (Text(f"There is only one layer. {_left_words(report)}"),))
    loaded = compress(report.by_layer[report.subject], (layer.mean_load for layer in report.solution.layers))
    layers = sorted(loaded, key=lambda row: (-row["left"], -row["share"]))
    notable = [row for row in layers if row["left"] >= _NOTABLE]
    unit = "max loads" if report.solution.objective == "total" else "imbalances"
    text = (
        f"Layers run one after another, so that time goes with the sum of their {unit}. {_share_words(report)} "
        f"{_left_words(report)}"
    )
    if not notable:
        return Section("deciding", "Which layers decide", (Text(f"{text}{_little_words(layers)}"),))
    first = f": the first {_SHOWN} of {len(notable)}" if len(notable) > _SHOWN else ""
    table = Table(
        f"Layers with {percent(_NOTABLE)} of the sum or more left to gain{first}.",
        ("layer", "share of the sum (%)", "above the mean (%)", "bound (%)", "left to gain (% of the sum)"),
        tuple(
            (
                str(row["layer_id"]),
                f"{100 * row['share']:.2f}",
                in_percent(row["excess"]),
                in_percent(row["least_excess"]),
                f"{100 * row['left']:.3f}",
            )
            for row in notable[:_SHOWN]
        ),
    )
    return Section("deciding", "Which layers decide", (Text(text), table))


def _little_words(layers: list[dict[str, Any]]) -> str:
    """Where no layer is worth a row: that none is, unless all of them together are not either."""
    notable = sum(row["left"] for row in layers) >= _NOTABLE
    return f" No single layer has {percent(_NOTABLE)} of the sum left to gain." if notable else ""


def _share_words(report: ReportData) -> str:
    layers = report.by_layer[report.subject]
    top = max(layers, key=lambda row: float(row["share"]))
    return (
        f"With {subject_words(report)} layer {top['layer_id']} has the largest share, {percent(top['share'])}; "
        f"equal layers would have {percent(1 / len(report.solution.loaded_layers))} each."
    )


def _left_words(report: ReportData) -> str:
    left = sorted((row["left"] for row in report.by_layer[report.subject]), reverse=True)
    whole = sum(left)
    if not whole:
        return "Nothing is left to gain in any layer."
    many = next(number for number, part in enumerate(accumulate(left), start=1) if part >= _MOST * whole)
    most = percent(sum(left[:many]) / whole)
    tail = f", {most} of it in {plural(many, 'layer')}" if many <= len(left) / 2 else ""
    most_of_all = percent_at_most(whole)
    return f"{most_of_all[0].upper() + most_of_all[1:]} of the sum is left to gain{tail}."
