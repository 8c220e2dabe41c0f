"""Budgets: slots that layers share, where an engine allows each layer its own number of them.

Layers follow each other, so what counts is the sum of their objectives. Each layer takes one of several sizes, at a
known value: a multiple-choice knapsack. Slots are whole and few, so dynamic programming over the slots spent solves it
exactly (Sinha and Zoltners, The multiple-choice knapsack problem, Operations Research 27, 1979).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import lcm


def least_sums(curves: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """The least sum over layers for each budget of extra slots, from 0 to what the largest sizes of all layers take.

    ``curves[l][k]`` is the value of layer l with k extra slots per GPU, all of the same length. A budget may be left
    unspent, so sums do not grow. Exact: values become integers over their common denominator.

    With values of plans this is what plans reach; with lower bounds, what no plans of these sizes can go below,
    whatever each layer takes.
    """
    multiple = lcm(*(value.denominator for curve in curves for value in curve))
    sums = [0]
    for curve in curves:
        # A larger size that is no better is never taken: what is unspent costs nothing.
        values = list(accumulate((int(value * multiple) for value in curve), min))
        sizes = [size for size, value in enumerate(values) if not size or value < values[size - 1]]
        reach = len(sums) + len(curve) - 1
        known = [*sums, *[sums[-1]] * (len(curve) - 1)]
        sums = [min(known[budget - size] + values[size] for size in sizes if size <= budget) for budget in range(reach)]
    return [Fraction(total, multiple) for total in sums]


def fewest_slots(sums: Sequence[Fraction], target: Fraction) -> int | None:
    """The smallest budget whose least sum is at most `target`; ``None`` where none is."""
    # Sums do not grow with the budget.
    budget = bisect_left(sums, -target, key=lambda total: -total)
    return budget if budget < len(sums) else None
