"""eplb-opt size: how many GPUs and slots, under which policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import lists, options
from eplb_opt.cli.progress import status_line
from eplb_opt.cli.running import command_line
from eplb_opt.cli.table_files import TableFiles
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.io.recognition import ENGINES
from eplb_opt.io.start import file_word
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.report.sizes import Row, chosen, plot_sizes, size_words
from eplb_opt.size import LEAST_GAIN, size

if TYPE_CHECKING:
    import pandas as pd

# Of the figure, in inches.
_HEIGHT = 4.5
# Columns as people read them, in their order: heading and format. Those in per cent are parts in the frame.
_SHOWN = {
    "gpus": ("GPUs", ""),
    "policy": ("policy", ""),
    "slots_per_gpu": ("slots/GPU", ""),
    "redundant": ("redundant", ""),
    "imbalance": ("max/mean", ".5f"),
    "bound": ("bound", ".5f"),
    "to_gain": ("to gain at most", ".3%"),
    "held_out": ("held-out mean/max", ".4f"),
    "uneven": ("redundant if by layer", ".1f"),
    "uneven_least": ("proven needed", ".1f"),
    "gib": ("GiB/GPU", ".2f"),
    "kv_tokens": ("KV tokens less", ",.0f"),
    "milliseconds": ("ms/step", ".2f"),
    "least_milliseconds": ("no plan below", ".2f"),
}


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """Which deployments are held side by side."""

    gpus: Annotated[str, typer.Option(help="Numbers of GPUs, such as 32,64.")]
    slots_per_gpu: Annotated[
        str | None, typer.Option(help="Sizes, such as 8-11 or 9,12; default: the fewest, and three more.")
    ] = None
    policies: Annotated[
        str | None, typer.Option(help="hierarchical, global, or hierarchical,global; default: those that apply.")
    ] = None
    gpus_per_node: Annotated[int | None, typer.Option(help="Default: 8 where that divides the GPUs.")] = None
    groups: options.Groups = None
    dispatch: options.DispatchName = None
    engine: Annotated[str, typer.Option(help=f"Whose dispatch the plans are for: {', '.join(ENGINES)}.")] = "native"

    least_gain: Annotated[float, typer.Option(help="Part of the hottest GPU's load that is not worth more slots.")] = (
        LEAST_GAIN
    )
    time_limit: Annotated[float, typer.Option(help="Seconds of all searches; first plans are always made.")] = 60.0
    seed: options.Seed = 0
    workers: options.Workers = None

    def frame(self, loads: Loads, model: Model | None, timing: options.Timing) -> pd.DataFrame:
        """The frame of `eplb_opt.size`."""
        with status_line() as progress:
            return size(
                loads,
                lists.whole_numbers_of("--gpus", self.gpus),
                slots_per_gpu=None
                if self.slots_per_gpu is None
                else lists.whole_numbers_of("--slots-per-gpu", self.slots_per_gpu),
                policies=lists.names_of(self.policies),
                gpus_per_node=self.gpus_per_node,
                num_groups=self.groups,
                dispatch=self.dispatch or ENGINES[one_of("engine", self.engine, ENGINES)].dispatch,
                model=model,
                least_gain=self.least_gain,
                time_limit=self.time_limit,
                seed=self.seed,
                workers=self.workers,
                progress=progress,
                **asdict(timing),
            )

    def unbound_words(self, frame: pd.DataFrame, model: Model | None) -> Iterator[str]:
        """Why there is no hierarchical row, where there are groups and nodes and nobody left it out."""
        groups = self.groups or (1 if model is None else model.num_groups)
        for _, rows in frame.groupby("gpus", sort=False):
            gpus, nodes = int(rows["gpus"].iloc[0]), int(rows["nodes"].iloc[0])
            if self.policies is None and groups > 1 and nodes > 1 and groups % nodes:
                yield f"{gpus} GPUs: {groups} groups do not divide by {nodes} nodes, so that none is bound to one."


@grouped
def run(
    loads: options.LoadFiles,
    sizes: _Sizes,
    timing: options.Timing,
    outputs: TableFiles,
    reading: options.Reading,
    json: options.Json = False,
) -> int:
    """Find how many GPUs and slots are enough, by bounds."""
    recorded, model = reading.read(loads)
    outputs.require([*loads, reading.model_file])
    frame = sizes.frame(recorded, model, timing)
    if frame.empty:
        if json:
            show_json({"deployments": [], "words": []})
        else:
            show("interrupted before the first deployment was done")
        return 0
    outputs.write(frame, plot_sizes, _HEIGHT)
    if json:
        show_json({"deployments": records(frame), "words": size_words(frame)})
        return 0
    kept = {name: shown for name, shown in _SHOWN.items() if name in frame and frame[name].notna().any()}
    table = frame[list(kept)].rename(columns={name: heading for name, (heading, _) in kept.items()})
    show_table(table, dict(kept.values()))
    show("")
    if frame.attrs["interrupted"]:
        show("interrupted: these are the deployments that were done until then")
    for sentence in (*size_words(frame), *sizes.unbound_words(frame, model)):
        show(sentence)
    for number, row in enumerate(chosen(frame)):
        show(f"{'' if number else 'next:':<5} {_next_command(loads, row, sizes, reading, timing)}")
    return 0


def _next_command(
    recordings: list[Path], row: Row, sizes: _Sizes, reading: options.Reading, timing: options.Timing
) -> str:
    """What plans this deployment for the same recordings, read in the same way."""
    words = ["solve", *(file_word(str(path)) for path in recordings)]
    words += ["--gpus", str(row["gpus"]), "--slots", str(row["slots"])]
    if row["nodes"] > 1:
        words += ["--nodes", str(row["nodes"]), "--policy", row["policy"]]
    if sizes.groups is not None:
        words += ["--groups", str(sizes.groups)]
    if row["dispatch"] != "even":
        words += ["--dispatch", row["dispatch"]]
    return command_line(*words, *options.given(reading), *options.given(timing))
