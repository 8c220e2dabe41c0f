"""Loading: compiled code that is not there yet is made, which whoever waits is told, and can interrupt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Lock, current_thread, main_thread

from eplb_opt.alarm import alarm
from eplb_opt.interrupt import interrupt_requests

logger = logging.getLogger(__name__)

# Seconds of compiling that nobody needs to be told of.
_SHORT = 2.0

_requests: list[Event] = []


@dataclass(eq=False)
class Compiling:
    """What is compiled, and not only loaded, in a block of first calls.

    Attributes
    ----------
    at_first
        Called before the first kernel, with how often that happens, in words.
    kernels
        The number of kernels so far.
    stored
        Whether all of them could be stored.
    """

    at_first: Callable[[str], object]
    kernels: int = 0
    stored: bool = True


_lock = Lock()
_blocks: list[Compiling] = []


@contextmanager
def compiling(at_first: Callable[[str], object]) -> Iterator[Compiling]:
    """Around the first calls of kernels: what is compiled, and a call before the first one."""
    block = Compiling(at_first)
    with _lock:
        _blocks.append(block)
    try:
        yield block
    finally:
        with _lock:
            _blocks.remove(block)


@contextmanager
def announced() -> Iterator[Compiling]:
    """Around the first calls of kernels: a warning in the log where these are compiled for a while."""
    words = "compiling kernels, which takes some 10 seconds on two idle cores, 30 on slow ones, and happens %s"
    with ExitStack() as told:

        def tell(how_often: str) -> None:
            told.enter_context(alarm(_SHORT, logger.warning, words, how_often))

        with compiling(tell) as block:
            yield block


def begin_compiling(how_often: str) -> None:
    """Called before each kernel that is compiled; `how_often` that happens, in words."""
    with _lock:
        for block in _blocks:
            block.kernels += 1
            if block.kernels == 1:
                block.at_first(how_often)


def cannot_store() -> None:
    """Called after a kernel that was compiled for this process alone."""
    with _lock:
        for block in _blocks:
            block.stored = False


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
