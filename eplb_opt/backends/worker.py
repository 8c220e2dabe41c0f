"""The worker process: runs one program after the other, where a hang or a crash cannot hurt the caller.

Started as ``python -m eplb_opt.backends.worker``: unlike a forked or spawned process it neither inherits the
caller's locks and CUDA state nor imports its ``__main__``, so it works from notebooks and unguarded scripts.
Tasks come in and news goes out as pickles over pipes; the end of the input ends the process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from typing import Any

from eplb_opt.backends.pool import IDLE_SECONDS
from eplb_opt.backends.program import run_task
from eplb_opt.errors import EplbOptError, SolverError


def main() -> None:
    """Answer tasks until the input ends, or nobody asks for a while."""
    # The caller handles Ctrl-C and ends its workers; a terminal would send it to them as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, news = _private_pipes()
    while True:
        idle = threading.Timer(IDLE_SECONDS, os._exit, (0,))
        idle.daemon = True
        idle.start()
        try:
            task = pickle.load(tasks)
        except (EOFError, pickle.UnpicklingError):
            return
        finally:
            idle.cancel()

        def emit(item: Any) -> None:
            pickle.dump(item, news)
            news.flush()

        try:
            run_task(task, emit)
        except EplbOptError as error:
            emit(error)
        except Exception as error:  # noqa: BLE001 - whatever a solver raises is the caller's to report
            emit(SolverError(f"{task.method} failed: {type(error).__name__}: {error}"))


def _private_pipes() -> tuple[Any, Any]:
    """Standard input and output for tasks and news alone: what solvers print goes to standard error."""
    tasks = os.fdopen(os.dup(0), "rb")
    news = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return tasks, news


if __name__ == "__main__":
    main()
