"""Section: recordings that the plan has not seen."""

from __future__ import annotations

from collections.abc import Iterator

from eplb_opt.compare import SOLVE
from eplb_opt.report.blocks import Block, Section, Table, Text
from eplb_opt.report.colours import GREEDY
from eplb_opt.report.data import ReportData, rows_of
from eplb_opt.report.recording import MANY_WINDOWS
from eplb_opt.report.words import in_percent

_PLANS = (GREEDY, SOLVE)


def unseen_section(report: ReportData) -> Section:
    """What plans for the other recordings are worth on each one, or why that is not known."""
    return Section("unseen", "On a recording that it was not made from", tuple(_blocks(report)))


def _blocks(report: ReportData) -> Iterator[Block]:
    held_out = report.held_out
    rows = [] if held_out.scores is None else rows_of(held_out.scores)
    if rows:
        yield Text(
            "A plan is made from what was recorded, and serves what comes then. So each recording is left out in turn: "
            f"planned on the others, scored on it. It took {held_out.seconds:.1f} s."
        )
        yield Table(
            "Hottest GPU above the mean on the recording that was left out, in per cent.",
            ("left out", report.labels[GREEDY], report.labels[SOLVE]),
            (
                *(
                    (report.loads.window_names[row["window"]], *(in_percent(row[plan]) for plan in _PLANS))
                    for row in rows
                ),
                ("together", *(in_percent(held_out.together[plan]) for plan in _PLANS)),
            ),
            long=len(rows) > MANY_WINDOWS,
            cards=len(rows) <= MANY_WINDOWS,
        )
    if held_out.missing:
        yield Text(held_out.missing)
