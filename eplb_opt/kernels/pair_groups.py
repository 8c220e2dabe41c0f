"""Two slots per GPU: groups of experts whose slots can share GPUs among themselves."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled


@compiled
def groups_of(loads: Floats, counts: Ints, limit: float) -> Ints:
    """A group of each expert, named by one of its experts: as many groups as a sweep over loads finds.

    A light slot comes at its load, a heavy one, above half the limit, at limit - load; what comes first waits for
    partners. An expert takes a group that waits for as many slots as it has; else the smallest of those that wait for
    more; else the largest ones, which become one group.
    """
    size = loads.size
    changes, places, groups = np.empty(size, dtype=np.int64), np.empty(size), np.arange(size)
    for expert in range(size):
        load = loads[expert] / counts[expert]
        light = load <= 0.5 * limit
        places[expert] = load if light else limit - load
        changes[expert] = counts[expert] if light else -counts[expert]
    # Slots of each group that wait; 0 where all have partners.
    waiting = np.zeros(size, dtype=np.int64)
    for expert in np.argsort(places):
        rest = changes[expert]
        while rest:
            group = _partner(waiting, rest)
            if group < 0:
                break
            for other in range(size):
                if groups[other] == group and group != expert:
                    groups[other] = expert
            rest += waiting[group]
            waiting[group] = 0
            if rest * changes[expert] < 0:
                break
        waiting[expert] = rest
    return groups


@compiled
def _partner(waiting: Ints, change: Index) -> int:
    """The group that fits a change of slots best, -1 if none waits for such."""
    best = -1
    for group in range(waiting.size):
        if waiting[group] * change >= 0:
            continue
        over, best_over = abs(waiting[group]) - abs(change), abs(waiting[best]) - abs(change)
        # As many or more of them, as few as can be; else as many as can be.
        if best < 0 or (over < best_over if over >= 0 and best_over >= 0 else over > best_over):
            best = group
    return best
