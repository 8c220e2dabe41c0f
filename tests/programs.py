"""Running a program in this process: what a worker does, without the worker."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.improvement import Improvement
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.plan import Plan
from eplb_opt.proof import strongest
from eplb_opt.run.task import ProofTask
from eplb_opt.run.work import run_task
from eplb_opt.verify import max_loads, verify


@dataclass(frozen=True)
class Answer:
    """Best valid value and strongest bound that a program reported, and whether it came to its end."""

    value: Fraction
    bound: Fraction | None
    complete: bool


def answer(instance: Instance, method: str, seconds: float = 60.0, start: np.ndarray | None = None) -> Answer:
    """The program's answer for one layer, from greedy with swap descent; every plan it reports is verified."""
    slots = greedy_plus_swap(instance) if start is None else start
    known = strongest(*quick_bounds(instance))
    found: list[Improvement] = []
    complete = run_task(ProofTask(instance, tuple(slots.tolist()), known, method, Limits(seconds)), found.append)
    rows = [item.slots for item in found if item.slots is not None]
    for row in rows:
        assert verify(Plan(np.array([row]), instance.deployment, instance.num_experts)) == []
    assert all(item.slots is not None or item.proof is not None for item in found), found
    value = min([max_loads(row.tolist(), instance)[0] for row in rows] or [max_loads(slots.tolist(), instance)[0]])
    bounds = [known.bound, *(item.proof.bound for item in found if item.proof is not None)]
    return Answer(value, max(bounds), complete)
