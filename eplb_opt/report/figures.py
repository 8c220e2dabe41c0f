"""Figures of the first screen: what changes, each as a number with its unit."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from eplb_opt.compare import SOLVE
from eplb_opt.report.blocks import Figure
from eplb_opt.report.colours import GREEDY, OLD, TRIVIAL
from eplb_opt.report.data import ReportData
from eplb_opt.report.words import change, plural

_LOAD = "Load of the hottest GPU"


def figures_of(report: ReportData) -> tuple[Figure, ...]:
    """What changes if the best plan is deployed, most important first."""
    return tuple(_figures(report))


def _figures(report: ReportData) -> Iterator[Figure]:
    best = report.figures[report.best]["excess"]
    yield Figure(_LOAD, *change(report.figures[GREEDY]["excess"], best), "against the engine's own policy")
    if report.start != TRIVIAL:
        before = report.figures[report.start]["excess"]
        yield Figure(_LOAD, *change(before, best), f"against {_start_words(report)}")
    seen = report.held_out.together
    if seen:
        yield Figure(
            "The same on a recording left out",
            *change(seen[GREEDY], seen[SOLVE]),
            "both planned on the other recordings",
        )
    yield from _cost_figures(report)
    replicas = report.plans[report.best].physical_to_logical.size
    yield Figure(
        "To copy", f"{report.moves:,}", "replicas", f"of {replicas:,}, from {_start_words(report)} to the best plan"
    )


def _start_words(report: ReportData) -> str:
    return {TRIVIAL: "experts in order", OLD: "the old plan"}.get(report.start, report.labels[report.start])


def _cost_figures(report: ReportData) -> Iterator[Figure]:
    """Time and memory, where they are known."""
    costs, slots = report.costs, report.deployment.slots_per_gpu
    if costs.step is not None and not isnan(costs.milliseconds[report.best]):
        before, best = costs.milliseconds[GREEDY], costs.milliseconds[report.best]
        yield Figure(
            "Experts of a step",
            f"{best:.2f}",
            "ms",
            f"{before:.2f} with the engine's own policy; no plan takes less than {costs.least_milliseconds:.2f}. "
            f"{costs.step.tokens_per_gpu:,g} tokens on each GPU, {costs.step.time_model.source}",
        )
        saved = costs.step.part_of_step(before, best)
        if saved is not None:
            yield Figure("A whole step", f"{-100 * saved:+.2f}", "%", "against the engine's own policy")
    if costs.slot_gib is not None:
        yield Figure(
            "Experts of a GPU",
            f"{slots * costs.slot_gib:.1f}",
            "GiB",
            f"{plural(slots, 'slot')} of {costs.slot_gib:.2f} GiB each, over all layers",
        )
