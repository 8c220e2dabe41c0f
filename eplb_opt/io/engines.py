"""Engines: plans read from and written to the files of engines, which `ENGINES` has by name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from eplb_opt.arguments import natural_int, one_of
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.files import require_writable, write_whole
from eplb_opt.full_table import numbered
from eplb_opt.io import native
from eplb_opt.io.content import Content, parse_content, read_content
from eplb_opt.io.load_files import FORMATS
from eplb_opt.io.mappings import DeploymentFor, Given
from eplb_opt.io.recognition import ENGINES, plan_engine
from eplb_opt.io.start import StartLine
from eplb_opt.layers import Layers, describe_ids, increasing_ids
from eplb_opt.plan import Plan
from eplb_opt.transfers import Transfers
from eplb_opt.verify import require_valid, verify


def read_plan(
    path: str | os.PathLike[str],
    engine: str = "auto",
    deployment: DeploymentFor | None = None,
    num_experts: int | None = None,
    layer_ids: Iterable[int] | None = None,
    num_model_layers: int | None = None,
) -> Plan:
    """The plan in a file, verified.

    Parameters
    ----------
    engine
        ``"native"`` (plans and solutions of eplb_opt), ``"sglang"``, ``"vllm"``, ``"trtllm"``, ``"ascend"``,
        ``"deepseek"``, or ``"auto"``: recognised by content.
    deployment
        Where the slots are, or a function from the file's number of slots to that. Replaces the one in a native
        file. An engine's file has none (vLLM-Ascend's has its devices): without it there is one GPU and
        ``distinct=False``, so only the rules that need no topology are checked.
    num_experts
        Logical experts of a layer; default: what the file says, else the largest id + 1.
    layer_ids
        Decoder layers to keep; default: all that the file has, for SGLang every decoder layer. Where a file counts
        MoE layers from 0, the decoder layers that its rows are.
    num_model_layers
        Decoder layers of the model; a file for another number is refused, and rows of TensorRT-LLM behind them, of
        draft layers, are left out.

    Raises
    ------
    FileFormatError
        A file that cannot be read, is damaged or of no known engine.
    InvalidPlanError
        A plan that breaks a rule (see its `violations`), or contradicts an argument.
    InvalidArgumentError
        An unknown engine, or a number that is not positive.
    """
    one_of("engine", engine, ("auto", *ENGINES))
    layers = None if layer_ids is None else tuple(layer_ids)
    given = Given(deployment, num_experts, layers, num_model_layers)
    return parse_plan(read_content(path), engine, given)


def parse_plan(content: Content, engine: str = "auto", given: Given | None = None) -> Plan:
    """The plan in the content of a file, verified; errors are those of `read_plan`."""
    found = ENGINES[engine if engine != "auto" else engine_of(content)]
    return require_valid(found.parse(content, given or Given()), content.name)


def write_plan(
    plan: Plan,
    path: str | os.PathLike[str],
    engine: str = "sglang",
    layer_ids: Iterable[int] | None = None,
    draft_layers: int = 0,
    transfers: Transfers | None = None,
) -> None:
    """Write a plan as the file that an engine takes; what is written was read back as `read_plan` reads it.

    Layers of the model with experts that the plan leaves out get their experts in order.

    Parameters
    ----------
    engine
        ``"sglang"``: for ``--init-expert-location``, .json or .pt, a row per decoder layer. ``"vllm"``: for
        ``initial_mapping_path``, a JSON line, MoE layers from 0. ``"trtllm"``: for ``load_balancer``, .yaml, by
        decoder layer. ``"ascend"``: for ``expert_map_path``, .json, MoE layers from 0. ``"deepseek"``: the three
        tensors, .pt or .npz. ``"native"``: with the deployment, for `read_plan`.
    layer_ids
        Decoder layer of each row, where the plan counts its rows from 0; another numbering than the plan's own, if it
        has one, is refused.
    draft_layers
        Layers behind the last one of the model (MTP, NextN) that get its row; only TensorRT-LLM takes them.
    transfers
        What leads to the plan, see `eplb_opt.transfers`; only native files have a place for it.

    Raises
    ------
    InvalidPlanError
        A plan that breaks a rule, or a demand of the engine; or one that counts MoE layers where the engine counts
        decoder layers and no layer ids say which these are.
    InvalidArgumentError
        An unknown engine, layer ids that are not as many as the rows and increasing, or draft layers or transfers for
        an engine that has no place for them.
    FileFormatError
        A name that the engine does not take, transfers that do not lead to the plan, or a file that cannot be written.
    """
    target = ENGINES[one_of("engine", engine, ENGINES)]
    target.require_name(path)
    target.require_draft_layers(natural_int("draft_layers", draft_layers))
    if layer_ids is not None:
        plan = relabelled(plan, tuple(layer_ids))
    violations = violations_for(require_valid(plan), engine)
    if violations:
        raise InvalidPlanError(f"{target.title} cannot take the plan: {violations[0]}", violations)
    if transfers is None:
        data = target.format(plan.with_draft_layers(draft_layers) if draft_layers else plan, str(path))
    elif engine == "native":
        data = native.format_plan(plan, str(path), transfers)
    else:
        raise InvalidArgumentError(f"{target.title} has no place for transfers in a plan's file: engine='native' has")
    _require_same(plan, data.encode() if isinstance(data, str) else data, str(path), engine)
    write_whole(path, data)


def _require_same(plan: Plan, data: bytes, name: str, engine: str) -> None:
    """Refuse what the engine's reader does not read as the plan: an `InvalidPlanError`."""
    labels = plan.labels
    ids = labels.moe_layer_ids if ENGINES[engine].numbering == "moe" else labels.ids
    told = Given(plan.deployment, plan.num_experts)
    if labels.numbering == "decoder":
        told = replace(told, layer_ids=ids, num_model_layers=labels.num_model_layers)
    found = parse_plan(parse_content(data, name), engine, told).select(plan.layer_ids)
    if violations_for(found, engine) or not np.array_equal(found.physical_to_logical, plan.physical_to_logical):
        raise InvalidPlanError(f"{name} is not written: read back it is another plan")


