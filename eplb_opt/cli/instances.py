"""Instances among the files of a command: what they say of deployment and objective, where options say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import typer

from eplb_opt.arguments import list_few
from eplb_opt.cli.options import Size
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.io.content import read_content
from eplb_opt.io.instances import holds_instance, parse_instance
from eplb_opt.named_instance import NamedInstance
from eplb_opt.report.words import plural

S = TypeVar("S", bound=Size)

# Options by the facts of a deployment that they stand for.
_FACTS = {
    "gpus": "num_gpus",
    "slots": "num_slots",
    "nodes": "num_nodes",
    "groups": "num_groups",
    "policy": "policy",
    "distinct": "distinct",
    "dispatch": "dispatch",
}


@dataclass(frozen=True)
class Instances:
    """The files of a command that are instances, and which options it was given, where that is asked."""

    named: tuple[NamedInstance, ...]
    context: typer.Context | None = None

    @classmethod
    def among(cls, paths: Sequence[Path], context: typer.Context | None = None) -> Instances:
        """The instances, where all files are such; else none, as recordings are for any deployment.

        Raises
        ------
        FileFormatError
            An instance that is damaged.
        """
        found: list[NamedInstance] = []
        for path in paths:
            try:
                content = read_content(path)
            except FileFormatError:
                # Reading it as a recording says what is wrong with it.
                return cls((), context)
            if not holds_instance(content):
                return cls((), context)
            found.append(parse_instance(content.value, content.name))
        return cls(tuple(found), context)

    def deployment(self, *, gpus_said: bool) -> Deployment | None:
        """The deployment of all instances; ``None`` without instances, or where they differ and GPUs are said.

        Raises
        ------
        InvalidArgumentError
            As of `complete`.
        """
        if not self.named:
            return None
        first = self.named[0]
        other = next((named for named in self.named if named.deployment != first.deployment), None)
        if other is not None:
            if gpus_said:
                return None
            raise InvalidArgumentError(
                f"{first.name} and {other.name} are for different deployments: say which with --gpus and --slots"
            )
        return first.deployment

    def complete(self, where: S) -> S:
        """Options of a deployment, with what they leave unsaid as the instances have it.

        Raises
        ------
        InvalidArgumentError
            Instances of different deployments, or with GPUs that differ, where the options do not say the GPUs.
        """
        deployment = None if self._said("gpu_file") else self.deployment(gpus_said=self._said("gpus"))
        if deployment is None:
            return where
        if deployment.listed and not self._said("gpus"):
            raise InvalidArgumentError(f"{self.named[0].name} has GPUs that differ: list them with --gpu-file")
        facts = deployment.facts
        names = {field.name for field in fields(where)}
        unsaid: dict[str, Any] = {
            option: facts[fact] for option, fact in _FACTS.items() if option in names and not self._said(option)
        }
        if self._said("redundant"):
            del unsaid["slots"]
        return replace(where, **unsaid)

    def objective(self, said: str) -> str:
        """The objective of the options, else that of the instances if they have the same."""
        kinds = {named.objective for named in self.named}
        return kinds.pop() if len(kinds) == 1 and not self._said("objective") else said

    def words(self, deployment: Deployment) -> list[str]:
        """What is planned for, where the instances have a part in it; no line where there are none."""
        names = list_few([named.name for named in self.named])
        facts = f"{plural(deployment.num_gpus, 'GPU')}, {plural(deployment.num_slots, 'slot')}"
        return [f"{facts}: as {names} says, but for what the options say"] if self.named else []

    def _said(self, option: str) -> bool:
        source = None if self.context is None else self.context.get_parameter_source(option)
        return source is not None and source.name != "DEFAULT"
