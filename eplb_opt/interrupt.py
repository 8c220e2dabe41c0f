"""Ctrl-C as a request: the running call returns what it has instead of losing it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_requests() -> Iterator[threading.Event]:
    """An event that the first SIGINT sets; a second one raises ``KeyboardInterrupt`` as usual.

    Outside the main thread, where Python allows no signal handlers, the event is never set.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return
    before = signal.getsignal(signal.SIGINT)

    def request(number: int, frame: FrameType | None) -> None:
        if requested.is_set() and callable(before):
            before(number, frame)
        requested.set()

    signal.signal(signal.SIGINT, request)
    try:
        yield requested
    finally:
        # A handler that was not installed from Python reads as None and cannot be put back.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
