"""Two slots per GPU: CP-SAT's word on whether there are plans below a max load."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from eplb_opt.backends import cpsat
from eplb_opt.bounds.pair_model import PairModel
from eplb_opt.limits import Limits


def ask_cpsat(pair_model: PairModel, limits: Limits) -> tuple[str, list[int] | None, float]:
    """CP-SAT's verdict (``"infeasible"``, or anything else), counts if there are some, and the work it took.

    Variables  y[e,r] = 1 if expert e has r replicas, for the items;  n[i] = number of slots of the first i items
    one_count  sum_r y[e,r] = 1
    number     n[i] = n[i before] + sum of r y[e,r] over the items between;  n[all] = P slots
    partners   P - n[items lighter than v] <= n[its partners]
    spread     r y[e,r] + P - n[partners of e,r] <= G GPUs

    The rows are those of `PairModel`, so that no variable says which GPU a replica is on. Nothing is rounded and
    coefficients are counts: the only thing to trust is that CP-SAT calls no feasible program infeasible.
    """
    cp_model = cpsat.import_cp_model()
    model = cp_model.CpModel()
    replicas, slots = pair_model.replicas.tolist(), pair_model.slots
    y = [model.new_bool_var(f"y_{e}_{r}") for e, r in zip(pair_model.experts.tolist(), replicas, strict=True)]
    of_expert = np.split(np.argsort(pair_model.experts, kind="stable"), np.cumsum(np.bincount(pair_model.experts))[:-1])
    for items in of_expert:
        model.add_exactly_one(y[item] for item in items.tolist())
    number = {0: 0} | {place: model.new_int_var(0, slots, f"n_{place}") for place in pair_model.prefixes}
    for before, place in pairwise(number):
        model.add(number[place] == number[before] + sum(replicas[item] * y[item] for item in range(before, place)))
    model.add(number[len(y)] == slots)
    partners_of = pair_model.partners_of.tolist()
    for place in pair_model.partners:
        model.add(slots - number[place] <= number[partners_of[place]])
    for item in range(pair_model.light):
        model.add(replicas[item] * y[item] + slots - number[partners_of[item]] <= pair_model.gpus)

    solver = cpsat.new_solver(cp_model, limits)
    # Without cuts from the linear relaxation these programs take a hundred times as long.
    solver.parameters.linearization_level = 2
    status = solver.solve(model)
    work = solver.response_proto.deterministic_time
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        chosen = [next(item for item in items.tolist() if solver.value(y[item])) for items in of_expert]
        return "feasible", [replicas[item] for item in chosen], work
    return "infeasible" if status == cp_model.INFEASIBLE else "stopped", None, work
