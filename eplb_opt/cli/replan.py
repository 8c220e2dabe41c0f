"""eplb-opt replan: a better plan from one that runs, with few moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eplb_opt.arguments import one_of
from eplb_opt.cli import lists, options, plans
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.next_commands import Written
from eplb_opt.cli.outputs import CSV, FIGURE, PLAN, SOLUTION, require_default_place, require_outputs, save_by_default
from eplb_opt.cli.pictures import picture
from eplb_opt.cli.replan_words import Told, layers_of, points_of, show_lost, show_plan, show_points
from eplb_opt.cli.running import command_line
from eplb_opt.cli.tables import as_json, records, show, show_json
from eplb_opt.cli.unfolding import grouped
from eplb_opt.diff import diff, summarise_diff
from eplb_opt.document import plan_object, transfers_list
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.interrupt import interrupt_requests
from eplb_opt.io import write_plan
from eplb_opt.io.content import read_content
from eplb_opt.io.recognition import ENGINES
from eplb_opt.io.start import file_word
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.replan import TARGET_GAP, replan, replan_curve
from eplb_opt.replan_diff import lost_experts_of, replan_diff, replan_transfers
from eplb_opt.replanned import Replan
from eplb_opt.report.data import rows_of
from eplb_opt.report.replans import plot_replans, worthwhile
from eplb_opt.report.words import plural

if TYPE_CHECKING:
    import pandas as pd

ROWS = ("most", "all")
# A native plan says its deployment.
_ANY = options.DeploymentOptions()


@dataclass(frozen=True, kw_only=True)
class _Old:
    """The plan that runs, and what its reader is told."""

    old: Annotated[Path, typer.Argument(metavar="OLD", help="The plan that runs: native JSON or an engine's file.")]
    engine: Annotated[str, typer.Option(help=f"Format of the old plan: auto, {', '.join(ENGINES)}.")] = "auto"
    asked: plans.Asked

    def read(self, loads: Sequence[Path], num_experts: int, model: Model | None) -> Plan:
        """The plan, of a known number of GPUs."""
        source = plans.PlanSource(read_content(self.old), self.engine, self.asked).beside(loads)
        plan, known = source.plan(num_experts, model=model)
        if not known:
            raise InvalidArgumentError(f"{self.old} does not say how many GPUs there are: give --gpus")
        return plan


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What the new plan is to be, and what finding it may take."""

    max_moves: Annotated[
        str | None,
        typer.Option(
            "--max-moves",
            "--moves",
            help="The most moves in all, such as 1000; several, such as 0,500,1000, make a plan for each.",
        ),
    ] = None
    max_moves_per_layer: Annotated[
        int | None, typer.Option("--max-moves-per-layer", "--moves-per-layer", help="The most moves of each layer.")
    ] = None
    target_gap: Annotated[
        float | None,
        typer.Option(
            help=f"Instead: as few moves as bring each layer so near to its bound; {TARGET_GAP} where nothing is asked."
        ),
    ] = None
    lost: Annotated[
        str | None, typer.Option(help="GPUs that are gone, such as 5,7: the plan is for those that are left.")
    ] = None
    objective: options.Objective = "auto"
    window_weights: Annotated[str | None, typer.Option(help="What each window counts for, such as 1,1,2.")] = None
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds, for all layers and plans together.")] = 60.0
    seed: options.Seed = 0
    workers: options.Workers = None
    deterministic: options.Deterministic = False

    @property
    def limits(self) -> list[int]:
        """Limits on all moves, from the fewest on; none where the options say none."""
        if self.max_moves is None:
            return []
        return sorted(set(lists.whole_numbers_of("--max-moves", self.max_moves)))

    @property
    def target(self) -> float | None:
        """The gap that is to be reached with as few moves as possible; ``None`` where moves are limited."""
        if self.max_moves is not None or self.max_moves_per_layer is not None:
            return None
        return TARGET_GAP if self.target_gap is None else self.target_gap

    @property
    def gone(self) -> tuple[int, ...]:
        """GPUs that are lost."""
        return () if self.lost is None else lists.whole_numbers_of("--lost", self.lost)

    def plans(self, old: Plan, loads: Loads) -> Sequence[Replan]:
        """What `eplb_opt.replan` finds, from the fewest moves on."""
        settings: dict[str, Any] = {
            "max_moves_per_layer": self.max_moves_per_layer,
            "lost": self.gone,
            "objective": self.objective,
            "window_weights": lists.numbers_of("--window-weights", self.window_weights),
            "time_limit": self.time_limit,
            "seed": self.seed,
            "workers": self.workers,
            "deterministic": self.deterministic,
        }
        limits = self.limits
        if len(limits) > 1:
            return replan_curve(old, loads, limits, **settings)
        return [replan(old, loads, max_moves=limits[0] if limits else None, target_gap=self.target, **settings)]

    def require(self) -> None:
        """Refuse what contradicts itself, before any work."""
        if self.target_gap is not None and not (self.max_moves is None and self.max_moves_per_layer is None):
            raise InvalidArgumentError(
                "--target-gap asks for as few moves as possible: leave out --max-moves and --max-moves-per-layer"
            )


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Where plans, rows and figure go; ``None``: nowhere, but for plans."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the plan goes, with its transfers; of several --max-moves each, with its number in the name. "
            "Without this and --json: LOADS.replan.json in this folder, or the next name that is free.",
        ),
    ] = None
    solution: Annotated[
        Path | None,
        typer.Option("--save", help="Where plan, moves and bounds go, which verify checks; for one plan."),
    ] = None
    csv: Annotated[Path | None, typer.Option(help="Where the rows of all layers go, as CSV.")] = None
    figure: Annotated[
        Path | None, typer.Option(help="Where a figure goes, imbalance against moves: .png, .svg or .pdf.")
    ] = None

    def require(self, inputs: Sequence[Path | None], limits: Sequence[int]) -> None:
        """Refuse what cannot be written, before any work."""
        files = {"--output": (self.output, PLAN), "--csv": (self.csv, CSV), "--figure": (self.figure, FIGURE)}
        files |= {"--save": (self.solution, SOLUTION)}
        if len(limits) > 1 and self.solution is not None:
            raise InvalidArgumentError(f"--save is for one plan, and there are {len(limits)} limits on moves")
        if len(limits) > 1:
            del files["--output"]
            files |= {f"--output for {limit} moves": (self._of(limit), PLAN) for limit in limits}
        require_outputs(files, inputs)

    def _of(self, limit: int) -> Path | None:
        """The file of one of several plans."""
        return None if self.output is None else self.output.with_stem(f"{self.output.stem}-{limit}")

    def save(self, told: Told, loads: list[Path], several: bool) -> Path:
        """Write a plan, and return where."""
        found = told.found
        name = self._of(found.max_moves) if several and found.max_moves is not None else self.output

        def write(path: Path) -> None:
            write_plan(found.plan, path, "native", transfers=replan_transfers(found, told.frame))

        if name is None:
            return save_by_default(loads, f"replan-{found.max_moves}" if several else "replan", write)
        write(name)
        return name

    def write(self, told: Sequence[Told], points: pd.DataFrame) -> None:
        """Write rows and figure where the options name them."""
        if self.solution is not None:
            told[0].found.save(self.solution)
        if self.csv is not None:
            write_whole(self.csv, layers_of(told).to_csv(index=False))
        if self.figure is not None:
            write_whole(self.figure, picture(self.figure, lambda ax: plot_replans(points, ax)))


