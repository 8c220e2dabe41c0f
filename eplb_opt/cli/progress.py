"""Progress on a terminal's stderr; nothing where stderr is a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eplb_opt.solution import percent
from eplb_opt.solve import Progress


@contextmanager
def status_line() -> Iterator[Callable[[str], None] | None]:
    """A callback that keeps one line of words up to date, or ``None`` without a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("loading kernels, compiled once per machine") as status:
        yield status.update


@contextmanager
def progress_line(title: str = "") -> Iterator[Callable[[Progress], None] | None]:
    """A callback for `solve` that keeps one line up to date, or ``None`` without a terminal; `title` begins it."""
    with status_line() as show:
        if show is None:
            yield None
            return

        def update(now: Progress) -> None:
            gap = "" if now.worst_gap is None else f", worst gap {percent(now.worst_gap)}"
            layers = f"{now.layers_done}/{now.layers} layers"
            show(f"{title}{now.seconds:.0f}/{now.time_limit:g} s, {layers}{gap} (Ctrl-C: best so far)")

        yield update
