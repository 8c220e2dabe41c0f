"""The exact frontier of moves and value of a tiny layer, from every placement that there is.

A move is an expert on a GPU whose old contents did not hold it. Contents are sets: copies on one GPU are copied there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, permutations, product
from math import lcm

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.placements import Placements

# Placements of a deployment that are enumerated, in about a second; of rules that look at sources in Python fewer.
MOST, MOST_DISPATCHED = 20_000, 3_000
# Rules whose value does not depend on which GPU is which; the others are enumerated in every order.
NAMELESS = ("even", "optimal")
# Integers below this are summed as int64.
_SAFE = 2**62


def row_moves(row: Sequence[int], old: Sequence[int], num_gpus: int) -> int:
    """Moves from one row of slots to another, by the definition; empty old slots are negative."""
    size = len(row) // num_gpus
    gpus = range(0, len(row), size)
    return sum(len(set(row[start : start + size]) - set(old[start : start + size])) for start in gpus)


def frontier(instance: Instance, old: Sequence[int], objective: str) -> dict[int, Fraction]:
    """The least value of any valid row with at most so many moves from `old`, by moves.

    Values are those of `eplb_opt.verify.objective_value`: ``"total"`` in tokens, ``"mean"`` and ``"worst"`` imbalances.
    Keys are all numbers from the fewest moves that lead to a valid row to the number of slots. `old` need not be valid:
    its empty slots are negative. Under ``"sglang-static"`` the layer is the first one that is drawn.

    Raises
    ------
    TooManyError
        Too many placements, see `MOST`.
    """
    placements = enumerated(instance.deployment, instance.num_experts)
    values, unit = _values(placements, instance, objective)
    moves = _fewest_moves(placements, old, instance.deployment)
    levels: list[int | None] = [None] * (instance.deployment.num_slots + 1)
    for level in np.unique(moves).tolist():
        levels[level] = min(values[moves == level])
    best = accumulate(levels, lambda a, b: b if a is None else a if b is None else min(a, b))
    return {level: value * unit for level, value in enumerate(best) if value is not None}


def fewest_moves(curve: dict[int, Fraction], limit: Fraction) -> int | None:
    """The fewest moves of a `frontier` that reach a value of at most `limit`; ``None`` where nothing does."""
    return min((moves for moves, value in curve.items() if value <= limit), default=None)


@lru_cache(maxsize=8)
def enumerated(deployment: Deployment, num_experts: int) -> Placements:
    """Every placement; kept for the next layer of the same deployment."""
    return Placements(deployment, num_experts, MOST if deployment.dispatch == "even" else MOST_DISPATCHED)


def _values(placements: Placements, instance: Instance, objective: str) -> tuple[NDArray[np.object_], Fraction]:
    """The value of each placement as an integer, and its unit."""
    windows = instance.total().weights if objective == "total" else [w for w in instance.weights if any(w)]
    if not windows:
        return np.ones(len(placements.shares), dtype=object), Fraction(1)
    hottest = np.stack([_hottest(placements, window) for window in windows])
    if objective == "total":
        return hottest[0], instance.unit / placements.factor
    sums = [sum(window) for window in windows]
    common = lcm(*sums)
    scaled = hottest * np.array([common // total for total in sums], dtype=object)[:, np.newaxis]
    unit = Fraction(instance.deployment.num_gpus, common * placements.factor)
    return (scaled.max(axis=0), unit) if objective == "worst" else (scaled.sum(axis=0), unit / len(windows))


def _hottest(placements: Placements, window: Sequence[int]) -> NDArray[np.object_]:
    """Max load of each placement in one window, in units of the instance over the factor; exact."""
    kind = np.int64 if sum(window) * placements.factor < _SAFE else object
    loads = placements.shares.astype(kind) @ np.array(window, dtype=kind)
    top: NDArray[np.object_] = loads.max(axis=1).astype(object)
    return top


def _fewest_moves(placements: Placements, old: Sequence[int], deployment: Deployment) -> NDArray[np.int64]:
    """Moves of each placement, with its GPUs named so that they are fewest."""
    contents = np.asarray(old).reshape(deployment.num_gpus, -1)
    new_there = ~(contents[:, :, np.newaxis] == np.arange(placements.copies.shape[2])).any(axis=1)
    # What each GPU of a placement has to copy if it is to be old GPU h: (placements, GPUs, GPUs).
    costs = (placements.copies > 0).astype(np.int64) @ new_there.T.astype(np.int64)
    gpus = np.arange(deployment.num_gpus)
    return np.min([costs[:, names, gpus].sum(axis=1) for names in _namings(deployment)], axis=0)


def _namings(deployment: Deployment) -> Iterator[list[int]]:
    """Every order of the GPUs in which a placement is valid and worth the same."""
    size = deployment.gpus_per_node
    if deployment.dispatch not in NAMELESS:
        yield list(range(deployment.num_gpus))
        return
    within = list(permutations(range(size)))
    for nodes in permutations(range(deployment.binding_nodes)):
        for orders in product(within, repeat=deployment.binding_nodes):
            yield [node * size + gpu for node, order in zip(nodes, orders, strict=True) for gpu in order]
