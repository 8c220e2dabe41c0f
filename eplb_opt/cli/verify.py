"""eplb-opt verify: whether a plan obeys the rules, fits a recording, and is what an engine takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from eplb_opt.arguments import one_of
from eplb_opt.certify import Certified, certify
from eplb_opt.cli import options, plans
from eplb_opt.cli.tables import show, show_json
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidPlanError
from eplb_opt.io import native
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.engines import ENGINES, engine_of, violations_for
from eplb_opt.layers import Layers
from eplb_opt.loads import Loads
from eplb_opt.models import model_of
from eplb_opt.plan import Plan
from eplb_opt.proof import named

_MOST_LINES = 20


def run(
    plan: options.PlanFile,
    loads: options.OptionalLoadFiles = None,
    for_engine: Annotated[
        str | None,
        typer.Option("--for", help=f"Check the file as this engine reads it: {', '.join(ENGINES)}."),
    ] = None,
    engine: options.Engine = "auto",
    gpus: options.Gpus = None,
    nodes: plans.Nodes = None,
    groups: options.Groups = None,
    policy: plans.Policy = None,
    distinct: plans.Distinct = None,
    model: options.ModelName = None,
    experts: Annotated[int | None, typer.Option(help="Experts of a layer, of the plan and the recordings.")] = None,
    layers: options.NumLayers = None,
    model_layers: Annotated[int | None, typer.Option(help="Decoder layers, those without experts included.")] = None,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    json: options.Json = False,
) -> int:
    """Check a plan against every rule. Exit code 1 and a line per violation if it is not valid.

    With --for, also what the engine requires of the file, and what it forgets to check. Of a solution (solve --save)
    and the recording that it was made for, with the same --windows, also every value and every bound.
    """
    engine = _engine(engine, for_engine)
    known, facts, way_out = gpus is not None, {}, ""
    bounds: tuple[Certified, ...] = ()
    recorded, shape = None, None if model is None else model_of(model)
    if not loads and layers is not None:
        raise InvalidArgumentError(
            f"--layers {layers} is about recordings, and none is given; of a plan: --model-layers"
        )
    if loads:
        recorded, _ = options.recording_of(loads, format, windows, model, window_length, experts, layers, gpus)
        experts, model_layers = recorded.num_experts, _decoder_layers(recorded.labels, model_layers)
    model_layers = model_layers if shape is None else shape.num_layers
    content = read_content(plan)
    try:
        if for_engine is not None:
            _require_file_of(content, for_engine)
        asked = plans.Asked(gpus, nodes, groups, policy, distinct)
        checked, known = plans.plan_of(content, engine, asked, experts, model_layers, shape)
        facts = {
            "layers": str(checked.labels),
            "slots": checked.deployment.num_slots,
            "experts": checked.num_experts,
        }
        if recorded is not None:
            checked = checked.numbered_as(recorded.labels)
            checked.select(recorded.layer_ids)
            bounds = _certified(content, recorded, checked.deployment)
        violations = tuple(f"layer {bound.layer_id}: {bound.error}" for bound in bounds if bound.error)
        violations += () if for_engine is None else violations_for(checked, for_engine)
    except InvalidPlanError as error:
        violations, way_out = error.violations, error.way_out
    except FileFormatError as error:
        if for_engine is None:
            raise
        violations = (str(error),)
    if json:
        facts |= {"bounds_checked": sum(bound.checked for bound in bounds), "bounds": len(bounds)} if bounds else {}
        show_json({"valid": not violations, "violations": violations, "deployment_known": known, **facts})
    elif violations:
        show(f"{plan}: not valid" + ("" if for_engine is None else f" for {ENGINES[for_engine].title}"))
        for violation in violations[:_MOST_LINES]:
            show(f"  {violation}")
        if len(violations) > _MOST_LINES:
            show(f"  and {len(violations) - _MOST_LINES} more, all of them with --json")
        if way_out:
            show(f"  {way_out}")
    else:
        _show_valid(plan, checked, known=known, whole=recorded is not None or model_layers is not None)
        if bounds:
            show(f"  {_words(bounds)}")
        if known and for_engine is not None:
            plans.show_start(for_engine, str(plan), checked)
    return 1 if violations else 0


def _certified(content: Content, loads: Loads, deployment: Deployment) -> tuple[Certified, ...]:
    """Values and bounds of a solution's file, checked; nothing where the file is a plan alone."""
    if not native.holds_solution(content):
        return ()
    solution = native.parse_solution(content)
    if deployment != solution.plan.deployment:
        raise InvalidArgumentError(
            f"the bounds of {content.name} are for {solution.plan.deployment}, not for {deployment}: leave out options "
            "such as --gpus, or the recording to check the plan alone"
        )
    bounds = certify(solution, loads)
    if solution.objective != "total" and loads.num_windows == 1 and any(bound.error for bound in bounds):
        raise InvalidArgumentError(
            f"{content.name} is for the {solution.objective} of several windows, and the loads are one: give --windows "
            "or --window-length as they were given to solve, or all recordings"
        )
    return bounds


def _words(bounds: tuple[Certified, ...]) -> str:
    trusted = Counter(named(bound.argument, bound.by) for bound in bounds if not bound.checked)
    checked = f"{sum(bound.checked for bound in bounds)} of {len(bounds)} bounds are checked by their certificates"
    if not trusted:
        return checked
    return f"{checked}, the others rest on: {', '.join(f'{name} ({count})' for name, count in trusted.items())}"


def _engine(engine: str, for_engine: str | None) -> str:
    if for_engine is None:
        return engine
    one_of("--for", for_engine, ENGINES)
    if engine not in ("auto", for_engine):
        raise InvalidArgumentError(f"--engine {engine} and --for {for_engine} contradict each other; give one of them")
    return for_engine


def _require_file_of(content: Content, engine: str) -> None:
    """Raise what an engine would find wrong with a file before it reads its rows."""
    ENGINES[engine].require_name(content.name)
    if not ENGINES[engine].holds(content) and (found := engine_of(content)) != engine:
        raise InvalidPlanError(
            f"it is a plan for {ENGINES[found].title}, not for {ENGINES[engine].title}: "
            f"eplb-opt convert {content.name} --to {engine}"
        )


def _decoder_layers(labels: Layers, given: int | None) -> int | None:
    return labels.num_model_layers if labels.numbering == "decoder" else given


def _show_valid(path: Path, plan: Plan, *, known: bool, whole: bool) -> None:
    deployment = plan.deployment
    where = f" on {deployment.num_gpus} GPUs" if known else ""
    show(f"{path}: valid; {plan.labels}, {plan.num_experts} experts in {deployment.num_slots} slots{where}")
    if not known:
        show("  the file does not say the GPUs: distinct replicas and groups are checked with --gpus")
    if not whole:
        show("  whether it has a row for every layer of the model is checked with --model, or a recording")
