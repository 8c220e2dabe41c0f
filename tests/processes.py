"""Processes as the system sees them, and waiting for what becomes of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from time import monotonic, sleep

from tests.clocks import LONG


def children_of(pid: int) -> list[int]:
    """Processes that a process has started and that run, or that nobody has reaped."""
    return [child for child, _ in _children_of(pid)]


def workers_of(pid: int | None = None) -> list[int]:
    """Solver processes that a process has started and that run; without an id those of this one."""
    return [child for child, command in _children_of(pid or os.getpid()) if "eplb_opt.run.worker" in command]


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], object]) -> bool:
    """Whether something comes true, however busy the machine is."""
    deadline = monotonic() + LONG
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True


def _children_of(pid: int) -> list[tuple[int, str]]:
    words = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [line.strip().partition(" ") for line in lines]
    return [(int(child), command) for child, _, command in found]