@grouped
def run(
    context: typer.Context,
    given: _Old,
    loads: options.LoadFiles,
    *,
    wanted: _Wanted,
    outputs: _Outputs,
    reading: options.Reading,
    timing: options.Timing,
    bandwidth: options.Bandwidth = None,
    rows: Annotated[str, typer.Option(help="Layers to print: most, those with the most moves; all.")] = ROWS[0],
    json: options.Json = False,
) -> int:
    """Make a better plan from one that runs, with few moves."""
    one_of("--rows", rows, ROWS)
    wanted.require()
    wanted = replace(wanted, objective=Instances.among(loads, context).objective(wanted.objective))
    outputs.require([given.old, *loads, reading.model_file], wanted.limits)
    recorded, model = reading.read(loads, given.asked.gpus)
    old = given.read(loads, recorded.num_experts, model)
    unsaid = outputs.output is None
    if unsaid and not json:
        require_default_place(loads, "replan", "name a file with -o, or print the plan with --json")
    # What the rows of a new plan need is there for those of the old one, or is told now.
    facts: dict[str, Any] = {"model": model, **asdict(timing)}
    summarise_diff(diff(old, old, recorded, **facts), bandwidth)
    found = wanted.plans(old, recorded)
    # An interrupt does not lose plans while they are being written; a second one does.
    with interrupt_requests():
        told = [Told(one, replan_diff(one, recorded, **facts), bandwidth, wanted.target) for one in found]
        points = points_of(told)
        written = [] if unsaid and json else [outputs.save(one, loads, len(told) > 1) for one in told]
        outputs.write(told, points)
    if json:
        show_json(_document(told))
        return 0
    if wanted.gone:
        show_lost(told[0], wanted.gone, old, rows)
    if len(told) > 1:
        show_points(told, points, rows)
    else:
        show_plan(told[0], recorded, given.old, rows)
    if found[0].interrupted:
        show("interrupted: this is the best until then")
    show("")
    for path, one in zip(written, found, strict=True):
        show(f"plan of {plural(one.moves, 'move')} written to {path}")
    place = [one["moves"] for one in rows_of(points)].index(worthwhile(points)["moves"])
    saved = _Saved(
        given, wanted, Written(loads, reading, timing, _ANY, wanted.objective, written[place], "native", None)
    )
    for number, command in enumerate(saved.next_commands(found[place])):
        show(f"{'' if number else 'next:':<5} {command}")
    return 0


