"""Loading: compiled code that is not there yet is made, which whoever waits is told, and can interrupt."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, current_thread, main_thread

from eplb_opt.alarm import alarm
from eplb_opt.interrupt import interrupt_requests

logger = logging.getLogger(__name__)

# Loading kernels that were compiled before takes less seconds than this.
LONGEST_LOADING = 2.0

_requests: list[Event] = []


def announced() -> AbstractContextManager[None]:
    """Around the first calls of kernels: a warning in the log where these are being compiled and not only loaded."""
    words = "compiling kernels, which happens once per machine and takes a minute or two"
    return alarm(LONGEST_LOADING, logger.warning, words)


@contextmanager
def interrupted_between_kernels() -> Iterator[None]:
    """Around the same calls, and the import of the compiler: Ctrl-C raises before the next kernel, or at the end.

    The compiler's destructors run at any moment, and what is raised in a destructor is printed and lost.
    """
    with interrupt_requests() as request:
        _requests.append(request)
        try:
            yield
        finally:
            _requests.remove(request)
    if request.is_set():
        raise KeyboardInterrupt


def raise_if_interrupted() -> None:
    """Called before each kernel. Only in the main thread, whose Ctrl-C it is: others may load kernels meanwhile."""
    if current_thread() is main_thread() and any(request.is_set() for request in _requests):
        raise KeyboardInterrupt
