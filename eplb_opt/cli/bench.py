"""eplb-opt bench: methods side by side on suites of cases."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.backends.available import require_solver
from eplb_opt.bench.kept import KeptRuns
from eplb_opt.bench.machine import Machine
from eplb_opt.bench.markdown import markdown, reasons
from eplb_opt.bench.run import LeftOut, Run, Settings, run_all
from eplb_opt.bench.standings import ahead, better_than_the_library, failed_on, finished, standings
from eplb_opt.bench.suite import Case, dispatched, suite
from eplb_opt.bench.table import GAP_LEVELS, contradictions, open_cases, profile, summary, to_frame
from eplb_opt.cli import options
from eplb_opt.cli.library import run_library
from eplb_opt.cli.methods import named_methods
from eplb_opt.cli.outputs import CSV, FIGURE, MARKDOWN, require_outputs
from eplb_opt.cli.pictures import picture
from eplb_opt.cli.progress import progress_line, status_line
from eplb_opt.cli.tables import Format, gap_cell, show, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Dispatch
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.files import write_whole
from eplb_opt.io import read_loads
from eplb_opt.limits import usable_cores
from eplb_opt.methods import Method, methods_of
from eplb_opt.own_method import OwnMethod
from eplb_opt.progress import Progress
from eplb_opt.request import METHODS

_LEVELS = {f"gap <= {float(level):g}": ".1%" for level in GAP_LEVELS}
_INTEGRALS = {"primal_integral": ".3f", "dual_integral": ".3f"}
_NUMBERS: dict[str, Format] = {
    "median_gap": gap_cell,
    "worst_gap": gap_cell,
    "seconds": ".1f",
    "imbalance": ".6f",
    **dict.fromkeys(("bound", "own_bound"), ".6f"),
    "idle": ".0f",
}
_FORMATS: dict[str, Format] = {**_NUMBERS, **_LEVELS, **_INTEGRALS}


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """Which cases are run, and by which methods."""

    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILES]...",
            help="Recordings to add to --suite models, or instances, and folders of them, for --suite library.",
        ),
    ] = None
    suite_name: Annotated[
        str, typer.Option("--suite", help="layers, models, or library: the instances in the folders that are given.")
    ] = "layers"
    methods: Annotated[
        str, typer.Option(help="Methods of solve, or functions such as my_rule.py:balance, separated by commas.")
    ] = "greedy,cpsat,auto"
    only: Annotated[
        list[str] | None, typer.Option(help="Cases with this in their names; * is any text; may be repeated.")
    ] = None
    dispatch: Annotated[
        Dispatch | None, typer.Option(help="Which replica serves a GPU's tokens; default: as each case has it.")
    ] = None
    experts: options.Experts = None
    layers: options.NumLayers = None

    @property
    def chosen(self) -> tuple[Method, ...]:
        """The methods, each once, each with its solver installed or the function of its file."""
        chosen = methods_of(named_methods(self.methods), METHODS, "methods")
        for method in chosen:
            require_solver(str(method))
        return chosen

    @property
    def cases(self) -> list[Case]:
        """The cases of the suite that are wanted."""
        reader = partial(read_loads, experts=self.experts, layers=self.layers)
        with status_line() as show_status:
            if show_status is not None:
                show_status("loading cases, and checking what is known of them")
            cases = suite(self.suite_name, self.files or [], reader, self.only or [])
        return cases if self.dispatch is None else [dispatched(case, self.dispatch) for case in cases]

    def command(self, methods: list[str], settings: Settings) -> str:
        """The command that makes these rows again; of files the names, as folders differ."""
        words = ["eplb-opt", "bench", *(file.name for file in self.files or []), "--suite", self.suite_name]
        words += ["--methods", ",".join(methods)]
        words += [] if self.dispatch is None else ["--dispatch", self.dispatch]
        words += ["--time-limit", f"{settings.time_limit:g}", "--target-gap", f"{settings.target_gap:g}"]
        words += ["--workers", str(settings.workers), "--seed", str(settings.seed)]
        return shlex.join(words + [word for text in self.only or [] for word in ("--only", text)])


@dataclass(frozen=True, kw_only=True)
class _Effort:
    """What each call may spend."""

    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds of each call.")] = 30.0
    target_gap: Annotated[float, typer.Option(help="A layer with at most this gap is done.")] = 0.0
    workers: options.Workers = None
    seed: Annotated[int, typer.Option(help="For random choices; the cases are always the same.")] = 0

    @property
    def settings(self) -> Settings:
        """The same, with as many workers as there are cores where none are said."""
        workers = usable_cores() if self.workers is None else self.workers
        return Settings(self.time_limit, self.target_gap, self.seed, workers)


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Where results go; ``None``: nowhere."""

    runs: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where each finished run is kept; the same command again makes only the others."
        ),
    ] = None
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where a row per run goes, as CSV.")] = None
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Where tables of methods and of cases go.")
    ] = None
    figure: Annotated[Path | None, typer.Option(help="Where a figure of gaps and times goes: .png, .svg or .pdf.")] = (
        None
    )

    def require(self, inputs: list[Path]) -> None:
        """Refuse what cannot be written, before hours of work."""
        files = {"--output": (self.output, CSV), "--markdown": (self.markdown_file, MARKDOWN)}
        require_outputs(files | {"--figure": (self.figure, FIGURE)}, inputs)

    def write(self, outcomes: list[Run | LeftOut], methods: list[str], command: str) -> None:
        """Write what the options name."""
        if self.output is not None:
            runs = [item for item in outcomes if isinstance(item, Run)]
            rows = to_frame(runs, [item for item in outcomes if isinstance(item, LeftOut) and item.failed])
            write_whole(self.output, rows.to_csv(index=False, float_format="%.9g"))
            show(f"rows written to {self.output}")
        if self.markdown_file is not None:
            write_whole(self.markdown_file, markdown(outcomes, methods, command))
            show(f"tables written to {self.markdown_file}")
        complete = finished(outcomes, methods)
        if self.figure is not None and complete:
            # Matplotlib loads here and not with the command line.
            from eplb_opt.report.profiles import plot_gap_profile, plot_time_profile

            frame = to_frame(complete)
            draws = (lambda ax: plot_gap_profile(frame, ax)), (lambda ax: plot_time_profile(frame, ax=ax))
            write_whole(self.figure, picture(self.figure, *draws))
            show(f"figure written to {self.figure}")


