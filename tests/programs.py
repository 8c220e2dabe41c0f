"""Running a program in this process: what a worker does, without the worker."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from eplb_opt.backends.limits import Limits
from eplb_opt.backends.outcome import Verdict
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.run.program import ProgramNews, ProgramTask, run_program
from eplb_opt.verify import max_loads, verify


@dataclass(frozen=True)
class Answer:
    """Best valid value and strongest bound that a program reported, and its verdict."""

    value: Fraction
    bound: Fraction | None
    verdict: Verdict


def answer(instance: Instance, method: str, seconds: float = 60.0, start: np.ndarray | None = None) -> Answer:
    """The program's answer for one layer, from greedy with swap descent; every plan it reports is verified."""
    slots = greedy_plus_swap(instance) if start is None else start
    lower = max(proof.bound for proof in quick_bounds(instance))
    task = ProgramTask(instance, tuple(slots.tolist()), lower, method, Limits(seconds))
    news: list[ProgramNews] = []
    run_program(task, news.append)
    rows = [item.slots for item in news if item.slots is not None]
    for row in rows:
        assert verify(Plan(np.array([row]), instance.deployment, instance.num_experts)) == []
    assert [item.verdict is None for item in news] == [True] * (len(news) - 1) + [False]
    value = min([max_loads(row, instance)[0] for row in rows], default=max_loads(slots.tolist(), instance)[0])
    bounds = [item.proof.bound for item in news if item.proof is not None]
    return Answer(value, max(bounds, default=None), news[-1].verdict)
