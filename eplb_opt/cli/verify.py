"""eplb-opt verify: whether a plan obeys the rules, and fits a recording."""

from __future__ import annotations

from typing import Annotated

import typer

from eplb_opt.cli import options
from eplb_opt.cli.tables import show, show_json
from eplb_opt.errors import InvalidPlanError
from eplb_opt.io import read_loads
from eplb_opt.plan import describe_ids

_MOST_LINES = 20


def run(
    plan: options.PlanFile,
    loads: options.OptionalLoadFiles = None,
    engine: options.Engine = "auto",
    gpus: options.Gpus = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = 1,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    experts: Annotated[int | None, typer.Option(help="Experts of a layer.")] = None,
    model_layers: Annotated[int | None, typer.Option(help="Decoder layers, those without experts included.")] = None,
    format: options.Format = "auto",
    json: options.Json = False,
) -> int:
    """Check a plan against every rule; exit code 1 and a line per violation if it is not valid."""
    known, facts = gpus is not None, {}
    recorded = read_loads(loads, format) if loads else None
    if recorded is not None:
        experts, model_layers = recorded.num_experts, recorded.num_model_layers
    try:
        checked, known = options.plan_of(plan, engine, gpus, nodes, groups, policy, distinct, experts, model_layers)
        facts = {
            "layers": describe_ids(checked.layer_ids),
            "slots": checked.deployment.num_slots,
            "experts": checked.num_experts,
        }
        if recorded is not None:
            checked.select(recorded.layer_ids)
        violations: tuple[str, ...] = ()
    except InvalidPlanError as error:
        violations = error.violations
    if json:
        show_json({"valid": not violations, "violations": violations, "deployment_known": known, **facts})
    elif violations:
        show(f"{plan}: not valid")
        for violation in violations[:_MOST_LINES]:
            show(f"  {violation}")
        if len(violations) > _MOST_LINES:
            show(f"  and {len(violations) - _MOST_LINES} more, all of them with --json")
    else:
        deployment = checked.deployment
        where = f" on {deployment.num_gpus} GPUs" if known else ""
        show(f"{plan}: valid; {facts['layers']}, {facts['experts']} experts in {facts['slots']} slots{where}")
        if not known:
            show("  the file does not say the GPUs: distinct replicas and groups are checked with --gpus")
        if recorded is None and model_layers is None:
            show("  whether it has a row for every layer of the model is checked with a recording or --model-layers")
    return 1 if violations else 0
