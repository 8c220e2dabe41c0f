"""Native: plans and solutions of eplb_opt as versioned JSON, with nothing lost."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from eplb_opt.deployment import Deployment, Dispatch, Policy
from eplb_opt.document import PLAN, SOLUTION, VERSION, computed_values, plan_object, transfers_list
from eplb_opt.errors import FileFormatError, InvalidPlanError
from eplb_opt.files import naming
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.engine import Engine
from eplb_opt.io.mappings import DeploymentFor, Given, make_plan, parse_mapping
from eplb_opt.io.record import Record
from eplb_opt.io.start import StartLine, file_word, words
from eplb_opt.io.transfers import parse_transfers
from eplb_opt.layer_solution import LayerSolution, StoppedBy, TracePoint
from eplb_opt.layers import Numbering, describe_ids
from eplb_opt.move_limit import MoveLimit
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.solution import Solution
from eplb_opt.transfers import Transfers
from eplb_opt.verify import require_valid


def holds_plan(content: Content) -> bool:
    """Whether this is a plan, or a solution with one, written by eplb_opt."""
    return content.kind == "json" and content.has_key("format") and content.value["format"] in (PLAN, SOLUTION)


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of a plan file or of a solution file, on the given deployment and reduced to the given layer ids.

    Raises
    ------
    FileFormatError
        Another format or version, a missing key, a value of a wrong type, or transfers that do not lead to the plan.
    InvalidPlanError
        Rows that are no mapping, or that contradict what was given.
    """
    plan = _plan(_plan_record(content), given.deployment)
    name = content.name
    if given.num_experts not in (None, plan.num_experts):
        raise InvalidPlanError(f"{name} has {plan.num_experts} experts, not num_experts={given.num_experts}")
    if plan.numbering == "moe":
        with naming(name):
            return replace(plan, **(plan.labels.fields | given.labels(plan.num_layers, name)))
    if given.num_model_layers not in (None, plan.num_model_layers):
        raise InvalidPlanError(
            f"{name} is for {plan.num_model_layers} decoder layers, the model has {given.num_model_layers}"
        )
    return given.select(plan, name)


def deployment_facts(content: Content) -> dict[str, Any]:
    """What the file says of the deployment, as arguments of `Deployment` but for the slots: everything."""
    facts = _deployment(_plan_record(content).record("deployment")).facts
    del facts["num_slots"]
    return facts


def format_plan(plan: Plan, name: str, transfers: Transfers | None = None) -> str:
    """JSON text of a plan file, with the deployment and the labels of the rows, and the transfers that lead to it."""
    scheduled = {} if transfers is None else {"transfers": transfers_list(transfers)}
    return json.dumps(plan_object(plan) | scheduled) + "\n"


def demands(plan: Plan) -> Iterator[str]:
    """What is asked of a plan beyond the rules of placement: nothing."""
    return iter(())


def start_line(path: str, plan: Plan) -> StartLine:
    """What makes an engine's file of the file."""
    return StartLine((words("eplb-opt", "convert", file_word(path), "--to", "ENGINE", "-o", "FILE"),))


ENGINE = Engine(
    "eplb_opt",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    no_draft_layers="a plan of eplb_opt has no draft layers, which are added to an engine's file",
    facts=deployment_facts,
    equal_slots=False,
)


def read_solution(path: str | os.PathLike[str]) -> Solution:
    """The solution in a file, its plan verified.

    Raises
    ------
    FileFormatError
        A file that cannot be read, or is no solution file of a known version.
    InvalidPlanError
        A plan that breaks a rule.
    """
    return parse_solution(read_content(path))


def holds_solution(content: Content) -> bool:
    """Whether this is a solution written by eplb_opt."""
    return holds_plan(content) and content.value["format"] == SOLUTION


def parse_solution(content: Content) -> Solution:
    """Solution of a solution file; what follows from other values (gap, status) is computed, and has to be the same."""
    if content.kind != "json":
        raise FileFormatError(f"{content.name} is {content}, not a solution of eplb_opt")
    record = _known(Record(content.name, content.value), SOLUTION)
    layers = tuple(_layer(layer) for layer in record.records("layers"))
    plan = require_valid(parse_plan(content, Given()), content.name)
    ids = tuple(layer.layer_id for layer in layers)
    if ids != plan.layer_ids:
        raise FileFormatError(
            f"{content.name}: 'layers' are [{describe_ids(ids)}], the plan's [{describe_ids(plan.layer_ids)}]"
        )
    objective = record.choice("objective", ("total", "mean", "worst"))
    weights = None if record.get_or_null("window_weights", list) is None else record.exacts("window_weights")
    interrupted = any(layer.stopped_by == "interrupt" for layer in layers)
    return Solution(plan, layers, objective, record.seconds("runtime"), weights, interrupted)


def write_solution(solution: Solution, path: str | os.PathLike[str]) -> None:
    """Write plan, bounds, proofs and trace; a `FileFormatError` if the file cannot be written."""
    solution.save(path)


