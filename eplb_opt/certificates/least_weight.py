"""The least that all slots weigh together, whatever the counts."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from operator import add

from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.limit import WorkLimit

# In nanoseconds, for the weight of an expert at a count, and for an option of the dynamic program.
_PER_WEIGHT, _PER_OPTION = 1_500, 80


def least_weight(layer: Layer, needed: Ranges, weight: Callable[[int, int], float], limit: WorkLimit) -> float:
    """The least sum of ``weight(expert, count)`` over all counts within ranges; infinite if there are none.

    A dynamic program over experts: the least weight of those before for each number of slots that they can have used.
    """
    slack = layer.slots - sum(needed[0])
    items = sum(high - low + 1 for low, high in zip(*needed, strict=True))
    limit.spend((_PER_WEIGHT + _PER_OPTION * (slack + 1)) * items)
    lightest: list[float] = [0] + [inf] * slack
    for expert, (low, high) in enumerate(zip(*needed, strict=True)):
        options = [weight(expert, count) for count in range(low, high + 1)]
        # As many more replicas than the least as there are options, or slots used: whichever is less.
        lightest = [min(map(add, lightest[used::-1], options)) for used in range(slack + 1)]
    return lightest[slack]
