"""eplb-opt demo: the main job from end to end, on generated loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli.running import command_line, run_words
from eplb_opt.cli.tables import show
from eplb_opt.errors import FileFormatError


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the files of the demonstration go.")] = Path("demo"),
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds for the plan.")] = 20.0,
) -> int:
    """Generate, plan, convert and verify, from end to end. Also by the published greedy policy, for comparison."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(f"{folder} cannot be made a folder: {error.strerror}") from None
    loads, greedy, plan, sglang = (folder / f"{name}.json" for name in ("loads", "greedy", "plan", "sglang"))
    shape = ["--gpus", "72", "--slots", "288"]
    for arguments in (
        ["generate", "-o", loads, "--layers", "8", "--experts", "256", "--skew", "0.8"],
        ["solve", loads, *shape, "--method", "greedy", "-o", greedy],
        ["solve", loads, *shape, "--time-limit", f"{time_limit:g}", "-o", plan],
        ["convert", plan, "--to", "sglang", "-o", sglang],
        ["verify", sglang, loads, "--gpus", "72"],
    ):
        words = [str(argument) for argument in arguments]
        show(f"\n$ {command_line(*words)}")
        code = run_words(context.find_root().command, words)
        if code:
            return code
    return 0
