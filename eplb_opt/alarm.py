"""Alarm: something that happens unless a block of code is done in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def alarm(seconds: float, function: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Call a function, in a thread of its own, if the block still runs after so many seconds.

    A function that has begun when the block ends goes on beside what follows.
    """
    timer = threading.Timer(seconds, function, arguments)
    # A program that ends does not wait for it.
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
