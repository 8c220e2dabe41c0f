"""eplb-opt survive: what is lost with a GPU or a node, and what the others carry then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import options, plans
from eplb_opt.cli.outputs import CSV, require_outputs
from eplb_opt.cli.tables import Format, as_json, records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.report.words import percent, plural
from eplb_opt.survival import lost_experts, splits_evenly, survival

if TYPE_CHECKING:
    import pandas as pd

ROWS = ("worst", "all")
# GPUs whose loss costs most.
_FEW = 5
_FORMATS: dict[str, Format] = {
    "load_lost": percent,
    **dict.fromkeys(("mean_imbalance", "worst_imbalance"), ".5f"),
}


@grouped
def run(
    given: plans.PlanOptions,
    loads: Annotated[
        list[Path] | None, typer.Argument(metavar="[LOADS]...", help="Recordings: what survivors carry of them.")
    ] = None,
    *,
    reading: options.Reading,
    rows: Annotated[str, typer.Option(help="GPUs to print: worst, those whose loss costs most; all.")] = ROWS[0],
    csv: Annotated[Path | None, typer.Option(help="Where the rows of all GPUs go, as CSV.")] = None,
    json: options.Json = False,
) -> int:
    """Tell which GPUs and nodes a plan can lose.

    Losses are experts that they alone have, and how hot the others get.
    """
    one_of("--rows", rows, ROWS)
    if not loads and reading != options.Reading(model=reading.model):
        raise InvalidArgumentError("options that say how recordings are read mean nothing, as none is given")
    require_outputs({"--csv": (csv, CSV)}, [given.plan, *(loads or []), reading.model_file])
    recorded, model = reading.read(loads, given.asked.gpus) if loads else (None, reading.known_model)
    placed, known = given.source(loads or ()).plan(None if recorded is None else recorded.num_experts, model=model)
    if not known:
        raise InvalidArgumentError(f"{given.plan} does not say how many GPUs there are: give --gpus")
    deployment = placed.deployment
    frames = {"gpus": survival(placed, recorded)}
    if deployment.num_nodes > 1 and deployment.ranks_per_node:
        frames["nodes"] = survival(placed, recorded, "nodes")
    if csv is not None:
        write_whole(csv, frames["gpus"].to_csv(index=False))
    if json:
        summary: dict[str, Any] = {f"{name}_survived": _survived(frame) for name, frame in frames.items()}
        found = {name: records(frame) for name, frame in frames.items()}
        show_json({"summary": as_json(summary), **found, "lost_experts": records(lost_experts(placed))})
        return 0
    _show_rows(frames["gpus"], rows)
    for unit, frame in (("GPU", frames["gpus"]), ("node", frames.get("nodes"))):
        if frame is not None:
            for sentence in _words(frame, unit, deployment):
                show(sentence)
    if recorded is not None and splits_evenly(deployment) and deployment.dispatch != "even":
        show(f"Loads are by the even split: dispatch {deployment.dispatch} asks for nodes of one size.")
    return 0


def _survived(frame: pd.DataFrame) -> int:
    return int((frame["experts_lost"] == 0).sum())


def _show_rows(frame: pd.DataFrame, rows: str) -> None:
    by = [name for name in ("experts_lost", "mean_imbalance") if name in frame]
    shown = frame if rows == "all" else frame.nlargest(_FEW, by).sort_index()
    show_table(shown, _FORMATS)
    left = len(frame) - len(shown)
    what = f"above: the {len(shown)} GPUs whose loss costs most; --rows all shows all {len(frame)}\n"
    show(what if left else "")


def _words(frame: pd.DataFrame, unit: str, deployment: Deployment) -> Iterator[str]:
    """Which losses cost no weights, which is the worst, and what survivors carry."""
    name, number, survived = frame.columns[0], len(frame), _survived(frame)
    of = "any" if survived == number else survived or "none"
    worst = frame.iloc[int(frame["experts_lost"].to_numpy().argmax())]
    most = (
        f"; {unit} {worst[name]:.0f} is the worst: {plural(int(worst['experts_lost']), 'expert')} in "
        f"{plural(int(worst['layers_lost']), 'layer')} exist on it only"
    )
    yield (
        f"The plan survives the loss of {of} of {plural(number, unit)}" + (most if worst["experts_lost"] else "") + "."
    )
    if "mean_imbalance" not in frame:
        return
    if frame["mean_imbalance"].isna().all():
        yield "No layer has load: survivors carry nothing."
        return
    gpus = deployment.num_gpus - deployment.num_gpus // number
    hottest = frame.iloc[int(frame["mean_imbalance"].to_numpy().argmax())]
    yield (
        f"With the replicas of a {unit} gone, the hottest GPU carries {frame['mean_imbalance'].mean():.3f} times the "
        f"mean of {plural(gpus, 'GPU')}, and {hottest['mean_imbalance']:.3f} times after the loss of {unit} "
        f"{hottest[name]:.0f}: means over layers and windows with load. A new plan for {plural(gpus, 'GPU')} can "
        "reach 1 at best."
    )
    if frame["load_lost"].max() > 0:
        yield (
            f"Up to {percent(frame['load_lost'].max())} of the load is for experts that nobody holds then, and heats "
            "no GPU."
        )
