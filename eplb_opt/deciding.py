"""Deciding windows: which of several windows a plan is made for, where one outweighs the others."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads


def hottest_windows(plan: Plan, loads: Loads) -> Counter[int]:
    """In how many layers each window has the largest imbalance under the plan; the first of equal ones.

    Layers without load count for none.
    """
    found: Counter[int] = Counter()
    for slots, instance in layers_of(plan, loads):
        pairs = zip(max_loads(slots, instance), instance.mean_loads, strict=True)
        imbalances = [top / mean if mean else Fraction(0) for top, mean in pairs]
        if any(imbalances):
            found[imbalances.index(max(imbalances))] += 1
    return found


def token_shares(loads: Loads) -> list[float]:
    """The part of all tokens that each window has; all 0 where there are none."""
    tokens = loads.values.sum(axis=(1, 2), dtype=float)
    return [float(share) for share in tokens / (tokens.sum() or 1.0)]
