"""The instance library in ``models/``: named instances, their programs as MPS files, and known optima.

``python -m eplb_opt.library models`` rebuilds the programs of every instance.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError
from eplb_opt.formulations.assignment import Assignment, assignment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.io.files import parse_json, read_text, write_whole
from eplb_opt.verify import max_loads

FORMAT, VERSION = "eplb_opt.instance", 1


@dataclass(frozen=True)
class NamedInstance:
    """An instance of the library.

    Attributes
    ----------
    name
        Stem of its files.
    instance
        One layer of one window.
    optimum
        Smallest max load, in tokens, as two independent provers found it; ``None`` while it is open.
    source
        Where the loads come from.
    """

    name: str
    instance: Instance
    optimum: Fraction | None
    source: str


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
        instance = Instance.from_loads(np.array(content["loads"]), Deployment(**content["deployment"]))
        optimum = content["optimum"]
        return NamedInstance(path.stem, instance, optimum and Fraction(optimum), content["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: {error}") from error


def program_of(named: NamedInstance) -> Assignment:
    """The instance's assignment program, over the plans that are at least as good as the greedy one."""
    instance = named.instance
    upper = max_loads(greedy(instance).tolist(), instance)[0]
    lower = max(proof.bound for proof in quick_bounds(instance))
    return assignment(instance, upper=upper, lower=lower)


def mps_of(program: Assignment) -> str:
    """The program as the text of an MPS file."""
    with tempfile.TemporaryDirectory(prefix="eplb_opt_") as folder:
        path = Path(folder) / "program.mps"
        program.problem.writeMPS(str(path))
        return path.read_text()


def rebuild(folder: Path) -> list[str]:
    """Write ``<name>.assignment.mps`` for every instance and ``optima.solu`` for the solved ones; the names."""
    lines, names = [], []
    for path in sorted((folder / "instances").glob("*.json")):
        named = read_instance(path)
        program = program_of(named)
        write_whole(folder / f"{named.name}.assignment.mps", mps_of(program))
        names.append(named.name)
        if named.optimum is not None:
            lines.append(f"=opt= {named.name}.assignment {named.optimum * program.factor}\n")
    write_whole(folder / "optima.solu", "".join(lines))
    return names


if __name__ == "__main__":
    json.dump(rebuild(Path(sys.argv[1])), sys.stdout)
