"""Running a command by its words, from a terminal or from another command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import typer


def run_words(program: Any, words: Sequence[str]) -> int | None:
    """Run a command of typer, which has no public name for its class, and return its exit code.

    Errors come through; the framework by itself would turn them into exit codes.
    """
    try:
        with program.make_context("eplb-opt", list(words)) as context:
            code: int | None = program.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    return code


def command_line(*words: str) -> str:
    """A command as it is typed, quoted for a shell."""
    return shlex.join(["eplb-opt", *words])
