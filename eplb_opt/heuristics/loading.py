"""Loading: compiled code that is not there yet is made, which whoever waits is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

logger = logging.getLogger(__name__)

# Loading kernels that were compiled before takes less seconds than this.
LONGEST_LOADING = 2.0


@contextmanager
def announced() -> Iterator[None]:
    """Around the first calls of kernels: a warning in the log where these are being compiled and not only loaded."""
    timer = Timer(
        LONGEST_LOADING,
        logger.warning,
        ("compiling kernels, which happens once per machine and takes a minute or two",),
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
