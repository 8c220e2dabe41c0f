"""eplb-opt generate: synthetic recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli.tables import show
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads


def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="A .npz, .npy, .csv or SGLang .json file.")],
    experts: Annotated[int, typer.Option(help="Experts of a layer.")] = 256,
    layers: Annotated[int, typer.Option(help="MoE layers.")] = 58,
    windows: Annotated[int, typer.Option(help="Windows.")] = 1,
    family: Annotated[str, typer.Option(help="lognormal, rank, dominant or uniform.")] = "lognormal",
    skew: Annotated[float, typer.Option(help="Sigma, exponent or share of the family.")] = 1.0,
    shift: Annotated[float, typer.Option(help="How much popularities differ between windows.")] = 0.0,
    tokens: Annotated[int, typer.Option(help="Assignments per layer and window.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Same options, same loads.")] = 0,
) -> int:
    """Make loads with a known recipe, as a recording that every other command reads."""
    loads = generate_loads(
        num_experts=experts,
        num_layers=layers,
        num_windows=windows,
        family=family,
        skew=skew,
        shift=shift,
        tokens=tokens,
        seed=seed,
    )
    write_loads(loads, output)
    show(f"{output}: {loads.source}; {windows} x {layers} x {experts} (windows x layers x experts)")
    return 0
