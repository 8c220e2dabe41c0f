"""eplb-opt generate: synthetic recordings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.cli import options
from eplb_opt.cli.outputs import LOADS, require_outputs
from eplb_opt.cli.tables import show
from eplb_opt.cli.unfolding import grouped
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads
from eplb_opt.io.model_config import config_path, find_model
from eplb_opt.loads import Loads


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """How loads are drawn: the names of its fields but the first are those of arguments of `generate_loads`."""

    windows: Annotated[int, typer.Option(help="Windows.")] = 1
    family: Annotated[str, typer.Option(help="lognormal, rank, dominant or uniform.")] = "lognormal"
    skew: Annotated[float, typer.Option(help="Sigma, exponent or share of the family.")] = 1.0
    shift: Annotated[float, typer.Option(help="How much popularities differ between windows.")] = 0.0
    tokens: Annotated[int, typer.Option(help="Assignments per layer and window.")] = 1_000_000
    seed: Annotated[int, typer.Option(help="Same options, same loads.")] = 0

    def loads(self, num_layers: int, num_experts: int) -> Loads:
        """What `generate_loads` draws."""
        drawn = asdict(self)
        return generate_loads(num_windows=drawn.pop("windows"), num_layers=num_layers, num_experts=num_experts, **drawn)


@grouped
def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="A .npz, .npy, .csv or SGLang .json file.")],
    *,
    model: options.ModelName = None,
    experts: Annotated[int | None, typer.Option(help="Experts of a layer; default: of --model, else 256.")] = None,
    layers: Annotated[int | None, typer.Option(help="MoE layers; default: of --model, else 58.")] = None,
    recipe: _Recipe,
) -> int:
    """Make a recording by a known recipe, for all other commands."""
    shape = None if model is None else find_model(model)
    if shape is not None and not (experts is layers is None):
        raise InvalidArgumentError("--model and --experts or --layers say the same thing; give one of them")
    require_outputs({"--output": (output, LOADS)}, [config_path(model)])
    if shape is None:
        loads = recipe.loads(58 if layers is None else layers, 256 if experts is None else experts)
    else:
        loads = recipe.loads(len(shape.moe_layer_ids), shape.num_experts)
    if shape is not None:
        loads = replace(loads, **shape.labels.fields)
    write_loads(loads, output)
    size = " x ".join(map(str, loads.values.shape))
    show(f"{output}: {loads.source}; {size} (windows x layers x experts)")
    return 0
