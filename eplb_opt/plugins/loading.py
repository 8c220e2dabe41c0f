"""Loading: compiled code arrives in a thread of its own, and whoever needs it waits for it.

Compiling takes half a minute, once per machine; loading what was compiled takes a second. Compiled code is stored
beside the package or in the user's cache folder; where an engine's processes can write neither, they need a folder in
``NUMBA_CACHE_DIR``, or each of them compiles.

A plug-in answers calls without load (an engine's profile run) at once and begins to load then, so that the code is
there long before the first loads are: engines capture graphs and record a window first. A call with loads that comes
earlier waits. It does not answer with a plan of another make: which rank is ready when is chance, and ranks must not
disagree.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from concurrent.futures import Future
from time import perf_counter

# Parts of the kernels that plan for one window.
_PLANNING = ("fillings", "greedy", "search", "reassignment", "wide reassignment", "pairs", "bounds", "few moves")


class Loading:
    """Loads the kernels once per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._seconds: Future[float] = Future()

    def begin(self) -> None:
        """Begin to load in the background, unless that was done before; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="eplb_opt loading", daemon=True)
                self._thread.start()

    def wait(self) -> float:
        """Seconds that loading took, once it is done; raises what went wrong."""
        self.begin()
        return self._seconds.result()

    def settle(self) -> None:
        """Wait if something is being loaded: a process that forks meanwhile would pass on locks that nobody opens."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _load(self) -> None:
        # A thread's exception would only be printed; whoever waits should get it.
        try:
            self._seconds.set_result(load())
        except BaseException as error:  # noqa: BLE001 - handed on to those who wait
            self._seconds.set_exception(error)


def load(parts: Collection[str] | None = _PLANNING) -> float:
    """Compile or load the kernels that plug-ins use, or `parts` of `eplb_opt.run.parts`; the seconds it took."""
    begin = perf_counter()
    from eplb_opt.kernels.loading import announced
    from eplb_opt.run.loading import load_kernels

    with announced():
        load_kernels(parts)
    return perf_counter() - begin


KERNELS = Loading()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=KERNELS.settle)


def warm_up() -> float:
    """Have all compiled code in this process, and stored on this machine; the seconds it took.

    ``eplb-opt warm-up`` calls it: run that when an image is built, so that no engine has to compile, whichever user it
    runs as.
    """
    return KERNELS.wait() + load(parts=None)
