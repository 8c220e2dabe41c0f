"""Engines: where plans come from and go to, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from eplb_opt.arguments import one_of
from eplb_opt.arrays import increasing_ids
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.io import native, sglang
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.files import require_writable
from eplb_opt.io.mappings import DeploymentFor, Given
from eplb_opt.plan import Plan, describe_ids
from eplb_opt.verify import require_valid


@dataclass(frozen=True)
class Engine:
    """How plans of an engine are read and written.

    Attributes
    ----------
    holds
        Whether a file is a plan of this engine; at most one engine says yes.
    parse
        Plan of a file, not yet verified; what was given completes it or contradicts it.
    write
        Write a valid plan, whole or not at all.
    require_name
        Refuse a file name that the engine does not take.
    """

    holds: Callable[[Content], bool]
    parse: Callable[[Content, Given], Plan]
    write: Callable[[Plan, str | os.PathLike[str]], None]
    require_name: Callable[[str | os.PathLike[str]], None]


ENGINES = {
    "native": Engine(native.holds_plan, native.parse_plan, native.write_plan, require_name=lambda path: None),
    "sglang": Engine(sglang.holds_plan, sglang.parse_plan, sglang.write_plan, sglang.require_name),
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
        ``"native"`` (plans and solutions of eplb_opt), ``"sglang"``, or ``"auto"``: recognised by content.
    deployment
        Where the slots are, or a function from the file's number of slots to that. Replaces the one in a native
        file. An engine's file has none: without it there is one GPU and ``distinct=False``, so only the rules that
        need no topology are checked.
    num_experts
        Logical experts of a layer; default: what the file says, else the largest id + 1.
    layer_ids
        Decoder layers to keep; default: all that the file has, for SGLang every decoder layer.
    num_model_layers
        Decoder layers of the model; a file for another number is refused.

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
    found = ENGINES[engine if engine != "auto" else _engine_of(content)]
    return require_valid(found.parse(content, given or Given()), content.name)


def engine_of_file(path: str | os.PathLike[str], engine: str = "auto") -> str:
    """Name of the engine that a file's plan is for; `engine` itself unless that is ``"auto"``."""
    return engine if engine != "auto" else _engine_of(read_content(path))


def write_plan(
    plan: Plan, path: str | os.PathLike[str], engine: str = "sglang", layer_ids: Iterable[int] | None = None
) -> None:
    """Write a plan as the file that an engine takes.

    Parameters
    ----------
    engine
        ``"sglang"``: for ``--init-expert-location``. ``"native"``: with the deployment, for `read_plan`.
    layer_ids
        Decoder layer of each row, where the plan counts its rows from 0; another numbering than the plan's own, if it
        has one, is refused.

    Raises
    ------
    InvalidPlanError
        A plan that breaks a rule: no engine could run it.
    InvalidArgumentError
        An unknown engine, or layer ids that are not as many as the rows and increasing.
    FileFormatError
        A name that the engine does not take, or a file that cannot be written.
    """
    one_of("engine", engine, ENGINES)
    if layer_ids is not None:
        plan = _relabelled(plan, tuple(layer_ids))
    ENGINES[engine].write(require_valid(plan), path)


def require_target(path: str | os.PathLike[str], engine: str) -> None:
    """Raise what `write_plan` would for this file and engine, before there is a plan."""
    one_of("engine", engine, ENGINES)
    ENGINES[engine].require_name(path)
    require_writable(path)


def _engine_of(content: Content) -> str:
    for name, engine in ENGINES.items():
        if engine.holds(content):
            return name
    raise FileFormatError(f"{content.name} is {content}, not a plan of a known engine; engines: {', '.join(ENGINES)}")


def _relabelled(plan: Plan, layer_ids: tuple[int, ...]) -> Plan:
    if not layer_ids:
        raise InvalidArgumentError(f"0 layer ids for {plan.num_layers} layers")
    ids = increasing_ids(layer_ids, plan.num_layers, InvalidArgumentError)
    if plan.num_model_layers == plan.layer_ids[-1] + 1 == plan.num_layers:
        # Rows counted from 0 say nothing of a model: only now it is known which of its layers they are.
        return replace(plan, layer_ids=ids, num_model_layers=ids[-1] + 1)
    if ids != plan.layer_ids:
        raise InvalidArgumentError(
            f"the plan is for {describe_ids(plan.layer_ids)} of {plan.num_model_layers}, not for {describe_ids(ids)}"
        )
    return plan
