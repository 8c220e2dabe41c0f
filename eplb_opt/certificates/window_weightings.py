"""Window weightings: weights of replicas, by expert and count, that no GPU can carry in all windows at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.joint_patterns import Items, none_heavier
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.least_weight import least_weight
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.windows import RecordedWindows, proven_of_each

# Loads are rounded down to parts of what a GPU may carry.
_CAPACITY = 2**40
# Corners of the imbalances that are left, and in nanoseconds what one costs besides its box.
_PER_CORNER = 10_000
# All boxes of a certificate together.
_NANOSECONDS = 4 * 10**10


def proves_by_window_weightings(certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows) -> bool:
    """Whether boxes of imbalances without plans leave nothing below the bound.

    Imbalances of a plan are at least those that are proven of each window by itself: the first corner. Where a corner
    is worth less than the bound, a box above it has no plans: one of the windows is at its limit or hotter, which
    makes a corner for each of them.
    """
    corners = [tuple(proven_of_each(certificate["windows"], windows))]
    limit = WorkLimit(_NANOSECONDS)
    boxes, parts = certificate["boxes"], iter(certificate["parts"])
    known: dict[int, tuple[Fraction, ...]] = {}
    while corners:
        corner = corners.pop()
        limit.spend(_PER_CORNER)
        if windows.value([corner]) >= bound:
            continue
        place = next(parts, None)
        if type(place) is not int or not 0 <= place < len(boxes):
            return False
        if place not in known:
            limits = tuple(exact_value(text, ARGUMENT_DIGITS) for text in boxes[place]["limits"])
            if len(limits) != len(corner) or not _has_no_plans(boxes[place], limits, windows, limit):
                return False
            known[place] = limits
        limits = known[place]
        if any(low >= high for low, high in zip(corner, limits, strict=True)):
            return False
        corners += [(*corner[:k], limits[k], *corner[k + 1 :]) for k in reversed(range(len(corner)))]
    return next(parts, None) is None


def _has_no_plans(
    box: Mapping[str, Any], limits: Sequence[Fraction], windows: RecordedWindows, limit: WorkLimit
) -> bool:
    """Whether no plan is below all of the limits: its replicas would weigh more than all GPUs carry."""
    units = zip(windows.loads, windows.units, strict=True)
    layers = [Layer.of(loads, windows.deployment, unit) for loads, unit in units]
    if any(not layer.even or layer.each or layer.nodes > 1 for layer in layers):
        raise CertificateError("window weightings are about an even split, and GPUs that are alike")
    tops = [layer.below(most) for layer, most in zip(layers, limits, strict=True)]
    ranges: Ranges | None = layers[0].ranges
    for layer, top in zip(layers, tops, strict=True):
        ranges = None if ranges is None or top <= 0 else needs(layer, top, ranges, limit)
    if ranges is None:
        return min(tops) > 0
    starts, weights = box["starts"], box["weights"]
    items = _items(starts, weights, layers, tops, ranges)
    carried = box["carried"]
    if type(carried) is not int or carried < 0:
        raise CertificateError("what a GPU carries is no natural number")

    def weight(expert: int, count: int) -> int:
        return count * int(weights[expert][bisect_right(starts[expert], count) - 1])

    layer = layers[0]
    if least_weight(layer, ranges, weight, limit) <= carried * layer.gpus:
        return False
    return none_heavier(items, layer.slots_per_gpu, layer.distinct, carried, limit)


def _items(
    starts: Sequence[Sequence[int]],
    weights: Sequence[Sequence[int]],
    layers: Sequence[Layer],
    tops: Sequence[int],
    ranges: Ranges,
) -> Items:
    """Each expert at each interval of its counts, as light as at the most of them.

    An interval goes from one of the expert's `starts` to the next, and counts within it share a weight.

    Raises
    ------
    CertificateError
        Intervals do not cover all counts, or weights are no natural numbers, or too large to be added up.
    """
    rows: list[tuple[int, int, int]] = []
    for expert, (low, high) in enumerate(zip(*ranges, strict=True)):
        own = [*starts[expert], high + 1]
        if len(own) - 1 != len(weights[expert]) or own[0] > low or not all(a < b for a, b in pairwise(own[:-1])):
            raise CertificateError("intervals of counts do not increase, or miss some")
        for first, after, weight in zip(own, own[1:], weights[expert], strict=False):
            if type(first) is not int or type(weight) is not int or weight < 0:
                raise CertificateError("an interval or its weight is no natural number")
            most = min(after - 1, high)
            if first <= high and most >= low:
                rows.append((expert, most, weight))
    if max((weight for *_, weight in rows), default=0) * max(1, layers[0].slots) >= 2**62:
        raise CertificateError("weights are too large")
    loads = [
        [_CAPACITY * layer.loads[expert] // (count * top) for layer, top in zip(layers, tops, strict=True)]
        for expert, count, _ in rows
    ]
    experts, _, heavy = zip(*rows, strict=True)
    # What is too heavy for a GPU by itself would not fit into 64 bits, perhaps.
    capped = np.minimum(np.array(loads, dtype=object), _CAPACITY + 1).astype(np.int64)
    return Items(capped, np.array(heavy, dtype=np.int64), np.array(experts, dtype=np.int64), _CAPACITY)
