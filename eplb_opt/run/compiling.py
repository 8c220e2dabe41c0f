"""Compiling beside: a second process compiles other kernels meanwhile, as the compiler keeps one core busy at most."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from eplb_opt.kernels.loading import compiling, raise_if_interrupted

# Not "-m": that would put the working folder in front of the libraries.
_START = (
    "import sys; sys.path.append({root!r}); from eplb_opt.run.loading import compile_parts; compile_parts({parts!r})"
)
# Seconds between two looks at whether Ctrl-C was pressed.
_LOOK = 0.05


@contextmanager
def compiled_beside(parts: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Around the first calls of other kernels: once one of these is compiled, `parts` are too, by another process.

    Yields a function that waits for that process. It stores what it compiles; where nothing can be stored, or no
    process be started, it is of no use and soon ends, and whoever calls the kernels compiles them.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def begin(_how_often: str) -> None:
        with suppress(OSError):
            processes.append(_start(parts))

    def wait() -> None:
        for process in processes:
            while process.poll() is None:
                raise_if_interrupted()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)

    try:
        with compiling(begin if parts and sys.executable else lambda _how_often: None):
            yield wait
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _start(parts: Sequence[str]) -> subprocess.Popen[bytes]:
    code = _START.format(root=str(Path(__file__).resolve().parents[2]), parts=list(parts))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for the process that waits, which ends this one.
        start_new_session=True,
    )


def end_with_the_parent() -> None:
    """In a process that `compiled_beside` started: end it as soon as nobody waits for it any more."""
    threading.Thread(target=_end_with_the_input, daemon=True).start()


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
