"""A worker process: started safely, spoken to in pickles, ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from eplb_opt.errors import SolverError

# A worker without a task for this long ends itself; nobody should be handed one that is about to.
IDLE_SECONDS = 60.0

# The worker's first words; what an interpreter prints while it starts comes before them.
GREETING = b"eplb_opt worker\n"
# What it says before its work on a task begins, for which everything is loaded then.
BEGUN = "begun"

# Not "-m": that would put the working folder, and a user's pulp.py in it, in front of the libraries.
_START = "import sys; sys.path.append({root!r}); from eplb_opt.run.worker import main; main()"

# Workers run side by side: threads of matrix products would wait for each other's cores.
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP")}


class WorkerProcess:
    """One process that runs `eplb_opt.run.worker`.

    Unlike a forked or spawned process it neither inherits the caller's locks and CUDA state nor imports its
    ``__main__``, so it works from notebooks and unguarded scripts.

    Raises
    ------
    SolverError
        The process cannot be started.
    """

    def __init__(self) -> None:
        if not sys.executable:
            raise SolverError("no Python executable to start a solver process with")
        root = str(Path(__file__).resolve().parents[2])
        with contextlib.ExitStack() as opened:
            try:
                self._errors = opened.enter_context(tempfile.TemporaryFile())
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _START.format(root=root)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    # Its own process group: CBC is a child of the worker and has to go with it.
                    start_new_session=True,
                    env={**os.environ, **_ONE_THREAD},
                )
            except OSError as error:
                raise SolverError(f"cannot start a solver process: {error}") from error
            # The file lives as long as the process.
            opened.pop_all()
        self._greeted = False
        self._killed = False

    @property
    def pid(self) -> int:
        """Process id, which is the process group's too."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def send(self, item: Any) -> None:
        """Hand over a task; an `OSError` if nobody is there to take it."""
        assert self._process.stdin is not None
        pickle.dump(item, self._process.stdin)
        self._process.stdin.flush()

    def wait_until_ready(self) -> None:
        """Wait until the process has loaded its libraries; an `EOFError` if it never will."""
        assert self._process.stdout is not None
        while not self._greeted:
            line = self._process.stdout.readline()
            if not line:
                raise EOFError
            self._greeted = line.endswith(GREETING)

    def receive(self) -> Any:
        """Wait for news; an `EOFError` if there will be none. Only of a process that is ready."""
        assert self._process.stdout is not None
        return pickle.load(self._process.stdout)

    def kill(self) -> None:
        """End the process and its children at once; only the first call does anything, as ids are used again."""
        if self._killed:
            return
        self._killed = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            self._process.kill()

    def close(self) -> None:
        """End the process, reap it and close its pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            # A pipe with unsent data to a dead process cannot be flushed.
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()

    def last_words(self) -> str:
        """How the process ended, for a message."""
        # A process that has closed its pipes is about to end by itself, with a code that says more than ours.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.kill()
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with {code}" + (f": {lines[-1].strip()}" if lines else "")
