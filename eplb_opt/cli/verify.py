"""eplb-opt verify: whether a plan obeys the rules, fits a recording, and is what an engine takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from eplb_opt.arguments import one_of
from eplb_opt.certify import Certified, certify
from eplb_opt.cli import options, plans
from eplb_opt.cli.tables import show, show_json
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidPlanError
from eplb_opt.io import native
from eplb_opt.io.content import Content
from eplb_opt.io.engines import engine_of, violations_for
from eplb_opt.io.recognition import ENGINES
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.proof import named

_MOST_LINES = 20


@dataclass(frozen=True, kw_only=True)
class _Fitting(options.Reading):
    """What the plan has to fit: recordings, if some are given, and a model."""

    experts: Annotated[int | None, typer.Option(help="Experts of a layer, of the plan and the recordings.")] = None
    model_layers: Annotated[int | None, typer.Option(help="Decoder layers, those without experts included.")] = None

    def sizes(self, recorded: Loads | None) -> tuple[int | None, int | None]:
        """Experts and decoder layers of the plan, as far as recordings, the model or options say them."""
        experts, decoder_layers = self.experts, self.model_layers
        if recorded is not None:
            experts = recorded.num_experts
            if recorded.numbering == "decoder":
                decoder_layers = recorded.num_model_layers
        return experts, decoder_layers if self.known_model is None else self.known_model.num_layers


@dataclass
class _Findings:
    """What the check of a plan finds, step by step; a step that fails ends it.

    `facts` are about the plan as the file counts its layers, `plan` counts them as the recordings do.
    """

    gpus_known: bool
    facts: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None
    bounds: tuple[Certified, ...] = ()
    violations: tuple[str, ...] = ()
    way_out: str = ""


@grouped
def run(
    *,
    for_engine: Annotated[
        str | None,
        typer.Option("--for", help=f"Check the file as this engine reads it: {', '.join(ENGINES)}."),
    ] = None,
    given: plans.PlanOptions,
    loads: Annotated[
        list[Path] | None, typer.Argument(metavar="[LOADS]...", help="Recordings whose layers and experts it must fit.")
    ] = None,
    reading: _Fitting,
    json: options.Json = False,
) -> int:
    """Check a plan against every rule. Exit code 1 and a line per violation if it is not valid.

    With --for, also what the engine requires of the file, and what it forgets to check. Of a solution (solve --save)
    and the recording that it was made for, with the same --windows, also every value and every bound.
    """
    engine = _engine(given.engine, for_engine)
    if not loads and reading.layers is not None:
        raise InvalidArgumentError(
            f"--layers {reading.layers} is about recordings, and none is given; of a plan: --model-layers"
        )
    recorded = reading.read(loads, given.asked.gpus)[0] if loads else None
    found = _check(replace(given, engine=engine).source(loads or ()), for_engine, recorded, reading)
    if json:
        _show_json(found)
    elif found.violations or found.plan is None:
        _show_violations(given.plan, found, for_engine)
    else:
        _show_valid(given.plan, found.plan, known=found.gpus_known, whole=reading.sizes(recorded)[1] is not None)
        if found.bounds:
            show(f"  {_words(found.bounds)}")
        if found.gpus_known and for_engine is not None:
            plans.show_start(for_engine, str(given.plan), found.plan)
    return 1 if found.violations else 0


def _check(source: plans.PlanSource, for_engine: str | None, recorded: Loads | None, reading: _Fitting) -> _Findings:
    """Everything that is asked of the file: by the rules, by the engine if there is one, by recordings if any."""
    found = _Findings(gpus_known=source.asked.gpus is not None)
    try:
        if for_engine is not None:
            _require_file_of(source.content, for_engine)
        plan, found.gpus_known = source.plan(*reading.sizes(recorded), reading.known_model)
        slots, experts = plan.deployment.num_slots, plan.num_experts
        found.facts = {"layers": str(plan.labels), "slots": slots, "experts": experts}
        if recorded is not None:
            plan = plan.numbered_as(recorded.labels)
            plan.select(recorded.layer_ids)
            found.bounds = _certified(source.content, recorded, plan.deployment)
        found.plan = plan
        found.violations = tuple(f"layer {bound.layer_id}: {bound.error}" for bound in found.bounds if bound.error)
        found.violations += () if for_engine is None else violations_for(plan, for_engine)
    except InvalidPlanError as error:
        found.violations, found.way_out = error.violations, error.way_out
    except FileFormatError as error:
        if for_engine is None:
            raise
        found.violations = (str(error),)
    return found


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


def _show_json(found: _Findings) -> None:
    bounds = found.bounds
    checked = {"bounds_checked": sum(bound.checked for bound in bounds), "bounds": len(bounds)} if bounds else {}
    verdict = {"valid": not found.violations, "violations": found.violations}
    show_json({**verdict, "deployment_known": found.gpus_known, **found.facts, **checked})


def _show_violations(path: Path, found: _Findings, for_engine: str | None) -> None:
    show(f"{path}: not valid" + ("" if for_engine is None else f" for {ENGINES[for_engine].title}"))
    for violation in found.violations[:_MOST_LINES]:
        show(f"  {violation}")
    if len(found.violations) > _MOST_LINES:
        show(f"  and {len(found.violations) - _MOST_LINES} more, all of them with --json")
    if found.way_out:
        show(f"  {found.way_out}")


def _show_valid(path: Path, plan: Plan, *, known: bool, whole: bool) -> None:
    deployment = plan.deployment
    where = f" on {deployment.num_gpus} GPUs" if known else ""
    show(f"{path}: valid; {plan.labels}, {plan.num_experts} experts in {deployment.num_slots} slots{where}")
    if not known:
        show("  the file does not say the GPUs: distinct replicas and groups are checked with --gpus")
    if not whole:
        show("  whether it has a row for every layer of the model is checked with --model, or a recording")
