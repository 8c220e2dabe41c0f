"""Nearby counts: numbers of replicas near given ones, which leave few fractions of a unit of load, or many.

Near the mean load fractions decide. Where it is whole, they are in the way: one expert alone whose load its count does
not divide keeps all its GPUs from any whole sum. Where it is not, they are needed: GPUs of whole loads stay below it,
and others would have to carry what these do not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eplb_opt.kernels.compiler import Bools, Floats, Ints

# Parts of a unit that may be left of each replica's load.
_GRIDS = (1, 2, 3, 4)
# The part of the experts that keep their counts, and how far those of others are from what they were, on top of half.
_KEPT, _SPREAD = (1.0, 0.9, 0.6), 3
# A replica may carry that part of the mean load, or what the heaviest carries.
_HEAVY = 0.8

Fractions = Literal["few", "many", "any"]


def other_counts(
    w: Floats, counts: Ints, max_replicas: int, mean: float, fractions: Fractions, random: np.random.Generator
) -> NDArray[np.int64]:
    """Counts near `counts`, of as many replicas; `counts` themselves now and then.

    `w` are whole loads, `mean` the mean load of a GPU. `fractions` of a unit in the loads of replicas are preferred,
    avoided or neither.
    """
    kept = random.random(w.size) < random.choice(_KEPT)
    spread = _SPREAD + counts // 2
    offsets = np.arange(-spread.max(), spread.max() + 1)
    possible = counts[:, np.newaxis] + offsets
    allowed = (possible >= 1) & (possible <= max_replicas) & (np.abs(offsets) <= spread[:, np.newaxis])
    possible = possible.clip(1)
    allowed &= w[:, np.newaxis] <= possible * max(np.max(w / counts), _HEAVY * mean)
    if fractions == "few":
        allowed = _on_a_grid(w, possible, allowed, offsets == 0, random)
    elif fractions == "many":
        divided = allowed & ((possible == 1) | (np.mod(w[:, np.newaxis], possible) != 0))
        allowed = np.where(divided.any(axis=1, keepdims=True), divided, offsets == 0)
    # The nearest count, or for experts that do not keep theirs the next one.
    far = np.where(allowed, np.abs(offsets) + random.random(allowed.shape), np.inf)
    nearest = np.argsort(far, axis=1)
    next_one = ~kept & (allowed.sum(axis=1) > 1) & (random.random(w.size) < 0.5)
    chosen = np.where(next_one, nearest[:, 1], nearest[:, 0])
    rows = np.arange(w.size)
    while missing := int(counts.sum() - possible[rows, chosen].sum()):
        more = possible - possible[rows, chosen][:, np.newaxis]
        moves = np.argwhere(allowed & (np.abs(missing - more) < abs(missing)))
        if not moves.size:
            return counts
        expert, choice = moves[random.integers(len(moves))]
        chosen[expert] = choice
    return possible[rows, chosen]


def _on_a_grid(w: Floats, possible: Ints, allowed: Bools, same: Bools, random: np.random.Generator) -> Bools:
    """Which of the counts leave no finer parts of a unit than one of `_GRIDS`; now and then those that are allowed.

    Mostly the coarsest grid that all experts can be on; where there is none, experts that cannot keep what they have.
    """
    wholes = [allowed & (np.mod(grid * w[:, np.newaxis], possible) == 0) for grid in _GRIDS]
    full = [whole for whole in wholes if whole.any(axis=1).all()]
    which = int(random.geometric(0.5)) - 1
    if which >= len(full or wholes):
        return allowed
    whole = (full or wholes)[which]
    return np.where(whole.any(axis=1, keepdims=True), whole, same)
