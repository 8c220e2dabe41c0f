"""Weighting, weightings: whether the slots of any counts weigh more than all GPUs carry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.least_weight import least_weight
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.parts import divided

# A larger number would take all memory; no certificate that is written here comes near.
_MOST_CAPACITY = 10**6
# In nanoseconds, for a cell of the program over patterns.
_PER_CELL = 1


def refutes_by_weighting(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether a weighting excludes all counts within `top`."""
    return _excluding(argument, layer, top, limit)(layer.ranges)


def refutes_by_weightings(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether each part of the counts has a weighting that excludes it."""
    excluding: dict[int, Callable[[Ranges], bool]] = {}
    for (place,), counts in divided(argument["parts"], layer.ranges, limit):
        if type(place) is not int or place < 0:
            raise CertificateError("the place of a weighting is no natural number")
        if place not in excluding:
            starts, weights = argument["weightings"][place]
            excluding[place] = _excluding({**argument, "starts": starts, "weights": weights}, layer, top, limit)
        if not excluding[place](counts):
            return False
    return True


def _excluding(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> Callable[[Ranges], bool]:
    """Whether the slots of any counts within ranges weigh more than all GPUs carry within `top`."""
    buckets, scale = int(argument["buckets"]), exact_value(argument["scale"], ARGUMENT_DIGITS) * layer.units_per_token
    starts, weights = [int(start) for start in argument["starts"]], [int(weight) for weight in argument["weights"]]
    capacity = buckets * top * scale.denominator // scale.numerator
    increasing = all(a < b for a, b in pairwise(starts))
    if not (scale > 0 and increasing and len(starts) == len(weights) and min([0, *starts, *weights]) >= 0):
        raise CertificateError("starts of weights do not increase, or a number is negative")
    if capacity > _MOST_CAPACITY or max([0, *weights]) * layer.slots >= 2**62:
        raise CertificateError("the dynamic program over patterns is too large")
    limit.spend(_PER_CELL * (capacity + 1) * layer.slots_per_gpu * max(1, len(starts)))
    carried = heaviest_pattern(starts, weights, layer.slots_per_gpu, capacity) * layer.gpus

    def weight(expert: int, count: int) -> int:
        place = bisect_right(starts, buckets * layer.loads[expert] * scale.denominator // (count * scale.numerator))
        return count * weights[place - 1] if place else 0

    def excludes(ranges: Ranges) -> bool:
        needed = needs(layer, top, ranges, limit)
        return needed is None or least_weight(layer, needed, weight, limit) > carried

    return excludes


def heaviest_pattern(starts: Sequence[int], weights: Sequence[int], size: int, capacity: int) -> int:
    """The largest weight of at most `size` buckets that sum to at most `capacity`."""
    buckets = [(start, weight) for start, weight in zip(starts, weights, strict=True) if start <= capacity]
    best = np.zeros(capacity + 1, dtype=np.int64)
    if size > 1:
        # One bucket by itself; then others, but the last, which fills up the whole capacity.
        for start, weight in buckets:
            best[start] = max(best[start], weight)
        np.maximum.accumulate(best, out=best)
    for _ in range(size - 2):
        before = best.copy()
        for start, weight in buckets:
            np.maximum(best[start:], before[: capacity + 1 - start] + weight, out=best[start:])
    return max([int(best[capacity]), *(int(best[capacity - start]) + weight for start, weight in buckets)])
