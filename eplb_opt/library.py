"""The instance library in ``models/``: what follows from its instances and solutions, and programs of the small ones.

``python -m eplb_opt.library models`` makes the instances that are missing, and rebuilds what follows from the others:
the programs as MPS files, ``optima.solu`` and the table ``instances.md``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eplb_opt.bench.instances import greedy_value, has_program
from eplb_opt.bench.recipes import recipes
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.exact import exact_text
from eplb_opt.files import write_whole
from eplb_opt.formulations.assignment import Assignment, assignment
from eplb_opt.io.instances import read_library, write_instance
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.named_instance import NamedInstance

_PAGE = """\
# Instances

`eplb-opt bench --library models` solves them again and keeps what is better; `python -m eplb_opt.library models` writes
this table. `solutions/` has the best plans, and the bounds with their certificates. Gap: (best - bound) / best.
`optimal`: two independent provers agree; `closed`: one has proven it.

| instance | experts x slots x GPUs | nodes, groups | windows | best | bound | gap | state | bound by | proven by |
| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- | --- |
"""


def program_of(named: NamedInstance) -> Assignment:
    """The instance's assignment program, over the plans that are at least as good as the greedy one."""
    instance = named.instance
    lower = max(proof.bound for proof in quick_bounds(instance))
    return assignment(instance, upper=greedy_value(instance), lower=lower)


def mps_of(program: Assignment) -> str:
    """The program as the text of an MPS file."""
    with tempfile.TemporaryDirectory(prefix="eplb_opt_") as folder:
        path = Path(folder) / "program.mps"
        program.problem.writeMPS(str(path))
        return path.read_text()


def rebuild(folder: Path) -> list[str]:
    """Write everything that follows from the instances and solutions of a library; the names of the instances."""
    library = read_library(folder)
    for named in library:
        if has_program(named):
            write_whole(folder / f"{named.name}.assignment.mps", mps_of(program_of(named)))
    write_whole(folder / "optima.solu", "".join(_solu(library)))
    write_whole(folder / "instances.md", table_of(library))
    return [named.name for named in library]


def _solu(library: list[NamedInstance]) -> Iterator[str]:
    """Lines of ``optima.solu``: programs in their own unit, the others in tokens or as imbalances."""
    for named in library:
        if has_program(named) and named.optimum is not None:
            yield f"=opt= {named.name}.assignment {named.optimum * program_of(named).factor}\n"
    for named in library:
        if named.optimum is not None:
            yield f"=opt= {named.name} {named.optimum}\n"
        elif named.best is not None:
            (layer,) = named.best.layers
            yield f"=best= {named.name} {exact_text(layer.objective)}\n"
            yield f"=bestdual= {named.name} {exact_text(layer.lower_bound)}\n"


def table_of(library: list[NamedInstance]) -> str:
    """The table of a library as a page."""
    page = _PAGE
    for named in library:
        page += _row(named, None if named.best is None else named.best.layers[0]) + "\n"
    return page


def state_of(named: NamedInstance, layer: LayerSolution) -> str:
    """What is known of an instance, in a word: ``optimal`` by two provers, ``closed`` by one, ``open``."""
    return "optimal" if named.optimum is not None else "closed" if layer.status == "optimal" else "open"


def _row(named: NamedInstance, layer: LayerSolution | None) -> str:
    deployment, windows, experts = named.deployment, named.loads.num_windows, named.loads.num_experts
    nodes = f"{deployment.binding_nodes}, {deployment.binding_groups}" if deployment.binding_nodes > 1 else ""
    size = f"{experts} x {deployment.num_slots} x {deployment.num_gpus}"
    about = [named.name, size, nodes, f"{windows}, {named.objective}" if windows > 1 else ""]
    if layer is None:
        return f"| {' | '.join([*about, '', '', '', 'unknown', '', ''])} |"
    best, bound = (f"{float(value):.10g}" for value in (layer.objective, layer.lower_bound))
    state, provers = state_of(named, layer), ", ".join(named.proven_by)
    known = [best, bound, f"{float(layer.gap):.1e}", state, layer.proof.named, provers]
    return f"| {' | '.join([*about, *known])} |"


def main() -> None:
    """Make what is missing and rebuild the rest."""
    folder = Path(sys.argv[1])
    for named in recipes():
        if not (folder / "instances" / f"{named.name}.json").exists():
            write_instance(named, folder)
    json.dump(rebuild(folder), sys.stdout)


if __name__ == "__main__":
    main()
