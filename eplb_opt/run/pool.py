"""The caller's side of worker processes: hand out tasks, reuse workers, and end them in time."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from eplb_opt.alarm import alarm
from eplb_opt.errors import EplbOptError, SolverError
from eplb_opt.improvement import Improvement
from eplb_opt.run.process import BEGUN, IDLE_SECONDS, WorkerProcess
from eplb_opt.run.task import Emit, ProofTask

logger = logging.getLogger(__name__)

# A solver gets this long after its time limit to notice it and to hand over its last word.
GRACE_SECONDS = 0.5
# A worker gets this long to import its libraries, and to compile what a task needs where nobody has done so: where
# limits are short and the machine is busy, workers whose start counted would be ended one after the other before they
# did anything.
START_SECONDS = 120.0


@dataclass(frozen=True, eq=False)
class _Run:
    """One task on one worker, and whether the work on it has begun."""

    worker: WorkerProcess
    call: str
    begun: threading.Event = field(default_factory=threading.Event)


class WorkerPool:
    """Worker processes that are kept between tasks, so that start-up is paid once per core and not per layer.

    The lock guards who has which worker. Anyone may kill a worker; only the thread that runs a task on it reads its
    pipes and closes them.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew: in a forked child the lock may be held by nobody and the pipes belong to the parent."""
        self._lock = threading.Lock()
        self._idle: list[tuple[WorkerProcess, float]] = []
        self._busy: set[_Run] = set()
        self._ended_calls: deque[str] = deque(maxlen=1000)

    def run(self, task: ProofTask, emit: Emit) -> bool:
        """Run a task, emitting improvements as they come; whether it came to its end, and was not ended at its limit.

        Raises
        ------
        EplbOptError
            What the worker raised; a `SolverError` if it died by itself or did not speak as a worker does.
        """
        run = self._begin(task.call)
        healthy = False
        try:
            with alarm(START_SECONDS, self._end, [run]):
                run.worker.wait_until_ready()
                run.worker.send(task)
                item = run.worker.receive()
            if item == BEGUN:
                run.begun.set()
                with alarm(task.limits.seconds + GRACE_SECONDS, self._end, [run]):
                    while isinstance(item := run.worker.receive(), Improvement):
                        emit(item)
            healthy = isinstance(item, bool | EplbOptError)
            if isinstance(item, EplbOptError):
                raise item
            if not healthy:
                raise TypeError(f"it sent a {type(item).__name__}")
            return bool(item)
        except EplbOptError:
            raise
        except Exception as error:
            # Whatever is wrong with the pipe, the worker is of no use any more.
            if run in self._busy:
                raise SolverError(f"{task.method}: the worker process {run.worker.last_words()}") from error
            logger.info("%s: ended at its limit", task.method)
        finally:
            self._finish(run, healthy)
        return False

    def prepare(self, workers: int) -> None:
        """Have so many workers wait for tasks, so that none has to start while a clock runs.

        A worker that cannot start is left out: the first task that needs it tells why.
        """
        with self._lock:
            fresh = [(worker, since) for worker, since in self._idle if _is_fresh(worker, since)]
            stale = [worker for worker, since in self._idle if (worker, since) not in fresh]
            self._idle = fresh
        for worker in stale:
            worker.close()
        runs: list[_Run] = []
        ready: set[_Run] = set()
        try:
            with suppress(SolverError):
                for _ in range(workers - len(fresh)):
                    runs.append(_Run(WorkerProcess(), call=""))
                    with self._lock:
                        self._busy.add(runs[-1])
            for run in runs:
                with suppress(EOFError, OSError), alarm(START_SECONDS, self._end, [run]):
                    run.worker.wait_until_ready()
                    ready.add(run)
        finally:
            for run in runs:
                self._finish(run, run in ready)

    def end_starts(self, call: str) -> None:
        """End the workers that are still being started for tasks of `call`: they have nothing to hand over."""
        with self._lock:
            runs = [run for run in self._busy if run.call == call and not run.begun.is_set()]
        self._end(runs)

    def end(self, call: str) -> None:
        """End the workers that run tasks of `call`, now and later; those who wait for their news get none."""
        with self._lock:
            self._ended_calls.append(call)
            runs = [run for run in self._busy if run.call == call]
        self._end(runs)

    def close(self) -> None:
        """End the idle workers, which would otherwise end themselves a while after this process."""
        with self._lock:
            workers, self._idle = self._idle, []
        for worker, _ in workers:
            worker.close()

    def _begin(self, call: str) -> _Run:
        with self._lock:
            if call in self._ended_calls:
                raise SolverError("the call that asked has ended")
            while self._idle:
                worker, since = self._idle.pop()
                if _is_fresh(worker, since):
                    break
                worker.close()
            else:
                worker = WorkerProcess()
            run = _Run(worker, call)
            self._busy.add(run)
        return run

    def _end(self, runs: list[_Run]) -> None:
        with self._lock:
            for run in runs:
                # A late timer finds its run finished and leaves the worker to whoever has it now.
                if run in self._busy:
                    self._busy.discard(run)
                    run.worker.kill()

    def _finish(self, run: _Run, healthy: bool) -> None:
        with self._lock:
            ours = run in self._busy
            self._busy.discard(run)
            if healthy and ours:
                self._idle.append((run.worker, monotonic()))
                return
        run.worker.close()


def _is_fresh(worker: WorkerProcess, since: float) -> bool:
    """Whether a worker that waits since then has a while to go before it ends itself."""
    return worker.is_alive() and monotonic() - since < IDLE_SECONDS / 2


POOL = WorkerPool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
