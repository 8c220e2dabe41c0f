"""A task for a worker process: what a layer is to be proven by, from what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from eplb_opt.improvement import Improvement
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof

# Called with better plans and bounds as they are found.
Emit = Callable[[Improvement], object]


@dataclass(frozen=True)
class ProofTask:
    """What a worker process needs to know; picklable.

    Attributes
    ----------
    instance
        One layer of one window, or of several.
    slots
        The best plan, the warm start; only plans at least as good are searched.
    proof
        The best bound, in tokens.
    method
        One of `PROGRAM_METHODS` or of `eplb_opt.bounds.prove.PROVERS`.
    limits
        For building and solving together.
    target_gap
        What the caller is content with; methods that search by themselves stop there.
    call
        Names the call that asked, so that it can end its own workers.
    objective
        The mean over several windows; by default the hottest counts.
    """

    instance: Instance
    slots: tuple[int, ...]
    proof: Proof
    method: str
    limits: Limits
    target_gap: Fraction = Fraction(0)
    call: str = ""
    objective: Objective = field(default_factory=Objective)
