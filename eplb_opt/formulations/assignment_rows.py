"""Rows of the whole model, a function for each kind, named as in `eplb_opt.formulations.assignment`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from eplb_opt.formulations.terms import Row, sum_of

if TYPE_CHECKING:
    from eplb_opt.formulations.assignment import Assignment


def rows_of(program: Assignment) -> Iterator[Row]:
    """All rows of a program but that of a mean over windows."""
    for rows in (one_count, place, slots, load, one_node, share, home):
        yield from rows(program)


def one_count(program: Assignment) -> Iterator[Row]:
    """Each expert has one replica count."""
    for e, counts in enumerate(program.ranges):
        yield f"one_count_{e}", sum_of((program.y[e, r], 1) for r in counts) == 1


def place(program: Assignment) -> Iterator[Row]:
    """An expert with r replicas has r places, one without that count has none."""
    gpus = range(program.instance.deployment.num_gpus)
    for (e, r), y in program.y.items():
        yield f"place_{e}_{r}", sum_of([*((program.x[e, r, g], 1) for g in gpus), (y, -r)]) == 0


def slots(program: Assignment) -> Iterator[Row]:
    """Each slot of a GPU is filled."""
    for g, size in enumerate(program.instance.deployment.gpus.slots):
        yield f"slots_{g}", sum_of((program.x[e, r, g], 1) for e, r in program.y) == size


def load(program: Assignment) -> Iterator[Row]:
    """No GPU is hotter than T in any window."""
    for k, (top, loads) in enumerate(zip(program.tops, program.loads, strict=True)):
        for g, slow in enumerate(program.slowness):
            terms = [(program.x[e, r, g], slow * loads[e, r]) for e, r in program.y]
            name = f"load_{g}" if len(program.loads) == 1 else f"load_{k}_{g}"
            yield name, sum_of([*terms, (top, -1)]) <= 0


def one_node(program: Any) -> Iterator[Row]:
    """Hierarchical: each group has one node."""
    for c in sorted({c for c, _ in program.z}):
        yield f"one_node_{c}", sum_of((z, 1) for (group, _), z in program.z.items() if group == c) == 1


def share(program: Any) -> Iterator[Row]:
    """Hierarchical: each node takes its share of groups."""
    for n in sorted({n for _, n in program.z}):
        row = sum_of((z, 1) for (_, node), z in program.z.items() if node == n)
        yield f"share_{n}", row == program.instance.deployment.groups_per_node


def home(program: Assignment) -> Iterator[Row]:
    """Hierarchical: replicas stay on the node of their group."""
    if not program.z:
        return
    size, gpus_per_node = program.instance.experts_per_group, program.instance.deployment.gpus_per_node
    for (e, r, g), x in program.x.items():
        z = program.z[e // size, g // gpus_per_node]
        yield f"home_{e}_{r}_{g}", sum_of([(x, 1), (z, -int(x.upBound))]) <= 0
