"""eplb-opt bench --library: the instances of a library solved again, one after the other."""

from __future__ import annotations

from pathlib import Path

from eplb_opt.bench.improve import Improved, improve
from eplb_opt.bench.run import Settings
from eplb_opt.bench.suite import select
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.tables import show
from eplb_opt.files import make_folder, require_writable
from eplb_opt.io.instances import library_folder, read_library, solution_path, write_instance
from eplb_opt.io.native import write_solution
from eplb_opt.library import rebuild, state_of


def run_library(folder: Path, only: list[str], settings: Settings) -> int:
    """Solve instances again; whatever is better is written at once, so that an interrupt loses one of them."""
    folder = library_folder(folder)
    library = select(read_library(folder), only)
    make_folder(folder / "solutions")
    require_writable(folder / "instances.md")
    width = max(len(named.name) for named in library)
    show(f"{'instance':<{width}}   seconds        best       bound      gap  state    news, bound by, proven by")
    better = 0
    try:
        for named in library:
            with progress_line(f"{named.name}: ") as progress:
                improved = improve(named, named.best, settings, progress)
            if improved.news:
                better += 1
                write_solution(improved.solution, solution_path(named, folder))
                write_instance(improved.named, folder)
            _show(improved, width)
    except KeyboardInterrupt:
        show(f"interrupted: {better} instances are better than before")
        return 130
    finally:
        rebuild(folder)
    show(f"{better} of {len(library)} instances are better than before")
    return 0


def _show(improved: Improved, width: int) -> None:
    layer = improved.layer
    words = ", ".join(filter(None, (improved.news, str(layer.proof), " + ".join(improved.named.proven_by))))
    show(
        f"{improved.named.name:<{width}}  {improved.seconds:8.2f}  {float(layer.objective):10.6g}  "
        f"{float(layer.lower_bound):10.6g}  {float(layer.gap):7.1e}  {state_of(improved.named, layer):<7}  {words}"
    )
