"""The caller's side of worker processes: start, reuse, and end them in time."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from eplb_opt.backends.program import ProgramNews, ProgramTask
from eplb_opt.errors import EplbOptError, SolverError

# A worker without a task for this long ends itself; the pool hands none out that is about to.
IDLE_SECONDS = 60.0

logger = logging.getLogger(__name__)

# A solver gets this long to notice its own time limit and hand over its last word.
GRACE_SECONDS = 0.3


class WorkerPool:
    """Worker processes that are kept between tasks, so that start-up is paid once per core and not per layer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[subprocess.Popen[bytes], float]] = []
        self._busy: dict[subprocess.Popen[bytes], str] = {}
        self._owner = os.getpid()

    def run(self, task: ProgramTask) -> Iterator[ProgramNews]:
        """News of a program while it runs, the last one with a verdict; ends early if the worker has to be ended.

        Raises
        ------
        EplbOptError
            What the worker raised; a `SolverError` if it died by itself.
        """
        worker = self._take(task.call)
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            _end(worker)

        timer = threading.Timer(task.limits.seconds + GRACE_SECONDS, end)
        timer.daemon = True
        timer.start()
        healthy = False
        try:
            assert worker.stdin and worker.stdout
            pickle.dump(task, worker.stdin)
            worker.stdin.flush()
            while not healthy:
                item = pickle.load(worker.stdout)
                healthy = isinstance(item, EplbOptError) or item.verdict is not None
                if isinstance(item, EplbOptError):
                    raise item
                yield item
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            with self._lock:
                ended_by_us = overdue.is_set() or worker not in self._busy
            if not ended_by_us:
                raise SolverError(f"{task.method}: the worker process ended with {worker.wait(1)}") from error
            logger.info("%s: ended at its time limit", task.method)
        finally:
            timer.cancel()
            self._give_back(worker, healthy and not overdue.is_set())

    def end(self, call: str) -> None:
        """End the workers that run tasks of `call` at once; those who wait for their news get none."""
        with self._lock:
            workers = [worker for worker, name in self._busy.items() if name == call]
            for worker in workers:
                del self._busy[worker]
        for worker in workers:
            _end(worker)

    def close(self) -> None:
        """End the idle workers, which would otherwise end themselves a while after this process."""
        with self._lock:
            workers, self._idle = self._idle, []
        if self._owner == os.getpid():
            for worker, _ in workers:
                _end(worker)

    def _take(self, call: str) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._owner != os.getpid():
                # After a fork the pipes belong to the parent.
                self._owner, self._idle, self._busy = os.getpid(), [], {}
            while self._idle:
                worker, since = self._idle.pop()
                if worker.poll() is None and monotonic() - since < IDLE_SECONDS / 2:
                    break
                _end(worker)
            else:
                worker = _start()
            self._busy[worker] = call
        return worker

    def _give_back(self, worker: subprocess.Popen[bytes], healthy: bool) -> None:
        with self._lock:
            known = self._busy.pop(worker, None) is not None
            if healthy and known:
                self._idle.append((worker, monotonic()))
                return
        _end(worker)


def _start() -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise SolverError("no Python executable to start a solver process with")
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "eplb_opt.backends.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            # Its own process group: CBC is a child of the worker and has to go with it.
            start_new_session=True,
        )
    except OSError as error:
        raise SolverError(f"cannot start a solver process: {error}") from error


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Kill the worker and its children, and reap it."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe:
            try:
                pipe.close()
            except OSError:
                logger.debug("a pipe of an ended worker was broken")


POOL = WorkerPool()
atexit.register(POOL.close)