@grouped
def run(
    choice: _Choice,
    effort: _Effort,
    *,
    library: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Instead of a suite: solve a library again and keep what is better."),
    ] = None,
    profiles: Annotated[bool, typer.Option("--profile", help="Print where the time of each run went.")] = False,
    outputs: _Outputs,
) -> int:
    """Run methods on a suite of cases, side by side. Tells imbalance, bound, gaps, seconds, and where they went."""
    methods, settings = choice.chosen, effort.settings
    names = list(map(str, methods))
    if library is not None:
        if choice.files or outputs != _Outputs() or choice.dispatch is not None:
            raise InvalidArgumentError(
                "--library keeps its results itself; files, --dispatch, --runs and outputs are for --suite"
            )
        return run_library(library, choice.only or [], settings)
    outputs.require(choice.files or [])
    cases = choice.cases
    total = len(cases) * len(names)
    widths = max(len(case.name) for case in cases), max(13, *map(len, names))
    code = {str(method): method.code for method in methods if isinstance(method, OwnMethod)}
    keeper = None if outputs.runs is None else KeptRuns(outputs.runs, settings, Machine.here(), code)
    kept = {} if keeper is None else keeper.open(cases, names)
    if kept:
        show(f"{len(kept)} of {total} runs are in {outputs.runs}")
    outcomes: list[Run | LeftOut] = []

    def watch(case: Case, method: str) -> AbstractContextManager[Callable[[Progress], None] | None]:
        return progress_line(f"{len(outcomes) + 1} of {total}, {case.name}, {method}: ")

    interrupted = False
    try:
        for done in run_all(cases, methods, settings, watch, kept):
            outcomes.append(done)
            if keeper is not None and isinstance(done, Run) and (done.case.name, done.method) not in kept:
                keeper.write(done)
            _show_outcome(done, *widths, first=len(outcomes) == 1)
            if profiles and isinstance(done, Run):
                _show_profile(done)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        # What is finished is worth hours: an error later on does not lose it.
        made = [item for item in outcomes if isinstance(item, Run)]
        if made:
            _show_summary(outcomes, names)
        if made or any(isinstance(item, LeftOut) and item.failed for item in outcomes):
            outputs.write(outcomes, names, choice.command(names, settings))
    if interrupted:
        again = "" if outputs.runs is None else "; the same command again makes the others"
        show(f"interrupted: {len(made)} of {total} runs are finished{again}")
        return 130
    wrong = contradictions(made)
    for sentence in wrong:
        show(f"contradiction: {sentence}")
    return 1 if wrong or any(isinstance(item, LeftOut) and item.failed for item in outcomes) else 0


def _show_outcome(done: Run | LeftOut, width: int, method_width: int, first: bool) -> None:
    """Print a line for a run, under a header if it is the first; the bound is its own, others may come."""
    if first:
        show(f"{'case':<{width}}  {'method':<{method_width}}   seconds  imbalance  own bound  worst gap   optimal")
    begin = f"{done.case.name:<{width}}  {done.method:<{method_width}}  "
    if isinstance(done, LeftOut):
        show(f"{begin}{'-':>8}  {'-':>9}  {'-':>9}  {'-':>9}   {done.reason if done.failed else 'left out'}")
        return
    show(
        f"{begin}{done.seconds:8.2f}  {float(done.imbalance):9.6f}  {float(done.bound):9.6f}  "
        f"{gap_cell(max(done.gaps)):>9}  {done.layers_optimal:3d} of {len(done.gaps)}"
    )


def _show_profile(run: Run) -> None:
    show("")
    show_table(profile(run), {"seconds": ".3f", "share": ".1%"})
    show("")


def _show_summary(outcomes: list[Run | LeftOut], methods: list[str]) -> None:
    made, complete, last = (
        [item for item in outcomes if isinstance(item, Run)],
        finished(outcomes, methods),
        methods[-1],
    )
    show("")
    show_table(summary(made), _FORMATS)
    if complete:
        show("")
        show("over cases, gaps to the best known bounds:")
        show_table(standings(complete, failed_on(outcomes, complete)), _FORMATS)
        show("")
        for sentence in ahead(complete, last):
            show(sentence)
    for sentence in reasons(outcomes):
        show(f"no run: {sentence}")
    better = better_than_the_library(made)
    if better:
        show(f"better than the library, which bench --library FOLDER brings up to date: {', '.join(better)}")
    if all(run.method != last for run in made):
        return
    show("")
    wide = open_cases(made, last)
    if wide.empty:
        show(f"{last}: no layer has a gap above {float(GAP_LEVELS[0]):g}")
    else:
        show(f"{last}: cases with layers of a gap above {float(GAP_LEVELS[0]):g}")
        show_table(wide, _FORMATS)
