"""The command `eplb-opt` from its first line to its last: a signal ends it with one line, or with its files whole.

It imports little by itself: whoever presses Ctrl-C while the libraries are being imported should not see where.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main() -> None:
    """Import the command line, run it and exit."""
    # A shell has the commands that it runs in the background ignore Ctrl-C, and `nohup` hang-ups.
    numbers = [number for number in NUMBERS if signal.getsignal(number) is not signal.SIG_IGN]
    # Nothing has been done that would have to be cleared up, and an import may swallow an exception.
    _handle(numbers, _leave)
    from eplb_opt.cli.main import main as run

    code: str | int | None = None
    try:
        _handle(numbers, signal.default_int_handler)
        try:
            run()
        except SystemExit as end:
            code = end.code
        # All is said and written: an interpreter that is being closed down has only tracebacks to add.
        _handle(numbers, signal.SIG_DFL)
    except KeyboardInterrupt:
        _leave()
    sys.exit(code)


def _handle(numbers: list[int], handler: signal.Handlers | object) -> None:
    for number in numbers:
        signal.signal(number, handler)  # type: ignore[arg-type]


def _leave(number: int = 0, frame: FrameType | None = None) -> None:
    _handle(NUMBERS, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.write(2, b"eplb-opt: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
