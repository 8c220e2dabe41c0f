"""eplb-opt: commands, error sentences and exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

import typer

from eplb_opt.cli import convert, demo, evaluate, generate, inspect, solve, verify
from eplb_opt.errors import EplbOptError

app = typer.Typer(
    name="eplb-opt",
    help="Expert placement for Mixture-of-Experts serving: plans with a proven bound.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (solve, verify, evaluate, inspect, convert, generate, demo):
    app.command(name=command.__name__.rpartition(".")[2])(command.run)


@app.callback()
def common(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log to stderr what the solvers do.")) -> None:
    """Expert placement for Mixture-of-Experts serving: plans with a proven bound."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, stream=sys.stderr, format="%(levelname)s: %(message)s"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 no valid plan, 2 wrong usage or input with one line on stderr."""
    # A supervisor's SIGTERM ends a run like Ctrl-C does: with the best plan written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="eplb-opt", standalone_mode=False)
    except typer.TyperException as error:
        _fail(error.format_message())
    except EplbOptError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("eplb-opt: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _fail("out of memory")
    sys.exit(code or 0)


def _fail(sentence: str) -> None:
    print(f"eplb-opt: {' '.join(sentence.split())}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


if __name__ == "__main__":
    main()
