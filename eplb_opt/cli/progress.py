"""Progress on a terminal's stderr, and in a log file; nothing where stderr is a file or a pipe."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eplb_opt.errors import FileFormatError
from eplb_opt.progress import Progress
from eplb_opt.solution import percent

if TYPE_CHECKING:
    from rich.console import Group

logger = logging.getLogger(__name__)

# Rows of a terminal that the table of layers leaves to what is around it.
_MARGIN = 6
_WAITING = "loading kernels"


@contextmanager
def status_line() -> Iterator[Callable[[str], None] | None]:
    """A callback that keeps one line of words up to date, or ``None`` without a terminal."""
    if not _on_terminal():
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(_WAITING) as status:
        yield status.update


@contextmanager
def progress_line(title: str = "") -> Iterator[Callable[[Progress], None] | None]:
    """A callback for `solve` that keeps one line up to date, or ``None`` without a terminal; `title` begins it."""
    with status_line() as show:
        yield None if show is None else lambda now: show(title + _summary(now))


@contextmanager
def progress_table(log: Path | None = None) -> Iterator[Callable[[Progress], None] | None]:
    """A callback for `solve` that keeps a table of layers up to date, widest gaps first, and writes a line per event
    to the file `log`; ``None`` without a terminal and a file.

    Raises
    ------
    FileFormatError
        The log cannot be written.
    """
    with _log_file(log) as write, _layer_table() as show:
        watchers = [watch for watch in (write, show) if watch is not None]

        def update(now: Progress) -> None:
            for watch in watchers:
                watch(now)

        yield update if watchers else None


@contextmanager
def _log_file(path: Path | None) -> Iterator[Callable[[Progress], None] | None]:
    if path is None:
        yield None
        return
    try:
        # Whoever follows the file sees each event as it happens.
        file = path.open("wb", buffering=0)
    except OSError as error:
        raise FileFormatError(f"{path} cannot be written: {error.strerror}") from None
    with file:
        failed = False

        def write(now: Progress) -> None:
            nonlocal failed
            try:
                if not failed:
                    file.write(_line(now).encode())
            except OSError as error:
                # A full disk is no reason to lose the plan.
                failed = True
                logger.warning("%s ends here, as it cannot be written any more: %s", path, error.strerror)

        yield write


def _line(now: Progress) -> str:
    worst = "" if now.worst_gap is None else f" worst_gap={float(now.worst_gap):.3e}"
    return (
        f"{datetime.now().astimezone().isoformat(timespec='milliseconds')} seconds={now.seconds:.2f} "
        f"layer={now.layer_id} objective={float(now.objective):.10g} "
        f"bound={float(now.lower_bound):.10g} gap={float(now.gap):.3e} "
        f"done={now.layers_done}/{now.layers}{worst}\n"
    )


@contextmanager
def _layer_table() -> Iterator[Callable[[Progress], None] | None]:
    if not _on_terminal():
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    latest: dict[int, Progress] = {}
    with Live(_WAITING, console=console, refresh_per_second=4, transient=True) as live:

        def update(now: Progress) -> None:
            latest[now.layer_id] = now
            live.update(_table(now, latest, console.height - _MARGIN))

        yield update


def _table(now: Progress, latest: dict[int, Progress], rows: int) -> Group:
    """The summary, and below it the layers with the widest gaps, as many as there is room for."""
    from rich.console import Group
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("layer", "objective", "bound", "gap", "last change"):
        table.add_column(name, justify="right")
    widest = sorted(latest.values(), key=lambda layer: (-layer.gap, layer.layer_id))[: max(1, rows)]
    for layer in widest:
        table.add_row(
            str(layer.layer_id),
            f"{float(layer.objective):,.6g}",
            f"{float(layer.lower_bound):,.6g}",
            percent(layer.gap),
            f"{layer.seconds:.1f} s",
        )
    hidden = len(latest) - len(widest)
    return Group(_summary(now), table, f"and {hidden} layers with smaller gaps" if hidden else "")


def _summary(now: Progress) -> str:
    left = max(0.0, now.time_limit - now.seconds)
    gap = "" if now.worst_gap is None else f", worst gap {percent(now.worst_gap)}"
    done = f"{now.layers_done}/{now.layers} layers done"
    return f"{left:.0f} of {now.time_limit:g} s left, {done}{gap} (Ctrl-C: best so far)"


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
