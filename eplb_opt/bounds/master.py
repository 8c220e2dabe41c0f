"""The master program: counts that no known weighting refutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eplb_opt.backends import cpsat
from eplb_opt.backends.limits import Meter
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.fillings import Weighting

# Weight of the slots of all GPUs in a row of the program: CP-SAT errs beyond 2^31.
_LARGEST_ROW_SUM = 2**30


@dataclass(frozen=True)
class MasterProgram:
    """Are there counts under which, for each weighting, all slots together weigh no more than all GPUs can carry?

    Data       a[w,b] weight of bucket b under weighting w, A[w] the weight of its heaviest filling; b[e,r] buckets;
               r in the replica range of e at the max load; P slots, G GPUs
    Variables  y[e,r] = 1 if expert e has r replicas
    one_count[e]   sum_r y[e,r] = 1
    slots          sum r y[e,r] = P
    carried[w]     sum r a[w,b[e,r]] y[e,r] <= G A[w]

    Every plan within the max load is a solution, since each of its GPUs is a filling. Weightings are rounded to small
    integers first, and their limits found anew, so that only CP-SAT's word that there is no solution is trusted.
    """

    buckets: Buckets
    weightings: Sequence[Weighting]

    def solve(self, meter: Meter) -> tuple[str, tuple[int, ...] | None]:
        """CP-SAT's verdict (``"infeasible"``, ``"feasible"`` or ``"stopped"``), and counts where there are some."""
        deployment = self.buckets.instance.deployment
        cp_model = cpsat.import_cp_model()
        model = cp_model.CpModel()
        items = self.buckets.items
        y = {item: model.new_bool_var(f"y_{item[0]}_{item[1]}") for item in items}
        for expert in range(self.buckets.instance.num_experts):
            model.add_exactly_one(y[item] for item in items if item[0] == expert)
        model.add(sum(item[1] * y[item] for item in items) == deployment.num_slots)
        for weighting in self.weightings:
            rounded = weighting.rounded(self.buckets.capacity, _LARGEST_ROW_SUM // deployment.num_slots)
            weights = rounded.of(np.array([self.buckets.bucket(item) for item in items])).tolist()
            carried = sum(item[1] * weight * y[item] for item, weight in zip(items, weights, strict=True))
            model.add(carried <= deployment.num_gpus * rounded.limit)
        solver = cpsat.new_solver(cp_model, meter.left())
        status = solver.solve(model)
        meter.spend(solver.response_proto.deterministic_time)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return "feasible", tuple(r for e, r in items if solver.value(y[e, r]))
        return ("infeasible" if status == cp_model.INFEASIBLE else "stopped"), None
