"""Instant bounds of a layer, of one window or of several."""

from __future__ import annotations

from eplb_opt.acceptance import accepted
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof, strongest


def instant_bound(instance: Instance, objective: Objective) -> Proof:
    """The best of the instant bounds on the plans of what `Objective.on` gave, as the checker sees it.

    Of one window those of `quick_bounds`, in tokens; of several those of `window_bounds`, which combines them.
    """
    if instance.num_windows == 1:
        bounds = quick_bounds(instance)
    else:
        bounds = window_bounds(instance, objective.kind, objective.window_weights)
    return accepted(strongest(*bounds), instance, objective)
