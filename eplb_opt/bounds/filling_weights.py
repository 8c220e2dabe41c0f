"""Weights of replicas under which those of any counts outweigh all GPUs, whatever patterns these hold."""

from __future__ import annotations

import numpy as np

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.errors import SolverError
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Meter

# What a replica weighs in integers that nothing covers, and the largest weight.
_UNIT, _MOST = 2**30, 2**39
# Replicas that are not covered: fewer are rounding.
_MISSING = 1e-5
# Seconds of work for each pattern, and for each step of the simplex method and each row.
_WORK_PER_PATTERN, _WORK_PER_STEP = 1e-6, 1e-7


def filling_weights(experts: Ints, replicas: Ints, patterns: Ints, meter: Meter) -> list[list[int]] | None:
    """Expert, replicas and weight of items that no `patterns` cover, as `eplb_opt.certificates` reads them.

    ``None``: a mixture of counts is covered by a mixture of patterns, or time is over. One linear program:

    Data       i items, an expert with r[i] replicas; patterns, rows of items
    Variables  x[f] >= 0, GPUs with pattern f;  y[i] >= 0, the part of an expert with the count of i;
               u[i] >= 0, replicas that are not covered
    Minimise   sum of u[i]
    cover[i]       sum of x[f], f with i, + u[i] = r[i] y[i]
    one_count[e]   sum of y[i], i of e, = 1

    The duals of `cover` weigh replicas so that no pattern weighs more than 0, and the replicas of any counts at least
    what is not covered. Unlike weights that are a function of slot loads, they tell experts apart.
    """
    num, (number, size) = experts.size, patterns.shape
    num_experts = int(experts.max()) + 1
    items = np.arange(num)
    highs = new_simplex()
    highs.setOptionValue("presolve", "on")
    empty = np.empty(0)
    right = np.concatenate([np.zeros(num), np.ones(num_experts)])
    highs.addRows(right.size, right, right, 0, np.zeros(right.size, dtype=np.int32), empty.astype(np.int32), empty)
    # A row of a column is named once: an item that is twice in a pattern has a 2.
    ordered = np.sort(patterns, axis=1)
    new = np.column_stack([np.ones(number, dtype=np.bool_), ordered[:, 1:] != ordered[:, :-1]])
    times = np.diff(np.append(np.flatnonzero(new.ravel()), number * size)).astype(float)
    pairs = np.column_stack([items, num + experts])
    rows = np.concatenate([ordered[new], pairs.ravel(), items]).astype(np.int32)
    values = np.concatenate([times, np.column_stack([-replicas.astype(float), np.ones(num)]).ravel(), np.ones(num)])
    lengths = np.concatenate([new.sum(axis=1), np.full(num, 2), np.ones(num, dtype=np.int64)])
    starts = (np.cumsum(lengths) - lengths).astype(np.int32)
    costs = np.concatenate([np.zeros(number + num), np.ones(num)])
    highs.addCols(costs.size, costs, np.zeros(costs.size), np.full(costs.size, np.inf), rows.size, starts, rows, values)
    try:
        solved = is_feasible(highs, max(meter.left().seconds, 0.01))
    except SolverError:
        return None
    meter.spend(_WORK_PER_PATTERN * number + _WORK_PER_STEP * highs.getInfo().simplex_iteration_count * num)
    if not solved or highs.getObjectiveValue() < _MISSING:
        return None
    duals = np.array(highs.getSolution().row_dual[:num]) * _UNIT
    weights = np.clip(np.floor(duals), -_MOST, _MOST).astype(np.int64)
    used = np.flatnonzero(weights)
    return np.column_stack([experts, replicas, weights])[used].tolist()  # type: ignore[no-any-return]
