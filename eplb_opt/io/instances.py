"""Instances: named ones as versioned JSON, alone as loads, or a folder of them with what is known of each."""

from __future__ import annotations

import json
import os
import reprlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError
from eplb_opt.files import make_folder, write_whole
from eplb_opt.io.content import Content, read_content
from eplb_opt.io.native import read_solution
from eplb_opt.io.recording import Recording
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance
from eplb_opt.solution import Solution

FORMAT, VERSION = "eplb_opt.instance", 2
_INSTANCES, _SOLUTIONS = "instances", "solutions"


def holds_instance(content: Content) -> bool:
    """Whether this is an instance, of whatever version."""
    return content.kind == "json" and content.has_key("format") and content.value["format"] == FORMAT


def parse_loads(content: Content) -> Recording:
    """The loads of an instance: its windows, which are not summed unless that is asked for, of one layer.

    Raises
    ------
    FileFormatError
        What is no instance of this version.
    """
    named = parse_instance(content.value, content.name)
    return Recording(content.name, (replace(named.loads, source=content.name),), windowed=True)


def parse_instance(content: Any, path: str) -> NamedInstance:
    """A named instance from the JSON of its file, of which the name is the stem; without what is known of it.

    Raises
    ------
    FileFormatError
        What is no instance of this version.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f"{path} is no {FORMAT} file")
    if (version := content.get("version")) != VERSION:
        raise FileFormatError(f"{path} is version {reprlib.repr(version)} of {FORMAT}; known versions: {VERSION}")
    try:
        optimum, deployment = content["optimum"], Deployment(**content["deployment"])
        named = NamedInstance(
            name=PurePath(path.removesuffix(".gz")).stem,
            loads=Loads(np.atleast_2d(np.array(content["loads"]))[:, np.newaxis], source=content["source"]),
            deployment=deployment,
            objective=content["objective"],
            optimum=None if optimum is None else Fraction(optimum),
            proven_by=tuple(content["proven_by"]),
            source=content["source"],
        )
        named.instance  # noqa: B018 - a deployment without room is refused here, with the file's name
        return named
    except KeyError as error:
        raise FileFormatError(f"{path}: {error} is missing") from None
    except (TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: {error}") from error


def read_instance(path: str | os.PathLike[str]) -> NamedInstance:
    """A named instance from its JSON file, or that packed by gzip, with the best that is known if it is in a library.

    Raises
    ------
    FileFormatError
        The file cannot be read, or is no instance of this version; or what is known is not about it.
    """
    named = parse_instance(read_content(path).value, str(path))
    folder = Path(path).parent
    return replace(named, best=_best(named, folder.parent)) if folder.name == _INSTANCES else named


def write_instance(named: NamedInstance, folder: Path) -> None:
    """Write ``instances/<name>.json`` of a library."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "source": named.source,
        "objective": named.objective,
        "deployment": named.deployment.facts,
        "optimum": None if named.optimum is None else str(named.optimum),
        "proven_by": list(named.proven_by),
        "loads": named.loads.values[:, 0].tolist(),
    }
    make_folder(folder / _INSTANCES)
    write_whole(folder / _INSTANCES / f"{named.name}.json", json.dumps(content) + "\n")


def solution_path(named: NamedInstance, folder: Path) -> Path:
    """Where a library keeps the best that is known of an instance."""
    return folder / _SOLUTIONS / f"{named.name}.json"


def library_folder(path: str | os.PathLike[str]) -> Path:
    """The folder of a library, of which people name the folder of its instances, too.

    Raises
    ------
    FileFormatError
        What is no path, or the path of a file.
    """
    try:
        folder = Path(path)
    except TypeError:
        raise FileFormatError(f"{path!r} is no path of a folder") from None
    if folder.is_file():
        raise FileFormatError(f"{path} is a file; a library is a folder with instances/*.json")
    if folder.name == _INSTANCES and not (folder / _INSTANCES).is_dir():
        return folder.parent
    return folder


def read_library(folder: str | os.PathLike[str]) -> list[NamedInstance]:
    """All instances of a library, by name, each with the best plan and bound that it has (`NamedInstance.best`).

    A library is a folder with ``instances/*.json`` and, for those that were solved, ``solutions/*.json`` of the same
    names; ``models`` of this project is one, and ``models/instances`` names the same. `eplb_opt.certify` checks what is
    stored.

    Raises
    ------
    FileFormatError
        A folder without instances, a file that is none, or a stored solution of something else.
    """
    paths = sorted((library_folder(folder) / _INSTANCES).glob("*.json"))
    if not paths:
        raise FileFormatError(f"{folder} has no instances/*.json")
    return [read_instance(path) for path in paths]


def _best(named: NamedInstance, folder: Path) -> Solution | None:
    """What a library has of an instance."""
    path = solution_path(named, folder)
    if not path.exists():
        return None
    solution = read_solution(path)
    known = solution.plan.deployment, solution.objective, len(solution.layers), solution.plan.num_experts
    if known != (named.deployment, named.objective, 1, named.loads.num_experts):
        raise FileFormatError(f"{path} is no solution of {named.name}")
    return solution
