"""eplb-opt: commands, error sentences and exit codes."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence

import typer

import eplb_opt
from eplb_opt.cli import (
    backtest,
    bench,
    compare,
    convert,
    demo,
    diff,
    evaluate,
    generate,
    inspect,
    replan,
    report,
    size,
    solve,
    survive,
    verify,
    warm_up,
)
from eplb_opt.cli.running import run_words
from eplb_opt.cli.tables import show
from eplb_opt.errors import EplbOptError

app = typer.Typer(
    name="eplb-opt",
    help="Expert placement for Mixture-of-Experts serving: plans with a proven bound.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    solve,
    size,
    replan,
    diff,
    compare,
    backtest,
    report,
    evaluate,
    survive,
    verify,
    inspect,
    convert,
    generate,
    bench,
    demo,
    warm_up,
):
    name = command.__name__.rpartition(".")[2].replace("_", "-")
    app.command(name=name, epilog=getattr(command, "EPILOG", None))(command.run)


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context,
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log to stderr what the solvers do."),
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Expert placement for Mixture-of-Experts serving: plans with a proven bound."""
    if version:
        show(eplb_opt.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        show(context.get_help())
    _log_to_stderr(logging.DEBUG if verbose else logging.WARNING)


def _log_to_stderr(level: int) -> None:
    """Show the log of this package alone: others have their own ideas of what is worth a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    log = logging.getLogger("eplb_opt")
    log.handlers = [handler]
    log.setLevel(level)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 no valid plan, 2 wrong usage or input with one line on stderr."""
    # A supervisor's SIGTERM and a lost terminal end a run like Ctrl-C does: with the best plan written.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = run_command(arguments)
        sys.stdout.flush()
    except typer.TyperException as error:
        _fail(error.format_message())
    except EplbOptError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(130)
    except OSError as error:
        if error.filename is not None:
            _fail(f"{error.filename}: {error.strerror}")
        # Nothing more can be printed; Python would try once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            # The reader of a pipe, such as head, has enough.
            sys.exit(0)
        _fail(f"cannot print the result: {error.strerror}")
    except MemoryError:
        _fail("out of memory")
    sys.exit(code or 0)


def run_command(arguments: Sequence[str]) -> int | None:
    """Run a command and return its exit code; errors come through."""
    return run_words(typer.main.get_command(app), arguments)


def _fail(sentence: str) -> None:
    _say(sentence)
    sys.exit(2)


def _say(sentence: str) -> None:
    # Without a place for it, the exit code has to do.
    with contextlib.suppress(OSError, AttributeError):
        print(f"eplb-opt: {' '.join(sentence.split())}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
