"""Costs: what plans of a report take of a GPU's memory and of the time of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eplb_opt.loads import Loads
from eplb_opt.memory import expert_gib_per_gpu
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution
from eplb_opt.step import Step
from eplb_opt.step_times import least_of, plan_milliseconds


@dataclass(frozen=True)
class Costs:
    """What is known of memory and time.

    Attributes
    ----------
    slot_gib
        GiB of a GPU for each of its slots, over all layers of the model; ``None``: no model tells.
    step
        What turns tokens into milliseconds; ``None``: nothing does.
    milliseconds
        Of the experts of a step, by the names of plans; empty without a step, ``NaN`` where the dispatch leaves them
        open.
    least_milliseconds
        No plan takes less.
    """

    slot_gib: float | None = None
    step: Step | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    least_milliseconds: float = 0.0

    @classmethod
    def of(
        cls, model: Model | None, step: Step | None, plans: Mapping[str, Plan], solution: Solution, loads: Loads
    ) -> Costs:
        """Those of plans whose rows are the layers of the loads, and of bounds of the solution."""
        known = model is not None and model.expert_bytes is not None
        slot_gib = expert_gib_per_gpu(model, 1) if model is not None and known else None
        if step is None:
            return cls(slot_gib)
        times = {name: plan_milliseconds(step, plan, loads) for name, plan in plans.items()}
        return cls(slot_gib, step, times, least_of(solution, loads, step))
