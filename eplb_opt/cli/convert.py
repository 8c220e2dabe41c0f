"""eplb-opt convert: a plan from one engine's file to another's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import natural_int
from eplb_opt.cli import lists, options, plans
from eplb_opt.cli.outputs import plan_for, require_outputs
from eplb_opt.cli.tables import show
from eplb_opt.cli.unfolding import grouped
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io import write_plan
from eplb_opt.io.model_config import config_path, find_model
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan

_DRAWN = (
    "the plan was made for other layers than the file has, and what the ranks draw depends on all of them: loads "
    "differ from what was planned; solve with --model"
)


@dataclass(frozen=True, kw_only=True)
class _Target:
    """The new file, and which layers its rows are."""

    to: Annotated[str, typer.Option(help=f"Engine of the new file: {', '.join(ENGINES)}.")]
    output: Annotated[Path, typer.Option("--output", "-o", help="The new file.")]
    model: options.ModelName = None
    layer_ids: Annotated[str | None, typer.Option(help="Decoder layers of the rows, such as 3-60 or 1,3,5.")] = None
    draft_layers: Annotated[
        int, typer.Option(help="Layers behind the last one (MTP) that get its row, for TensorRT-LLM.")
    ] = 0

    def require(self, source: Path) -> None:
        """Refuse what cannot be written, before any work."""
        natural_int("--draft-layers", self.draft_layers)
        if self.model is not None and self.layer_ids is not None:
            raise InvalidArgumentError("--model and --layer-ids say the same thing; give one of them")
        require_outputs({"--output": (self.output, plan_for(self.to, "--to"))}, [source, config_path(self.model)])
        ENGINES[self.to].require_draft_layers(self.draft_layers)


@grouped
def run(target: _Target, given: plans.PlanOptions) -> int:
    """Write a plan as the file of an engine. --model or --layer-ids say which decoder layers its rows are."""
    target.require(given.plan)
    model = None if target.model is None else find_model(target.model)
    ids = lists.layer_ids_of(target.layer_ids)
    plan, known = given.source().plan(model=model, layer_ids=ids)
    to, output, drafts = target.to, target.output, target.draft_layers
    if ENGINES[to].knows_gpus and not known:
        raise InvalidArgumentError(f"{given.plan} does not say how many GPUs there are: give --gpus")
    write_plan(plan, output, to, draft_layers=drafts)
    written = plan.with_draft_layers(drafts) if drafts else plan
    show(f"{output}: {written.labels} of {given.plan} for {to}")
    if known and to != "native":
        plans.show_start(to, str(output), plan)
        if _draws_differ(given, plan):
            show(f"  # {_DRAWN}")
    return 0


def _draws_differ(given: plans.PlanOptions, plan: Plan) -> bool:
    """Whether SGLang's ranks draw other replicas for a plan than they were when it was made: by its other layers."""
    return plan.deployment.dispatch == "sglang-static" and given.source().plan()[0].labels != plan.labels
