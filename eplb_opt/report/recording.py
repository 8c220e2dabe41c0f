"""Section: what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median

import numpy as np

from eplb_opt.report.blocks import Block, Picture, Section, Table, Text
from eplb_opt.report.data import ReportData, rows_of
from eplb_opt.report.heat import plot_heat
from eplb_opt.report.shares import expert_shares
from eplb_opt.report.skew import plot_skew
from eplb_opt.report.words import count, percent, plural
from eplb_opt.skew import hottest_of

# Beyond so many, a table of windows is a list to look things up in.
MANY_WINDOWS = 12


def recording_section(report: ReportData) -> Section:
    """Source, sizes, how unequal experts are, and how much windows differ."""
    return Section("recording", "What was recorded", tuple(_blocks(report)))


def _blocks(report: ReportData) -> Iterator[Block]:
    loads, experts = report.loads, report.experts
    source = f" in {loads.source}" if loads.source else ""
    each = " each" if loads.num_layers > 1 else ""
    windows = "one window" if loads.num_windows == 1 else f"{loads.num_windows} windows"
    yield Text(
        f"{plural(loads.num_layers, 'layer')} with {plural(loads.num_experts, 'expert')}{each}, {windows}{source}: "
        f"{count(experts['tokens'].sum())} tokens, counted once for every expert that a token goes to."
    )
    if not report.has_load:
        return
    yield Text(_skew_words(report))
    yield _heat(report)
    yield _skew(report)
    if loads.num_windows > 1:
        yield _windows(report)


def _skew_words(report: ReportData) -> str:
    rows = [row for row in rows_of(report.experts) if row["tokens"] > 0]
    hottest = max(rows, key=lambda row: row["max_over_mean"])
    words = (
        f"Experts are not equally popular: the hottest expert of layer {hottest['layer_id']} gets "
        f"{hottest['max_over_mean']:.1f} times the mean load of its layer"
    )
    if len(rows) > 1:
        words += f", that of the median layer {median(row['max_over_mean'] for row in rows):.1f} times"
    words += f". {_hottest_words(report, fmean(row['hottest_tenth_share'] for row in rows))}"
    idle = sum(row["idle_experts"] for row in rows)
    if idle:
        words += f" {plural(idle, 'expert')} of all layers together got no token at all."
    empty = report.loads.num_layers - len(rows)
    if empty:
        words += f" {plural(empty, 'layer')} got no token, and any plan will do there."
    return words


def _hottest_words(report: ReportData, share: float) -> str:
    experts = report.loads.num_experts
    hottest = hottest_of(experts)
    if hottest == 1:
        return f"The hottest alone carries {percent(share)} of the load of a layer."
    return f"The {hottest} hottest of {experts} experts carry {percent(share)} of the load of a layer."


def _heat(report: ReportData) -> Picture:
    loads = report.loads
    over = ", mean over windows" if loads.num_windows > 1 else ""
    return Picture(
        f"Each expert's load over the mean of its layer{over}. Strong colour marks experts that need replicas.",
        f"Heat map of {plural(loads.num_layers, 'layer')} by {plural(loads.num_experts, 'expert')}: load over the "
        f"layer's mean, up to {report.experts['max_over_mean'].max():.1f}.",
        lambda ax: plot_heat(loads, ax),
        height=min(4.6, 2.2 + 0.06 * loads.num_layers),
    )


def _skew(report: ReportData) -> Picture:
    return Picture(
        "The same, experts sorted within each layer: the steeper the curve, the more there is to balance.",
        f"Curve of expert loads over the layer's mean, hottest first; the hottest is at "
        f"{report.experts['max_over_mean'].max():.1f}.",
        lambda ax: plot_skew(report.loads, ax),
        height=3.2,
    )


def _windows(report: ReportData) -> Table:
    """Tokens of each window, and what part of its load the mean window has on other experts."""
    loads = report.loads
    shares, tokens = expert_shares(loads), loads.values.sum(axis=(1, 2), dtype=np.float64)
    mean = shares.sum(axis=0) / np.maximum(loads.loaded.sum(axis=0), 1)[:, np.newaxis]
    moved = np.abs(shares - mean).sum(axis=2) / 2
    rows = []
    for window in range(loads.num_windows):
        counted = moved[window][loads.loaded[window]]
        other = percent(float(counted.mean())) if counted.size else "-"
        rows.append((loads.window_names[window], count(tokens[window]), other))
    return Table(
        "Windows: how far each is from the mean window, as the part of its load that lies on other experts.",
        ("window", "tokens", "on other experts than in the mean"),
        tuple(rows),
        long=len(rows) > MANY_WINDOWS,
        cards=len(rows) <= MANY_WINDOWS,
    )
