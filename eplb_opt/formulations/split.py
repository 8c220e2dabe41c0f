"""The whole model of one layer under the optimal split: which GPU holds which expert, and what flows there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eplb_opt.dispatch.flow import MaximumFlow
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.formulations.assignment_rows import one_node, share
from eplb_opt.formulations.scaling import FLOAT_SOLVER_ROW_SUM
from eplb_opt.formulations.terms import Row, integer, sum_of
from eplb_opt.instance import Instance, ScaledLoads

if TYPE_CHECKING:
    import pulp

# Large numbers slow solvers down, as in `eplb_opt.formulations.scaling`.
_LARGEST_LOAD = 2**20


@dataclass(frozen=True)
class SplitAssignment:
    """The program of one layer and how to read it.

    Attributes
    ----------
    problem
        The PuLP problem; its objective is ``T``, an integer number of scaled units.
    instance
        The layer.
    loads
        Scaled load of each expert, ``floor(w[e] * factor)``.
    factor, exact
        Scaled units per token, and whether every cut of every plan is a whole number of them.
    x, f, z, max_load
        The variables: ``x[e, g]``, ``f[e, g]``, ``z[c, n]`` (hierarchical only) and ``T``.
    """

    problem: pulp.LpProblem
    instance: Instance
    loads: tuple[int, ...]
    factor: Fraction
    exact: bool
    x: Mapping[tuple[int, int], pulp.LpVariable]
    f: Mapping[tuple[int, int], pulp.LpVariable]
    z: Mapping[tuple[int, int], pulp.LpVariable]
    max_load: pulp.LpVariable

    def bound(self, value: int) -> Fraction:
        """A lower bound on T, in scaled units, as one on the max load in tokens.

        Where cuts need not be whole, T is one rounded up: it is less than 1 above a cut, whose denominator is at most
        the number of GPUs that can share.
        """
        gpus = self.instance.deployment.gpus_per_node
        return (value if self.exact else value - 1 + Fraction(1, gpus)) / self.factor

    def values_of(self, slots: Sequence[int]) -> dict[str, int]:
        """The value of every variable, by name, for one valid row of a plan: a complete warm start.

        Raises
        ------
        InvalidArgumentError
            The row's max load is above the program's `upper`.
        """
        deployment = self.instance.deployment
        table = np.asarray(slots).reshape(deployment.num_gpus, -1)
        copies = np.array([np.bincount(row, minlength=self.instance.num_experts) for row in table])
        gpus_of = [np.flatnonzero(copies[:, e]).tolist() for e in range(self.instance.num_experts)]
        low, high = ceil(self.max_load.lowBound), floor(self.max_load.upBound)
        # The least T at which everything flows.
        if not self._flows(gpus_of, high):
            raise InvalidArgumentError("the row is no warm start: its max load is above the program's upper")
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._flows(gpus_of, middle) else (middle + 1, high)
        flows = self._flows(gpus_of, high)
        values = {variable.name: int(copies[g, e]) for (e, g), variable in self.x.items()}
        values |= {variable.name: flows[e].get(g, 0) for (e, g), variable in self.f.items()}
        for (c, n), variable in self.z.items():
            on_node = copies[n * deployment.gpus_per_node : (n + 1) * deployment.gpus_per_node]
            values[variable.name] = int(on_node[:, c * self.instance.experts_per_group].any())
        values[self.max_load.name] = high
        return values

    def _flows(self, gpus_of: Sequence[Sequence[int]], top: int) -> list[dict[int, int]]:
        """What flows from each expert to its GPUs with no GPU above `top`; empty where not everything does."""
        flow = MaximumFlow(self.loads, gpus_of, [top] * self.instance.deployment.num_gpus)
        return [] if any(flow.left) else flow.flows

    def slots_of(self, values: Mapping[str, float]) -> NDArray[np.int64]:
        """The row of slots that variable values stand for, GPU by GPU; values are rounded to integers."""
        gpus: list[list[int]] = [[] for _ in range(self.instance.deployment.num_gpus)]
        for (e, g), variable in self.x.items():
            gpus[g].extend([e] * round(values[variable.name]))
        return np.array([expert for gpu in gpus for expert in gpu], dtype=np.int64)


def num_split_variables(instance: Instance) -> int:
    """Variables ``x`` and ``f`` of `split_assignment` without building it."""
    return 2 * instance.num_experts * instance.deployment.num_gpus


def split_assignment(
    instance: Instance,
    *,
    upper: Fraction,
    lower: Fraction = Fraction(0),
    largest_row_sum: int = FLOAT_SOLVER_ROW_SUM,
) -> SplitAssignment:
    r"""Placement and flow: the whole model of one layer of one window under the optimal split.

    Data       w[e] load; S slots per GPU; a[e] = floor(factor w[e]); u = 1 if replicas are distinct, else S;
               b[e] = min(a[e], upper in scaled units, rounded up)
    Variables  x[e,g] replicas of expert e on GPU g, at most u;  f[e,g] of its load served there;  T = max load;
               hierarchical: z[c,n] = 1 if node n takes group c
    Minimise   T
    placed[e]       sum_g x[e,g] >= 1
    slots[g]        sum_e x[e,g] = S
    served[e]       sum_g f[e,g] = a[e]
    held[e,g]       f[e,g] <= b[e] x[e,g]
    load[g]         sum_e f[e,g] <= T
    one_node[c]     sum_n z[c,n] = 1
    share[n]        sum_c z[c,n] = C / N
    home[e,g]       x[e,g] <= u z[group of e, node of g]

    Flows and T are integers. For a placement, the flow is a transportation problem: with an integer T, loads flow in
    whole numbers if they flow at all. So the least T is the placement's max load in scaled units, a cut
    ``a(A) / |N(A)|``, rounded up. Every plan with max load at most `upper` (tokens) is a solution. Where `factor` times
    each w[e] is a multiple of all numbers of GPUs that can share, cuts are whole and the minimum is the optimum; else
    see `SplitAssignment.bound`. `lower`, a proven bound in tokens, becomes the lower end of T's domain.
    """
    import pulp

    deployment = instance.deployment
    scaled = _scaled_for_solvers(instance, largest_row_sum)
    loads = tuple(int(value) for value in scaled.values)
    top = ceil(upper * scaled.factor)
    experts, gpus = range(instance.num_experts), range(deployment.num_gpus)
    nodes = range(deployment.binding_nodes if deployment.hierarchical else 0)
    copies = 1 if deployment.distinct else deployment.slots_per_gpu
    round_lower = ceil if scaled.exact else floor
    program = SplitAssignment(
        problem=pulp.LpProblem("split", pulp.LpMinimize),
        instance=instance,
        loads=loads,
        factor=scaled.factor,
        exact=scaled.exact,
        x={(e, g): integer(pulp, "x", (e, g), copies) for e in experts for g in gpus},
        f={(e, g): integer(pulp, "f", (e, g), min(loads[e], top)) for e in experts for g in gpus},
        z={(c, n): integer(pulp, "z", (c, n), 1) for c in range(deployment.binding_groups) for n in nodes},
        max_load=pulp.LpVariable(
            "T", lowBound=min(round_lower(lower * scaled.factor), top), upBound=top, cat="Integer"
        ),
    )
    program.problem.setObjective(program.max_load + 0)
    for rows in (placed, slots, served, held, load, one_node, share, home):
        for name, row in rows(program):
            program.problem.addConstraint(row, name)
    return program


def placed(program: SplitAssignment) -> Iterator[Row]:
    """Each expert is somewhere."""
    gpus = range(program.instance.deployment.num_gpus)
    for e in range(program.instance.num_experts):
        yield f"placed_{e}", sum_of((program.x[e, g], 1) for g in gpus) >= 1


def slots(program: SplitAssignment) -> Iterator[Row]:
    """Each slot of a GPU is filled."""
    deployment = program.instance.deployment
    for g in range(deployment.num_gpus):
        row = sum_of((program.x[e, g], 1) for e in range(program.instance.num_experts))
        yield f"slots_{g}", row == deployment.slots_per_gpu


def served(program: SplitAssignment) -> Iterator[Row]:
    """All of an expert's load is served."""
    for e, amount in enumerate(program.loads):
        row = sum_of((program.f[e, g], 1) for g in range(program.instance.deployment.num_gpus))
        yield f"served_{e}", row == amount