def violations_for(plan: Plan, engine: str) -> tuple[str, ...]:
    """What `verify` finds, and what the engine asks of a plan beyond that, in words."""
    refused = tuple(ENGINES[engine].refused_slots(plan.deployment))
    # Where GPUs differ in slots nothing else that an engine asks for makes sense.
    return (*verify(plan), *(refused or ENGINES[engine].demands(plan)))


def start_line(engine: str, path: str, plan: Plan) -> StartLine:
    """What makes an engine take the file of a plan."""
    return ENGINES[one_of("engine", engine, ENGINES)].start_line(path, plan)


def require_target(
    path: str | os.PathLike[str], engine: str, labels: Layers | None = None, deployment: Deployment | None = None
) -> None:
    """Raise what `write_plan` would for this file, engine, rows of layers and GPUs, before there is a plan."""
    if deployment is not None:
        for refused in ENGINES[one_of("engine", engine, ENGINES)].refused_slots(deployment):
            raise InvalidDeploymentError(f"{refused}: --engine native keeps such a plan")
    ENGINES[one_of("engine", engine, ENGINES)].require_name(path)
    numbering = ENGINES[engine].numbering
    if labels is not None and numbering is not None:
        numbered(labels, numbering)
    require_writable(path)


def relabelled(plan: Plan, layer_ids: tuple[int, ...], num_model_layers: int = 0) -> Plan:
    """The plan with decoder layers as its layer ids, where it counted its rows from 0; or with those of its layers
    that have experts, where it did not say which.

    Raises
    ------
    InvalidArgumentError
        Layer ids that are not as many as the rows and increasing, or contradict those that the plan has.
    """
    if not layer_ids:
        raise InvalidArgumentError(f"0 layer ids for {plan.num_layers} layers")
    if plan.moe_layer_ids is None and len(layer_ids) < plan.num_layers:
        return replace(plan.select(layer_ids), moe_layer_ids=())
    ids = increasing_ids(layer_ids, plan.num_layers, InvalidArgumentError)
    if plan.num_model_layers == plan.layer_ids[-1] + 1 == plan.num_layers:
        # Rows counted from 0 say nothing of a model: only now it is known which of its layers they are.
        layers = num_model_layers or ids[-1] + 1
        return replace(plan, layer_ids=ids, num_model_layers=layers, numbering="decoder", moe_layer_ids=())
    if ids != plan.layer_ids:
        raise InvalidArgumentError(
            f"the plan is for {plan.labels} of {plan.num_model_layers}, not for layers {describe_ids(ids)}"
        )
    return plan


def engine_of(content: Content) -> str:
    """Name of the engine that a file's plan is for; a `FileFormatError` if it is none that is known."""
    if (name := plan_engine(content)) is not None:
        return name
    for known in FORMATS:
        if content.kind in known.kinds and known.holds(content):
            raise FileFormatError(
                f"{content.name} is {content} and no plan of a known engine: it reads as loads ({known.what}), of "
                "which solve makes a plan"
            )
    raise FileFormatError(f"{content.name} is {content}, not a plan of a known engine; engines: {', '.join(ENGINES)}")
