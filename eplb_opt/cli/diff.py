"""eplb-opt diff: what moves between two plans, and whether it pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import options, plans
from eplb_opt.cli.copying import copying_words
from eplb_opt.cli.outputs import CSV, PLAN, require_outputs
from eplb_opt.cli.tables import Format, as_json, records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.diff import diff, gains, summarise_diff
from eplb_opt.document import transfers_list
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.io import write_plan
from eplb_opt.io.content import read_content
from eplb_opt.io.recognition import ENGINES
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.renumbering import renumbered
from eplb_opt.report.words import percent, plural
from eplb_opt.transfers import transfers_between

if TYPE_CHECKING:
    import pandas as pd

ROWS = ("most", "all")
# Layers with the most moves.
_FEW = 5
_FORMATS: dict[str, Format] = {
    "gib": ",.2f",
    **dict.fromkeys(("imbalance_before", "imbalance_after"), ".5f"),
    **dict.fromkeys(("microseconds_before", "microseconds_after"), ",.1f"),
}


@dataclass(frozen=True, kw_only=True)
class _Plans:
    """The files of two plans, and what their reader is told."""

    old: Annotated[Path, typer.Argument(metavar="OLD", help="The plan that runs: native JSON or an engine's file.")]
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The plan that is to take its place.")]
    engine: Annotated[str, typer.Option(help=f"Format of both plans: auto, {', '.join(ENGINES)}.")] = "auto"
    asked: plans.Asked

    def read(self, loads: Sequence[Path], num_experts: int | None, model: Model | None) -> tuple[Plan, Plan]:
        """Both; what one file says of the deployment and the other does not holds for both."""
        sources = [plans.PlanSource(read_content(path), self.engine, self.asked) for path in (self.old, self.new)]
        if not any(source.says_gpus for source in sources):
            sources = [source.beside(loads) for source in sources]
        found = [source.plan(num_experts, model=model) for source in sources]
        known = next((plan.deployment for plan, known in reversed(found) if known), None)
        if known is None:
            raise InvalidArgumentError(f"neither {self.old} nor {self.new} says how many GPUs there are: give --gpus")
        asked = plans.Asked.of(known)
        old, new = (
            plan if said else replace(source, asked=asked).plan(num_experts, model=model)[0]
            for source, (plan, said) in zip(sources, found, strict=True)
        )
        return old, new


@grouped
def run(
    given: _Plans,
    loads: Annotated[
        list[Path] | None, typer.Argument(metavar="[LOADS]...", help="Recordings: what the change is worth on them.")
    ] = None,
    *,
    reading: options.Reading,
    timing: options.Timing,
    bandwidth: options.Bandwidth = None,
    rows: Annotated[str, typer.Option(help="Layers to print: most, those with the most moves; all.")] = ROWS[0],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the new plan with its GPUs renumbered goes, with its transfers."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Where all rows go, as CSV.")] = None,
    json: options.Json = False,
) -> int:
    """Tell what moves between two plans, and what that gains."""
    one_of("--rows", rows, ROWS)
    if not loads and reading != options.Reading(model=reading.model):
        raise InvalidArgumentError("options that say how recordings are read mean nothing, as none is given")
    inputs = [given.old, given.new, *(loads or []), reading.model_file]
    require_outputs({"--output": (output, PLAN), "--csv": (csv, CSV)}, inputs)
    recorded, model = reading.read(loads, given.asked.gpus) if loads else (None, reading.known_model)
    old, new = given.read(loads or (), None if recorded is None else recorded.num_experts, model)
    frame = diff(old, new, recorded, model=model, **asdict(timing))
    summary = summarise_diff(frame, bandwidth)
    if output is not None:
        placed = renumbered(old, new)
        write_plan(placed, output, "native", transfers=transfers_between(old, placed, gains(frame)))
    if csv is not None:
        write_whole(csv, frame.to_csv(index=False))
    if json:
        transfers = transfers_list(transfers_between(old, new, gains(frame)))
        show_json({"summary": as_json(summary), "layers": records(frame), "transfers": transfers})
        return 0
    _show_rows(frame, rows)
    for sentence in _words(summary, new, bandwidth):
        show(sentence)
    return 0


def _show_rows(frame: pd.DataFrame, rows: str) -> None:
    shown = frame if rows == "all" else frame[frame["moves"] > 0].nlargest(_FEW, "moves").sort_index()
    if shown.empty:
        return
    show_table(shown, _FORMATS)
    left = len(frame) - len(shown)
    show("" if not left else f"above: the {len(shown)} layers with the most moves; --rows all shows all {len(frame)}\n")


def _words(summary: dict[str, float], new: Plan, bandwidth: float | None) -> Iterator[str]:
    """What has to be copied, what it gains, and when that has paid."""
    slots, moves, fewest = new.physical_to_logical.size, int(summary["moves"]), int(summary["fewest_moves"])
    yield f"{moves:,} of {plural(slots, 'replica')} move ({percent(moves / slots)}): their GPUs did not hold them."
    if fewest < moves:
        yield (
            f"With the new plan's GPUs renumbered {fewest:,} would, and every load is the same: -o writes that plan."
        )
    if "imbalance_before" in summary:
        yield from _balance_words(summary)
    yield from copying_words(summary, bandwidth)


def _balance_words(summary: dict[str, float]) -> Iterator[str]:
    before, after = summary["imbalance_before"], summary["imbalance_after"]
    if before != before:
        yield "No layer has load: nothing is gained or lost."
        return
    yield (
        f"The hottest GPU is {percent(before - 1)} above the mean before and {percent(after - 1)} after: the mean "
        "over layers and windows with load."
    )
