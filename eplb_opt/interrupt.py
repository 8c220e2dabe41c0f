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

    The same for any signal that a program treats like Ctrl-C, with ``signal.default_int_handler``. A signal that is
    ignored stays ignored. Outside the main thread, where Python allows no handlers, the event is never set.
    """
    requested = threading.Event()
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    before = {
        signal.Signals(number): handler
        for number, handler in before.items()
        if handler is signal.default_int_handler or (number == signal.SIGINT and handler not in (signal.SIG_IGN, None))
    }
    if threading.current_thread() is not threading.main_thread():
        before.clear()

    def request(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if requested.is_set() and callable(handler):
            handler(number, frame)
        requested.set()

    for number in before:
        signal.signal(number, request)
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
