"""Hierarchical placement of many groups: the partition with the coolest hottest node, by a program over node loads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends import cpsat
from eplb_opt.heuristics.planner import first_plan, improve
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter

# Sum of all groups in the program: CP-SAT errs beyond 2^31.
_LARGEST_SUM = 2**30
# Of the limits, for the program; and seconds of work of a search.
_PART, _SEARCH = 0.5, 0.13


def prove_by_node_loads(incumbent: Incumbent, meter: Meter) -> None:
    """A bound and plans from the partition with the smallest largest node load.

    Where sets of groups are too many to be told apart, a node is as good as its load: exact up to what nodes of
    equal loads differ by, which is little where they have many experts.
    """
    bound, node_of_group, used = NodeLoads(incumbent.instance).solve(meter.left(_PART))
    meter.spend(used)
    incumbent.prove("nodes", bound, by="cpsat")
    row = first_plan(incumbent.instance, node_of_group)
    seed = meter.left().seed
    while not incumbent.closed and not meter.exhausted:
        seed += 1
        row = improve(incumbent, row, meter, _SEARCH, seed)


@dataclass(frozen=True)
class NodeLoads:
    """Which groups share a node, so that the hottest node is as cool as possible?

    Data       w[k,c] load of group c in window k, scaled to an integer and rounded down; N nodes, C groups
    Variables  z[c,n] = 1 if node n takes group c;  T = largest node load in any window
    Minimise   T
    one_node[c]   sum_n z[c,n] = 1
    groups[n]     sum_c z[c,n] = C / N
    load[k,n]     sum_c w[k,c] z[c,n] <= T

    A GPU of the hottest node carries at least T / GPUs of a node, so the program's bound is one for the layer.
    """

    instance: Instance

    def solve(self, limits: Limits) -> tuple[Fraction, NDArray[np.int64], float]:
        """A lower bound on the max load in tokens, on CP-SAT's word, the node of each group, and the work it took."""
        deployment, size = self.instance.deployment, self.instance.experts_per_group
        starts = range(0, self.instance.num_experts, size)
        totals = [[sum(weights[start : start + size]) for start in starts] for weights in self.instance.weights]
        scale = min(Fraction(1), Fraction(_LARGEST_SUM, max(1, *map(sum, totals))))
        scaled = [[total * scale.numerator // scale.denominator for total in window] for window in totals]
        groups, nodes = range(deployment.binding_groups), range(deployment.binding_nodes)
        cp_model = cpsat.import_cp_model()
        model = cp_model.CpModel()
        z = {(c, n): model.new_bool_var(f"z_{c}_{n}") for c in groups for n in nodes}
        most = max(map(sum, scaled))
        top = model.new_int_var(-(-most // len(nodes)), most, "T")
        for c in groups:
            model.add_exactly_one(z[c, n] for n in nodes)
        for n in nodes:
            model.add(sum(z[c, n] for c in groups) == deployment.groups_per_node)
            for window in scaled:
                model.add(sum(window[c] * z[c, n] for c in groups) <= top)
        # Nodes are alike: the heaviest group is on the first.
        model.add(z[max(groups, key=lambda c: max(window[c] for window in totals)), 0] == 1)
        model.minimize(top)
        solver = cpsat.new_solver(cp_model, limits)
        status = solver.solve(model)
        work = solver.response_proto.deterministic_time
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Fraction(0), np.arange(len(groups)) // deployment.groups_per_node, work
        bound = round(solver.best_objective_bound) / scale * self.instance.unit / deployment.gpus_per_node
        return bound, np.array([next(n for n in nodes if solver.value(z[c, n])) for c in groups]), work
