"""Chvátal-Gomory cuts: rows that whole counts obey and averages of counts need not."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.bounds.pair_lp import PairLP
from eplb_opt.bounds.pair_model import Row
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.limits import Meter

# What multipliers below 1 become in integers, and what is added to each expert before it is divided by that, so that
# what is whole but for the rounding of multipliers stays whole.
DIVISOR, MARGIN = 2**30, 2**12
# Fractional numbers that are looked at, cuts that are taken up, by how much they are violated, and how alike two are.
_CANDIDATES, _MOST_CUTS, _VIOLATED, _ALIKE = 200, 40, 1e-3, 0.5
# In seconds for each candidate, row and item above 0; for each candidate and such an item; for each candidate.
_WORK_PER_TERM, _WORK_PER_WEIGHT, _WORK_PER_CANDIDATE = 3e-10, 3e-8, 5e-5
# Sums of doubles that are whole are exact below this.
_EXACT = 2.0**52


def gomory_cuts(program: PairLP, meter: Meter) -> list[Row]:
    """Rows that all plans obey and the LP's solution does not, the most violated first; none if none is found.

    A sum of rows with multipliers of at least 0, and of the number of slots with any multiplier, says that the items of
    a plan weigh at most some number. An expert has exactly one count, so that a constant can be subtracted from all of
    its items and from that number: what it weighs at one of its counts. Weights are divided and rounded down. Then they
    are whole, and so is their sum: the number can be rounded down too. Multipliers are the
    fractional parts of those which show a number of the basis (R. Gomory, Bulletin of the American Mathematical Society
    64, 275-278, 1958, https://doi.org/10.1090/S0002-9904-1958-10224-4; V. Chvátal, Discrete Mathematics 4, 305-337,
    1973, https://doi.org/10.1016/0012-365X(73)90167-2), and the counts those with the largest value.
    """
    multipliers, slots = _candidates(program)
    if not slots.size:
        return []
    replicas, bases = program.pair_model.replicas, _bases(program)
    table = np.array([row.weights for row in program.rows], dtype=np.float64).reshape(-1, replicas.size)
    rights = np.array([row.right for row in program.rows], dtype=np.float64)
    # All other items are 0, so that only these say how much a row is violated.
    shared = np.flatnonzero(program.values > 0)
    meter.spend(slots.size * (shared.size * (_WORK_PER_TERM * rights.size + _WORK_PER_WEIGHT) + _WORK_PER_CANDIDATE))
    grounds = multipliers @ table[:, bases] + slots[:, np.newaxis] * replicas[bases]
    total = multipliers @ rights + slots * program.pair_model.slots
    right = np.floor((total - grounds.sum(axis=1) + MARGIN * bases.size) / DIVISOR)

    def weights(rows: Any, table: Floats, items: Any) -> Floats:
        sums = multipliers[rows] @ table + slots[rows, np.newaxis] * replicas[items]
        floors: Floats = np.floor((sums - grounds[rows][:, program.pair_model.experts[items]] + MARGIN) / DIVISOR)
        return floors

    known = weights(slice(None), table[:, shared], shared)
    excess = known @ program.values[shared] - right
    lengths = np.maximum(np.sqrt((known**2).sum(axis=1)), 1.0)
    chosen: list[int] = []
    for place in np.argsort(-excess / lengths, kind="stable").tolist():
        if excess[place] < _VIOLATED or len(chosen) == _MOST_CUTS:
            break
        if (known[chosen] @ known[place] <= _ALIKE * lengths[chosen] * lengths[place]).all():
            chosen.append(place)
    return [
        Row(row.astype(np.int64), int(right[place]), _evidence(multipliers[place], slots[place], bases, replicas))
        for place, row in zip(chosen, weights(chosen, table, slice(None)), strict=True)
    ]


def _evidence(multipliers: Floats, slots: float, bases: Ints, replicas: Ints) -> dict[str, Any]:
    """What makes a cut, with the rows as numbers of the LP's."""
    return {
        "multipliers": [(row, int(multipliers[row])) for row in np.flatnonzero(multipliers).tolist()],
        "slots": int(slots),
        "bases": [[expert, int(replicas[item])] for expert, item in enumerate(bases.tolist()) if replicas[item] > 1],
    }


def _candidates(program: PairLP) -> tuple[Floats, Floats]:
    """Whole multipliers of rows, and of the number of slots, whose sums stay exact."""
    rows, slots = program.tableau(_CANDIDATES)
    rows, slots = np.concatenate([rows, -rows]), np.concatenate([slots, -slots])
    rows = np.rint(_fractions(rows) * DIVISOR)
    # With and without the number of slots.
    rows = np.concatenate([rows, rows])
    slots = np.concatenate([np.rint(_fractions(slots) * DIVISOR), np.zeros(slots.size)])
    largest = rows @ np.array([float(row.largest) for row in program.rows]) + DIVISOR * float(program.pair_model.slots)
    exact = largest * program.pair_model.num_experts < _EXACT
    return rows[exact], slots[exact]


def _fractions(values: Floats) -> Floats:
    fractions: Floats = values - np.floor(values + 1e-9)
    return np.where(fractions < 1e-7, 0.0, fractions)


def _bases(program: PairLP) -> Ints:
    """The item of each expert that has its largest value."""
    items = np.argsort(program.values, kind="stable")
    bases = np.zeros(program.pair_model.num_experts, dtype=np.int64)
    bases[program.pair_model.experts[items]] = items
    return bases