def held(program: SplitAssignment) -> Iterator[Row]:
    """A GPU serves what it holds."""
    for (e, g), x in program.x.items():
        f = program.f[e, g]
        yield f"held_{e}_{g}", sum_of([(f, 1), (x, -int(f.upBound))]) <= 0


def load(program: SplitAssignment) -> Iterator[Row]:
    """No GPU is hotter than T."""
    for g in range(program.instance.deployment.num_gpus):
        terms = [(program.f[e, g], 1) for e in range(program.instance.num_experts)]
        yield f"load_{g}", sum_of([*terms, (program.max_load, -1)]) <= 0


def home(program: SplitAssignment) -> Iterator[Row]:
    """Hierarchical: replicas stay on the node of their group."""
    if not program.z:
        return
    size, gpus_per_node = program.instance.experts_per_group, program.instance.deployment.gpus_per_node
    for (e, g), x in program.x.items():
        yield f"home_{e}_{g}", sum_of([(x, 1), (program.z[e // size, g // gpus_per_node], -int(x.upBound))]) <= 0


def _scaled_for_solvers(instance: Instance, largest_row_sum: int) -> ScaledLoads:
    """Loads of which every cut is whole, where all of them together stay small enough for that, else rounded ones."""
    (weights,) = instance.weights
    heaviest = max(*weights, 1)
    largest = max(1, largest_row_sum * heaviest // max(sum(weights), 1))
    whole = instance.scaled(instance.deployment.gpus_per_node, largest)
    return whole if whole.exact else instance.scaled(instance.deployment.gpus_per_node, min(largest, _LARGEST_LOAD))
