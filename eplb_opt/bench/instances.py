"""The instances of a library: their files, and the best plan and bound that is known of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certify import Certified, certify
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError
from eplb_opt.files import make_folder, parse_json, read_text, write_whole
from eplb_opt.formulations.assignment import num_variables
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.io.native import read_solution
from eplb_opt.loads import Loads
from eplb_opt.solution import Solution
from eplb_opt.verify import max_loads

FORMAT, VERSION = "eplb_opt.instance", 2

# Larger programs make larger files than anybody reads.
_MOST_VARIABLES = 400


@dataclass(frozen=True, eq=False)
class NamedInstance:
    """An instance of the library.

    Attributes
    ----------
    name
        Stem of its files.
    loads
        Of one layer, shape ``(windows, experts)``.
    deployment, objective
        As in `eplb_opt.solve`.
    optimum
        Smallest objective, as two independent provers found it; ``None`` while it is open.
    proven_by
        Who proved the optimum, or the best bound, each by himself: ``"certificate"`` (checked by
        `eplb_opt.certificates`), those on whose words it rests (see `eplb_opt.proof.Proof.by`), or solvers of the
        whole model.
    source
        Where the loads come from.
    """

    name: str
    loads: NDArray[np.generic]
    deployment: Deployment
    objective: str
    optimum: Fraction | None
    proven_by: tuple[str, ...]
    source: str

    @property
    def instance(self) -> Instance:
        """Exact loads and rules."""
        return Instance.from_loads(self.loads, self.deployment)

    @property
    def has_program(self) -> bool:
        """Whether the whole model is written as a file: of one window, and small."""
        return self.objective == "total" and self.num_variables <= _MOST_VARIABLES

    @property
    def num_variables(self) -> int:
        """Of the whole model as one program."""
        return num_variables(self.instance, greedy_value(self.instance))


def read_instance(path: Path) -> NamedInstance:
    """A named instance from its JSON file.

    Raises
    ------
    FileFormatError
        The file cannot be read, or is no instance of this version.
    """
    content = parse_json(read_text(path), str(path))
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise FileFormatError(f"{path} is no {FORMAT} file of version {VERSION}")
    try:
        optimum = content["optimum"]
        named = NamedInstance(
            name=path.stem,
            loads=Loads(np.atleast_2d(np.array(content["loads"]))[:, np.newaxis]).values[:, 0],
            deployment=Deployment(**content["deployment"]),
            objective=content["objective"],
            optimum=None if optimum is None else Fraction(optimum),
            proven_by=tuple(content["proven_by"]),
            source=content["source"],
        )
        named.instance  # noqa: B018 - a deployment without room is refused here, with the file's name
        return named
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: {error}") from error


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
        "loads": named.loads.tolist(),
    }
    make_folder(folder / "instances")
    write_whole(folder / "instances" / f"{named.name}.json", json.dumps(content) + "\n")


def solution_path(named: NamedInstance, folder: Path) -> Path:
    """Where a library keeps the best that is known of an instance."""
    return folder / "solutions" / f"{named.name}.json"


def best_known(named: NamedInstance, folder: Path) -> Solution | None:
    """The best plan and bound that a library has of an instance, with what proves the bound.

    Raises
    ------
    FileFormatError
        A file that is no solution of this instance.
    """
    path = solution_path(named, folder)
    if not path.exists():
        return None
    solution = read_solution(path)
    known = solution.plan.deployment, solution.objective, len(solution.layers), solution.plan.num_experts
    if known != (named.deployment, named.objective, 1, named.loads.shape[1]):
        raise FileFormatError(f"{path} is no solution of {named.name}")
    return solution


def checked(named: NamedInstance, solution: Solution) -> Certified:
    """Plan, value and bound of a solution of an instance, looked at again without a solver."""
    (certified,) = certify(solution, named.loads[:, np.newaxis])
    return certified


def greedy_value(instance: Instance) -> Fraction:
    """Max load of the greedy plan."""
    return max_loads(greedy(instance).tolist(), instance)[0]


def read_library(folder: Path) -> list[NamedInstance]:
    """All instances of a library, by name.

    Raises
    ------
    FileFormatError
        A folder without instances, or a file that is none.
    """
    paths = sorted((folder / "instances").glob("*.json"))
    if not paths:
        raise FileFormatError(f"{folder} has no instances/*.json")
    return [read_instance(path) for path in paths]
