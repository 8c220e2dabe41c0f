"""eplb-opt bench: methods side by side on suites of cases."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.backends.available import require_solver
from eplb_opt.bench.markdown import markdown
from eplb_opt.bench.run import Run, Settings, run_all
from eplb_opt.bench.suite import Case, select, suite
from eplb_opt.bench.table import GAP_LEVELS, contradictions, open_cases, profile, summary, to_frame
from eplb_opt.cli import options
from eplb_opt.cli.library import run_library
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.tables import show, show_table
from eplb_opt.io.files import require_writable, write_whole
from eplb_opt.solve import METHODS, Progress, usable_cores

_LEVELS = {f"gap <= {float(level):g}": ".1%" for level in GAP_LEVELS}
_INTEGRALS = {"primal_integral": ".3f", "dual_integral": ".3f"}
_NUMBERS = {"median_gap": ".2e", "worst_gap": ".2e", "seconds": ".1f", "imbalance": ".6f", "bound": ".6f"}
_FORMATS = _NUMBERS | _LEVELS | _INTEGRALS


def run(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RECORDINGS]...", help="Recordings that --suite models has too."),
    ] = None,
    suite_name: Annotated[str, typer.Option("--suite", help="layers or models.")] = "layers",
    methods: Annotated[str, typer.Option(help="Methods of solve, separated by commas.")] = "greedy,cpsat,auto",
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds of each call.")] = 30.0,
    target_gap: Annotated[float, typer.Option(help="A layer with at most this gap is done.")] = 0.0,
    workers: Annotated[int | None, typer.Option(help="Steps at once; default: the usable cores.")] = None,
    seed: Annotated[int, typer.Option(help="For random choices; the cases are always the same.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Cases with this in their names; * is any text.")] = None,
    library: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Instead of a suite: solve a library again and keep what is better."),
    ] = None,
    profiles: Annotated[bool, typer.Option("--profile", help="Print where the time of each run went.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where a row per run goes, as CSV.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Where a table with a row per case goes.")
    ] = None,
) -> int:
    """Run methods on a suite of cases: imbalance, proven bound, gaps, seconds, and where they went."""
    names = _methods(methods)
    files, texts = recordings or [], only or []
    settings = Settings(time_limit, target_gap, seed, usable_cores() if workers is None else workers)
    if library is not None:
        return run_library(library, texts, settings)
    options.require_new_files([output, markdown_file], files)
    for path in (output, markdown_file):
        if path is not None:
            require_writable(path)
    cases = select(suite(suite_name, files), texts)
    runs: list[Run] = []
    interrupted = False
    try:
        for done in run_all(cases, names, settings, _watch):
            runs.append(done)
            _show_run(runs, max(len(case.name) for case in cases))
            if profiles:
                _show_profile(done)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        # What is finished is worth hours: an error later on does not lose it.
        if runs:
            _show_summary(runs, names[-1])
            _write(runs, output, markdown_file, _command(suite_name, names, settings, texts, files))
    if interrupted:
        show(f"interrupted: {len(runs)} of {len(cases) * len(names)} runs are finished")
        return 130
    wrong = contradictions(runs)
    for sentence in wrong:
        show(f"contradiction: {sentence}")
    return 1 if wrong else 0


def _methods(text: str) -> list[str]:
    """The methods of an option such as ``greedy,auto``, each once and each with its solver installed."""
    names = list(dict.fromkeys(text.split(",")))
    for name in names:
        one_of("methods", name, METHODS)
        require_solver(name)
    return names


def _command(suite_name: str, methods: list[str], settings: Settings, only: list[str], files: list[Path]) -> str:
    """The command that makes these rows again; of recordings the file names, as folders differ."""
    words = ["eplb-opt", "bench", *(file.name for file in files), "--suite", suite_name, "--methods", ",".join(methods)]
    words += ["--time-limit", f"{settings.time_limit:g}", "--target-gap", f"{settings.target_gap:g}"]
    words += ["--workers", str(settings.workers), "--seed", str(settings.seed)]
    return shlex.join(words + [word for text in only for word in ("--only", text)])


def _watch(case: Case, method: str) -> AbstractContextManager[Callable[[Progress], None] | None]:
    return progress_line(f"{case.name}, {method}: ")


def _show_run(runs: list[Run], width: int) -> None:
    """Print a line for the last run, under a header if it is the first; the bound is its own, others may come."""
    if len(runs) == 1:
        show(f"{'case':<{width}}  {'method':<12}   seconds  imbalance  own bound  worst gap   optimal")
    run = runs[-1]
    show(
        f"{run.case.name:<{width}}  {run.method:<12}  {run.seconds:8.2f}  {float(run.imbalance):9.6f}  "
        f"{float(run.bound):9.6f}  {float(max(run.gaps)):9.2e}  {run.layers_optimal:3d} of {len(run.gaps)}"
    )


def _show_profile(run: Run) -> None:
    show("")
    show_table(profile(run), {"seconds": ".3f", "share": ".1%"})
    show("")


def _show_summary(runs: list[Run], last: str) -> None:
    show("")
    show_table(summary(runs), _FORMATS)
    show("")
    wide = open_cases(runs, last)
    if wide.empty:
        show(f"{last}: no layer has a gap above {float(GAP_LEVELS[0]):g}")
    else:
        show(f"{last}: cases with layers of a gap above {float(GAP_LEVELS[0]):g}")
        show_table(wide, _FORMATS)


def _write(runs: list[Run], output: Path | None, markdown_file: Path | None, command: str) -> None:
    if output is not None:
        write_whole(output, to_frame(runs).to_csv(index=False, float_format="%.9g"))
        show(f"rows written to {output}")
    if markdown_file is not None:
        write_whole(markdown_file, markdown(runs, command))
        show(f"table written to {markdown_file}")
