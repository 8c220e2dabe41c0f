"""Section: what a change of the plan that runs costs, and what it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eplb_opt.report.blocks import Block, Commands, Picture, Section, Table, Text
from eplb_opt.report.curve import MovesCurve
from eplb_opt.report.data import ReportData, rows_of
from eplb_opt.report.replans import plot_replans, worth_words
from eplb_opt.report.verdict import word_of_solvers
from eplb_opt.report.words import plural
from eplb_opt.solution import percent

# Columns of the table: heading and cell. What is not known has no column.
_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "max_moves": ("at most", "{:,}".format),
    "moves": ("moves", "{:,}".format),
    "imbalance": ("max load / mean load", "{:.5f}".format),
    "bound": ("no plan is below", "{:.5f}".format),
    "gap": ("gap", percent),
    "moves_bound": ("moves needed", "{:,}".format),
    "batches": ("batches", "{:,}".format),
    "gib": ("GiB to copy", "{:,.1f}".format),
    "milliseconds": ("ms of a step", "{:.2f}".format),
    "seconds_to_copy": ("s to copy", "{:.2f}".format),
    "steps_to_break_even": ("steps until it has paid", "{:,.0f}".format),
}


def moving_section(report: ReportData) -> Section | None:
    """Plans with more and more moves, where the plan that runs is known."""
    return None if report.curve is None else Section("moving", "What a change costs", tuple(_blocks(report.curve)))


def _blocks(curve: MovesCurve) -> Iterator[Block]:
    points = curve.points
    yield Text(
        "A move is an expert on a GPU that the old plan did not have there: its weights have to be copied. Each plan "
        "is the coolest that was found with at most so many moves over all layers. No plan with as many moves is below "
        "the bound, and no plan as cool has fewer moves than needed, which is proven"
        f"{word_of_solvers(curve.proofs)}. The search took {curve.seconds:.1f} s."
    )
    if not points["imbalance"].isna().any():
        yield Text(worth_words(points))
        yield Picture(
            "Max load / mean load against moves. Lines are steps, as a plan is one for more moves too, and a bound one "
            "for fewer; triangles are the moves needed.",
            "Steps of plans that get cooler with more moves, above steps of their bound: "
            + "; ".join(_point_words(row) for row in rows_of(points))
            + ".",
            lambda ax: plot_replans(points, ax),
        )
    yield _table(curve)
    if curve.commands:
        yield Text("The command that makes each plan, written with its moves in an order in which they can be copied:")
        yield Commands(tuple((plural(moves, "move"), command) for moves, command in curve.commands))


def _point_words(row: dict[str, Any]) -> str:
    return f"{plural(row['moves'], 'move')}, {row['imbalance']:.5f}, bound {row['bound']:.5f}"


def _table(curve: MovesCurve) -> Table:
    columns = {name: column for name, column in _COLUMNS.items() if name in curve.points}
    rows = [
        tuple("-" if row[name] != row[name] else form(row[name]) for name, (_, form) in columns.items())
        for row in rows_of(curve.points)
    ]
    before = curve.points["imbalance_before"][0]
    runs = f" As it is the hottest GPU carries {before:.5f} times the mean." if before == before else ""
    heading = tuple(heading for heading, _ in columns.values())
    return Table(f"Plans from the old plan, by the most moves.{runs}", heading, tuple(rows), cards=True)
