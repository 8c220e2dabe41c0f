"""Engines: where plans come from and go to, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from eplb_opt.arguments import one_of
from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidPlanError
from eplb_opt.io import ascend, deepseek, native, sglang, trtllm, vllm
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.files import require_writable, write_whole
from eplb_opt.io.load_files import FORMATS
from eplb_opt.io.mappings import DeploymentFor, Given, numbered
from eplb_opt.io.recognition import plan_engine
from eplb_opt.layers import Layers, Numbering, describe_ids, increasing_ids
from eplb_opt.plan import Plan
from eplb_opt.verify import require_valid, verify


@dataclass(frozen=True)
class Engine:
    """How plans of an engine are read and written.

    Attributes
    ----------
    title
        What people call it.
    suffixes
        Names of its files end in one of these, where the engine tells kinds of files by their names.
    numbering
        How its files count layers; ``None``: as the plan does.
    knows_gpus
        Whether the file says how many GPUs there are.
    holds
        Whether a file is a plan of this engine; at most one engine says yes.
    parse
        Plan of a file, not yet verified; what was given completes it or contradicts it.
    format
        Content of the file of this name for a valid plan.
    demands
        What the engine asks of a plan beyond the rules of placement, a sentence for each violation.
    start_command
        How the engine is started with the file of this name.
    """

    title: str
    suffixes: tuple[str, ...]
    numbering: Numbering | None
    knows_gpus: bool
    holds: Callable[[Content], bool]
    parse: Callable[[Content, Given], Plan]
    format: Callable[[Plan, str], bytes | str]
    demands: Callable[[Plan], Iterator[str]]
    start_command: Callable[[str, Plan], str]

    @classmethod
    def of(
        cls,
        module: Any,
        title: str,
        suffixes: tuple[str, ...] = (),
        numbering: Numbering | None = None,
        knows_gpus: bool = False,
    ) -> Engine:
        """The engine that a module of adapters describes."""
        return cls(
            title,
            suffixes,
            numbering,
            knows_gpus,
            module.holds_plan,
            module.parse_plan,
            module.format_plan,
            module.demands,
            module.start_command,
        )

    def require_name(self, path: str | os.PathLike[str]) -> None:
        """Refuse a file name by which the engine would not know the file: a `FileFormatError`."""
        if self.suffixes and not str(path).endswith(self.suffixes):
            raise FileFormatError(
                f"{path} does not end in {' or '.join(self.suffixes)}, by which {self.title} knows the file"
            )


ENGINES = {
    "native": Engine.of(native, "eplb_opt", knows_gpus=True),
    "sglang": Engine.of(sglang, "SGLang", (".json", ".pt"), "decoder"),
    "vllm": Engine.of(vllm, "vLLM", numbering="moe"),
    "trtllm": Engine.of(trtllm, "TensorRT-LLM", (".yaml", ".yml"), "decoder"),
    "ascend": Engine.of(ascend, "vLLM-Ascend", (".json",), "moe", knows_gpus=True),
    "deepseek": Engine.of(deepseek, "DeepSeek's EPLB", (".pt", ".npz")),
}


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


def engine_of_file(path: str | os.PathLike[str], engine: str = "auto") -> str:
    """Name of the engine that a file's plan is for; `engine` itself unless that is ``"auto"``."""
    return engine if engine != "auto" else engine_of(read_content(path))


def write_plan(
    plan: Plan, path: str | os.PathLike[str], engine: str = "sglang", layer_ids: Iterable[int] | None = None
) -> None:
    """Write a plan as the file that an engine takes.

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

    Raises
    ------
    InvalidPlanError
        A plan that breaks a rule, or a demand of the engine; or one that counts MoE layers where the engine counts
        decoder layers and no layer ids say which these are.
    InvalidArgumentError
        An unknown engine, or layer ids that are not as many as the rows and increasing.
    FileFormatError
        A name that the engine does not take, or a file that cannot be written.
    """
    ENGINES[one_of("engine", engine, ENGINES)].require_name(path)
    if layer_ids is not None:
        plan = relabelled(plan, tuple(layer_ids))
    violations = violations_for(require_valid(plan), engine)
    if violations:
        raise InvalidPlanError(f"{ENGINES[engine].title} cannot take the plan: {violations[0]}", violations)
    write_whole(path, ENGINES[engine].format(plan, str(path)))


def violations_for(plan: Plan, engine: str) -> tuple[str, ...]:
    """What `verify` finds, and what the engine asks of a plan beyond that, in words."""
    return (*verify(plan), *ENGINES[engine].demands(plan))


def start_command(engine: str, path: str, plan: Plan) -> str:
    """The command, or the line of code, by which an engine takes the file of a plan."""
    one_of("engine", engine, ENGINES)
    return ENGINES[engine].start_command(path, plan)


def require_target(path: str | os.PathLike[str], engine: str, labels: Layers | None = None) -> None:
    """Raise what `write_plan` would for this file, engine and rows of layers, before there is a plan."""
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
