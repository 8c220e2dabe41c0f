"""The inside of a worker process: does one task after the other, where a hang or a crash cannot hurt the caller.

Tasks come in as pickles over a pipe. Over another goes out that the work on one begins, then improvements, and last
whether there is nothing more to expect, or an error. The process ends with its input, with its parent, or when
nobody asks for a while.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any

from eplb_opt.alarm import alarm
from eplb_opt.bounds.methods import WINDOWS
from eplb_opt.bounds.prove import PROVERS
from eplb_opt.errors import EplbOptError, SolverError
from eplb_opt.run.loading import load_part, proof_parts
from eplb_opt.run.parts import PARTS_OF_WINDOWS
from eplb_opt.run.process import BEGUN, GREETING, IDLE_SECONDS
from eplb_opt.run.task import ProofTask
from eplb_opt.run.work import run_task


def main() -> None:
    """Answer tasks until the input ends."""
    # The caller handles Ctrl-C and ends its workers; a terminal would send it to them as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, args=(os.getppid(),), daemon=True).start()
    tasks, news = _private_pipes()
    # Loaded before the clock of the first task starts; a task that needs what is missing says so.
    for library in ("ortools.sat.python.cp_model", "highspy"):
        with contextlib.suppress(ImportError):
            import_module(library)
    news.write(GREETING)
    news.flush()

    def emit(item: Any) -> None:
        pickle.dump(item, news)
        news.flush()

    while True:
        try:
            with alarm(IDLE_SECONDS, os._exit, 0):
                task = pickle.load(tasks)
        except EOFError:
            return
        try:
            load_for(task)
            emit(BEGUN)
            emit(run_task(task, emit))
        except EplbOptError as error:
            emit(error)
        except Exception as error:  # noqa: BLE001 - whatever a solver raises is the caller's to report
            emit(SolverError(f"{task.method} failed: {type(error).__name__}: {error}"))


def load_for(task: ProofTask) -> None:
    """Have the compiled code that a task needs: its limits may be too short to compile anything."""
    if task.method in PROVERS:
        joint = task.method == WINDOWS
        parts = PARTS_OF_WINDOWS if joint else proof_parts(task.instance.deployment, task.instance.num_experts)
        for part in parts:
            load_part(part)


def _private_pipes() -> tuple[Any, Any]:
    """Standard input and output for tasks and news alone: what solvers print goes to standard error."""
    tasks = os.fdopen(os.dup(0), "rb")
    news = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return tasks, news


def _end_with_the_parent(parent: int) -> None:
    """A parent that was killed cannot end its workers, and a solver would go on for as long as it was allowed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
