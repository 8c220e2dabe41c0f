"""The whole model of one layer as a mixed-integer program: count-indexed assignment, written once in PuLP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.quick import quick_bounds, replica_range
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.formulations.assignment_rows import rows_of
from eplb_opt.formulations.scaling import FLOAT_SOLVER_ROW_SUM, scaled_for_solvers, slowness_of
from eplb_opt.formulations.terms import integer, sum_of
from eplb_opt.instance import Instance, ScaledLoads

if TYPE_CHECKING:
    import pulp


@dataclass(frozen=True)
class Assignment:
    """The program of one layer and how to read it.

    Attributes
    ----------
    problem
        The PuLP problem; its objective is ``T``, or a weighted sum of these, an integer number of scaled units.
    instance
        The layer, whose windows are in one unit.
    weights
        What the max load of each window counts for; empty where the hottest window counts alone.
    ranges
        Replica counts that the program allows each expert.
    loads
        Scaled load of one replica in each window, ``floor(w[k][e] * factor / r)``, by ``(e, r)``.
    slowness
        Multiple of the loads on each GPU, ``floor(steps / speed)``; 1 where GPUs are alike.
    factor, exact
        Scaled units of ``T`` per token, and whether nothing was rounded: see `ScaledLoads`.
    y, x, z, tops
        The variables: ``y[e, r]``, ``x[e, r, g]``, ``z[c, n]`` (hierarchical only), and ``T`` of each window, which is
        the same one for all of them where the hottest counts alone.
    """

    problem: pulp.LpProblem
    instance: Instance
    weights: tuple[int, ...]
    ranges: tuple[range, ...]
    loads: tuple[Mapping[tuple[int, int], int], ...]
    slowness: tuple[int, ...]
    factor: Fraction
    exact: bool
    y: Mapping[tuple[int, int], pulp.LpVariable]
    x: Mapping[tuple[int, int, int], pulp.LpVariable]
    z: Mapping[tuple[int, int], pulp.LpVariable]
    tops: tuple[pulp.LpVariable, ...]

    def bound(self, value: int) -> Fraction:
        """A lower bound on the objective, in scaled units, as one in tokens, if some plan reaches `upper`.

        On the max load of the hottest window, or on the weighted mean of max loads.
        """
        return value / self.factor / (sum(self.weights) or 1)

    def values_of(self, slots: Sequence[int]) -> dict[str, int]:
        """The value of every variable, by name, for one valid row of a plan: a complete warm start.

        Raises
        ------
        InvalidArgumentError
            The row's max load, or that of a window, is above the program's `upper`.
        """
        deployment = self.instance.deployment
        table = [[slots[slot] for slot in deployment.gpus.span(g)] for g in range(deployment.num_gpus)]
        copies = np.array([np.bincount(row, minlength=self.instance.num_experts) for row in table])
        counts = copies.sum(axis=0).tolist()
        fits = all(count in allowed for count, allowed in zip(counts, self.ranges, strict=True))
        heats = self._heats(table, counts) if fits else {}
        if not fits or any(heat > top.upBound for top, heat in heats.items()):
            raise InvalidArgumentError("the row is no warm start: its max load is above the program's upper")
        values = {variable.name: int(counts[e] == r) for (e, r), variable in self.y.items()}
        values |= {v.name: int(copies[g, e]) if counts[e] == r else 0 for (e, r, g), v in self.x.items()}
        for (c, n), variable in self.z.items():
            on_node = copies[n * deployment.gpus_per_node : (n + 1) * deployment.gpus_per_node]
            values[variable.name] = int(on_node[:, c * self.instance.experts_per_group].any())
        values |= {top.name: max(heat, ceil(top.lowBound)) for top, heat in heats.items()}
        return values

    def _heats(self, gpus: Sequence[Sequence[int]], counts: Sequence[int]) -> dict[pulp.LpVariable, int]:
        """The least value of each T."""
        heats: dict[pulp.LpVariable, int] = {}
        for top, loads in zip(self.tops, self.loads, strict=True):
            waits = zip(gpus, self.slowness, strict=True)
            heat = max(slow * sum(loads[e, counts[e]] for e in row) for row, slow in waits)
            heats[top] = max(heat, heats.get(top, 0))
        return heats

    def slots_of(self, values: Mapping[str, float]) -> NDArray[np.int64]:
        """The row of slots that variable values stand for, GPU by GPU; values are rounded to integers."""
        gpus: list[list[int]] = [[] for _ in range(self.instance.deployment.num_gpus)]
        for (e, _, g), variable in self.x.items():
            gpus[g].extend([e] * round(values[variable.name]))
        return np.array([expert for gpu in gpus for expert in gpu], dtype=np.int64)


def num_variables(instance: Instance, upper: Fraction) -> int:
    """Variables ``y`` and ``x`` of `assignment` without building it: whether a solver can do anything with it."""
    least, most = replica_range(instance, upper)
    return int((most - least + 1).sum()) * (instance.deployment.num_gpus + 1)


def assignment(
    instance: Instance,
    *,
    upper: Fraction,
    lower: Fraction = Fraction(0),
    largest_row_sum: int = FLOAT_SOLVER_ROW_SUM,
    weights: Sequence[int] = (),
) -> Assignment:
    r"""Count-indexed assignment: the whole model of one layer.

    Data       w[k,e] load in window k; S slots per GPU (S[g] where GPUs differ); r in the replica range of e;
               a[k,e,r] = floor(factor w[k,e] / r);  u[r] = 1 if replicas are distinct, else min(r, S);
               h[g] = 1, where GPUs differ in speed floor(steps / speed);  with `weights` v[k] > 0 of the windows
    Variables  y[e,r] = 1 if expert e has r replicas;  x[e,r,g] of them on GPU g, at most u[r];  T = max load of the
               hottest window, or with weights T[k] of each;  hierarchical: z[c,n] = 1 if node n takes group c
    Minimise   T, or with weights sum_k v[k] T[k]
    one_count[e]    sum_r y[e,r] = 1
    place[e,r]      sum_g x[e,r,g] = r y[e,r]
    slots[g]        sum_{e,r} x[e,r,g] = S
    load[k,g]       sum_{e,r} h[g] a[k,e,r] x[e,r,g] <= T, or T[k]
    mean            with weights: sum_k v[k] T[k] <= upper
    one_node[c]     sum_n z[c,n] = 1
    share[n]        sum_c z[c,n] = C / N
    home[e,r,g]     x[e,r,g] <= u[r] z[group of e, node of g]

    Every plan of value at most `upper` (tokens) is a solution, with T = its max load in scaled units, rounded
    down; so the program's minimum, and any lower bound on it, divided by `factor` is a lower bound on the optimum,
    provided that some plan reaches `upper`. `lower`, a proven bound in tokens, becomes the lower end of T's domain
    and not a row, which would spoil the relaxation. With weights, values are means over windows, and instant bounds of
    the windows are the lower ends; what they leave of `upper` are the upper ends. Loads are exact where no load row's
    coefficients sum to more than `largest_row_sum`. Speeds are where they are simple: all of them divide `steps` then.

    Raises
    ------
    InvalidArgumentError
        No plan reaches `upper`: bounds or the slack test show it without a program.
    """
    import pulp

    limits = _limits_of_windows(instance, upper, lower, weights)
    ranges = _ranges(instance, [high for _, high in limits])
    scaled = scaled_for_solvers(instance, ranges, largest_row_sum) if ranges else None
    domains = [] if scaled is None else [_domain(low, high, scaled) for low, high in limits]
    if scaled is None or any(low > high for low, high in domains):
        raise InvalidArgumentError(f"no plan has a max load of at most {float(upper)} tokens")
    deployment = instance.deployment
    keys = [(e, r) for e, counts in enumerate(ranges) for r in counts]
    gpus, nodes = range(deployment.num_gpus), range(deployment.binding_nodes if deployment.hierarchical else 0)
    groups = range(deployment.binding_groups)
    tops = [
        pulp.LpVariable(f"T_{k}" if weights else "T", lowBound=low, upBound=high, cat="Integer")
        for k, (low, high) in enumerate(domains)
    ]
    program = Assignment(
        problem=pulp.LpProblem("assignment", pulp.LpMinimize),
        instance=instance,
        weights=tuple(weights),
        ranges=ranges,
        loads=tuple({(e, r): int(values[e]) // r for e, r in keys} for values in scaled.values),
        slowness=slowness_of(deployment)[1],
        factor=scaled.factor,
        exact=scaled.exact,
        y={key: integer(pulp, "y", key, 1) for key in keys},
        x={(e, r, g): integer(pulp, "x", (e, r, g), _most_on_gpu(deployment, r, g)) for e, r in keys for g in gpus},
        z={(c, n): integer(pulp, "z", (c, n), 1) for c in groups for n in nodes},
        tops=tuple(tops) if weights else tuple(tops) * instance.num_windows,
    )
    program.problem.setObjective(sum_of(zip(tops, weights or (1,), strict=True)))
    for name, row in rows_of(program):
        program.problem.addConstraint(row, name)
    if weights:
        highest = floor(upper * scaled.factor * sum(weights))
        program.problem.addConstraint(sum_of(zip(tops, weights, strict=True)) <= highest, "mean")
    return program


def _limits_of_windows(
    instance: Instance, upper: Fraction, lower: Fraction, weights: Sequence[int]
) -> list[tuple[Fraction, Fraction]]:
    """The least and largest value of each T, in tokens, of plans of value at most `upper`."""
    if not weights:
        return [(lower, upper)]
    lows = [max(proof.bound for proof in quick_bounds(window)) for window in instance.windows()]
    spare = upper * sum(weights) - sum(weight * low for weight, low in zip(weights, lows, strict=True))
    return [(low, low + spare / weight) for weight, low in zip(weights, lows, strict=True)]


def _domain(low: Fraction, high: Fraction, scaled: ScaledLoads) -> tuple[int, int]:
    """The same limits in scaled units; where loads are rounded down, so may be the max load of a plan at `low`."""
    return (ceil if scaled.exact else floor)(low * scaled.factor), floor(high * scaled.factor)


def _ranges(instance: Instance, uppers: Sequence[Fraction]) -> tuple[range, ...]:
    """Replica counts that suit every window, whose max load is one of `uppers`; empty where there is no such plan."""
    least, most = np.ones(instance.num_experts, dtype=np.int64), np.full(instance.num_experts, instance.max_replicas)
    windows = instance.windows() if instance.num_windows > 1 else (instance,)
    for window, upper in zip(windows, uppers if len(uppers) > 1 else [*uppers] * len(windows), strict=True):
        low, high = replica_range(window, upper)
        if not low.size:
            return ()
        least, most = np.maximum(least, low), np.minimum(most, high)
    most = np.minimum(most, least + instance.deployment.num_slots - least.sum())
    if (least > most).any():
        return ()
    return tuple(range(low, high + 1) for low, high in zip(least.tolist(), most.tolist(), strict=True))


def _most_on_gpu(deployment: Deployment, count: int, gpu: int) -> int:
    return 1 if deployment.distinct else min(count, deployment.gpus.slots[gpu])
