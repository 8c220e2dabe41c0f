"""Figures of the first screen: what changes, each as a number with its unit."""

from __future__ import annotations

from collections.abc import Iterator

from eplb_opt.compare import SOLVE
from eplb_opt.report.blocks import Figure
from eplb_opt.report.colours import GREEDY, TRIVIAL
from eplb_opt.report.data import ReportData
from eplb_opt.report.words import change

_LOAD = "Load of the hottest GPU"


def figures_of(report: ReportData) -> tuple[Figure, ...]:
    """What changes if the best plan is deployed, most important first."""
    return tuple(_figures(report))


def _figures(report: ReportData) -> Iterator[Figure]:
    best = report.figures[report.best]["excess"]
    yield Figure(_LOAD, *change(report.figures[GREEDY]["excess"], best), "against the engine's own policy")
    if report.start != TRIVIAL:
        before = report.figures[report.start]["excess"]
        yield Figure(_LOAD, *change(before, best), f"against {report.labels[report.start]}")
    seen = report.held_out.together
    if seen:
        yield Figure(
            "The same on a recording left out",
            *change(seen[GREEDY], seen[SOLVE]),
            "both planned on the other recordings",
        )
    start = "experts in order" if report.start == TRIVIAL else report.labels[report.start]
    replicas = report.plans[report.best].physical_to_logical.size
    yield Figure("To copy", f"{report.moves:,}", "replicas", f"of {replicas:,}, from {start} to the best plan")
