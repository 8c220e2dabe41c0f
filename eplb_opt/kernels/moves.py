"""Moves: an exchange of two slots and a transfer of a replica, carried out on everything that is kept of a table.

Shares and loads are numbers for one window, and rows of numbers for several.
"""

from __future__ import annotations

from typing import Any

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled


@compiled
def exchange(slots: Ints, holds: Any, share: Floats, load: Floats, g: Index, i: Index, h: Index, j: Index) -> None:
    """Slot i of GPU g and slot j of GPU h change experts."""
    a, b = slots[g, i], slots[h, j]
    slots[g, i], slots[h, j] = b, a
    holds[g, a] -= 1
    holds[g, b] += 1
    holds[h, b] -= 1
    holds[h, a] += 1
    load[g] += share[b] - share[a]
    load[h] += share[a] - share[b]


@compiled
def transfer(
    w: Floats, slots: Ints, counts: Ints, holds: Any, share: Floats, load: Floats, g: Index, i: Index, expert: Index
) -> None:
    """Slot i of GPU g becomes one more replica of `expert`."""
    other = slots[g, i]
    slots[g, i] = expert
    load[g] += share[expert] - share[other]
    holds[g, other] -= 1
    holds[g, expert] += 1
    counts[other] -= 1
    counts[expert] += 1
    for changed in (other, expert):
        new = w[changed] / counts[changed]
        for gpu in range(load.shape[0]):
            if holds[gpu, changed]:
                load[gpu] += holds[gpu, changed] * (new - share[changed])
        share[changed] = new