def _known(record: Record, *formats: str) -> Record:
    """`record` itself, if it has one of `formats` and the known version."""
    found = record.choice("format", formats)
    version = record.get("version", int)
    if version != VERSION:
        raise FileFormatError(f"{record.name} is version {version} of {found}; known versions: {VERSION}")
    return record


def _plan_record(content: Content) -> Record:
    """The plan of a plan file, or of a solution file."""
    record = _known(Record(content.name, content.value), PLAN, SOLUTION)
    return _known(record.record("plan"), PLAN) if record.values["format"] == SOLUTION else record


def _plan(record: Record, deployment: DeploymentFor | None) -> Plan:
    name = record.name
    mapping = parse_mapping(record.get("physical_to_logical", list), name)
    labels = _labels(record)
    written = _deployment(record.record("deployment"))
    num_experts = record.get("num_experts", int)
    if "transfers" in record.values:
        parse_transfers(record, make_plan(mapping, written, num_experts, name, **labels))
    return make_plan(mapping, deployment or written, num_experts, name, **labels)


def _labels(record: Record) -> dict[str, Any]:
    num_model_layers, layer_ids = record.get("num_model_layers", int), tuple(record.get("layer_ids", list))
    if not layer_ids or num_model_layers < 1:
        raise FileFormatError(f"{record.name} has {len(layer_ids)} layer ids and num_model_layers={num_model_layers}")
    moe_layer_ids = record.get_or_null("moe_layer_ids", list)
    return {
        "layer_ids": layer_ids,
        "num_model_layers": num_model_layers,
        "numbering": record.choice("numbering", get_args(Numbering)),
        "moe_layer_ids": None if moe_layer_ids is None else tuple(moe_layer_ids),
    }


def _deployment(record: Record) -> Deployment:
    counts = {key: record.get(key, int) for key in ("num_gpus", "num_slots", "num_nodes", "num_groups")}
    policy: Policy = record.choice("policy", get_args(Policy))
    # Files of versions up to 0.2 say nothing about it.
    dispatch: Dispatch = record.choice("dispatch", get_args(Dispatch)) if "dispatch" in record.values else "even"
    with naming(record.name):
        return Deployment(
            **counts,
            policy=policy,
            distinct=record.get("distinct", bool),
            dispatch=dispatch,
            # Only files of GPUs that differ have these.
            gpu_slots=record.values.get("gpu_slots"),
            gpu_speeds=record.values.get("gpu_speeds"),
        )


def _layer(record: Record) -> LayerSolution:
    objective = record.exact("objective")
    proof = _proof(record.record("proof"))
    if proof.bound > objective:
        bound, value = float(proof.bound), float(objective)
        raise FileFormatError(f"{record.name}: the bound {bound:g} is above the objective {value:g}")
    work = record.record("work")
    stopped_by: StoppedBy | None = record.choice("stopped_by", (None, *get_args(StoppedBy)))
    layer = LayerSolution(
        layer_id=record.get("layer_id", int),
        objective=objective,
        max_load=record.exact("max_load"),
        mean_load=record.exact("mean_load"),
        proof=proof,
        stopped_by=stopped_by,
        trace=tuple(_trace_point(point) for point in record.records("trace")),
        work={step: work.seconds(step) for step in work.values},
        limit=_limit(record.record("limit")) if "limit" in record.values else None,
    )
    for key, value in computed_values(layer).items():
        if key in record.values and record.values[key] != value:
            found = reprlib.repr(record.values[key])
            raise FileFormatError(f"{record.name}: {key!r} is {found}, which follows from other values to be {value}")
    return layer


def _limit(record: Record) -> MoveLimit:
    before = record.get("before", list)
    if not all(type(expert) is int and expert >= -1 for expert in before):
        raise FileFormatError(f"{record.name}: 'before' is no list of experts, with -1 for an empty slot")
    return MoveLimit(tuple(before), record.get("moves", int))


def _proof(record: Record) -> Proof:
    evidence = record.get_or_null("evidence", dict)
    argument, by = record.get("argument", str), record.get("by", str) if "by" in record.values else None
    if by is None:
        argument, by = _argument_of_0_2(argument)
    proof = Proof(argument, record.exact("bound"), record.get("checked", bool), by)
    proof = proof if evidence == proof.certified else replace(proof, evidence=evidence)
    # Without a certificate it is the file's word alone.
    return replace(proof, checked=proof.checked and proof.certified is not None)


def _argument_of_0_2(sentence: str) -> tuple[str, str]:
    """Argument and `by` of a proof in files of version 0.2, which wrote both in a sentence."""
    argument, _, by = sentence.partition(" by ")
    # Whoever left a node open, it named CP-SAT.
    return argument, "cpsat or search" if argument == "partition" and by else by


def _trace_point(record: Record) -> TracePoint:
    return TracePoint(
        seconds=record.seconds("seconds"),
        objective=record.exact("objective"),
        lower_bound=record.exact("lower_bound"),
        source=record.get("source", str),
    )