@dataclass(frozen=True)
class _Saved:
    """A plan that was written, and from what."""

    given: _Old
    wanted: _Wanted
    written: Written

    def next_commands(self, found: Replan) -> Iterator[str]:
        """Commands that convert the plan, that say what moves, or bring back what is lost alone, and make a report."""
        commands = list(self.written.next_commands(found.plan))
        if not commands:
            return
        given, written = self.given, self.written
        shape = (*options.given(given.asked), *options.given(written.reading), *options.given(written.timing))
        old, new, *loads = (file_word(str(path)) for path in (given.old, written.plan, *written.loads))
        lost = len(lost_experts_of(found))
        if not self.wanted.gone:
            commands.insert(-1, command_line("diff", old, new, *loads, *shape))
        elif found.moves > lost:
            again = ("--lost", self.wanted.lost or "", "--max-moves", str(lost))
            commands.insert(-1, command_line("replan", old, *loads, *again, *shape))
        yield from commands


def _document(told: Sequence[Told]) -> dict[str, Any]:
    """All that is known of plans, as JSON."""
    lost = [{"layer_id": layer_id, "expert": expert} for layer_id, expert in lost_experts_of(told[0].found)]
    plans = [
        {
            "summary": as_json(one.point),
            "layers": records(one.frame),
            "plan": plan_object(one.found.plan),
            "transfers": transfers_list(replan_transfers(one.found, one.frame)),
        }
        for one in told
    ]
    first = told[0].found
    facts = {"objective": first.objective, "runtime": first.runtime, "interrupted": first.interrupted}
    return {**facts, "lost_experts": lost, "plans": plans}
