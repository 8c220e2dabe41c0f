"""Window weightings: weights of replicas, by expert and count, that no GPU can carry in all windows at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, lcm
from typing import Any

import numpy as np

from eplb_opt.certificates.counts import needs_of_all
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.joint_patterns import Items, Room, none_heavier
from eplb_opt.certificates.layer import Layer, Ranges
from eplb_opt.certificates.least_weight import least_weight
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.windows import RecordedWindows, proven_of_each

# Loads are rounded down to such parts of a mean load, and weights of windows to such parts of all of them.
_LOAD, _SHARE = 2**34, 2**18
# In nanoseconds, what a region costs besides its weighting.
_PER_REGION = 10_000

# Imbalances are at least the former, and below the latter.
Region = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def proves_by_window_weightings(
    certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, limit: WorkLimit
) -> bool:
    """Whether all imbalances that are worth less than the bound are in regions without plans."""
    alone = proven_of_each(certificate["windows"], windows) if "windows" in certificate else windows.lower
    lower = tuple(map(max, alone, windows.lower))
    regions: list[Region] = [(lower, tuple(windows.highest(lower, k, bound) for k in range(len(lower))))]
    parts = iter(certificate["parts"])
    while regions:
        lower, upper = regions.pop()
        limit.spend(_PER_REGION)
        if windows.value([lower]) >= bound or any(low >= high for low, high in zip(lower, upper, strict=True)):
            continue
        upper = tuple(min(high, windows.highest(lower, k, bound)) for k, high in enumerate(upper))
        part = next(parts, None)
        if not isinstance(part, list) or len(part) not in (1, 2) or type(part[0]) is not int or part[0] < 0:
            return False
        if len(part) == 1:
            if not _has_no_plans(certificate["weightings"][part[0]], (lower, upper), bound, windows, limit):
                return False
            continue
        window, at = part[0], exact_value(part[1], ARGUMENT_DIGITS)
        regions.append(((*lower[:window], max(at, lower[window]), *lower[window + 1 :]), upper))
        regions.append((lower, (*upper[:window], min(at, upper[window]), *upper[window + 1 :])))
    return next(parts, None) is None


def _has_no_plans(
    weighting: Mapping[str, Any], region: Region, bound: Fraction, windows: RecordedWindows, limit: WorkLimit
) -> bool:
    """Whether no plan has imbalances of a region: its replicas would weigh more than all GPUs carry."""
    layers = windows.layers()
    if windows.above * _LOAD * layers[0].slots_per_gpu >= 2**62:
        raise CertificateError("loads are too large for window weightings")
    tops = [layer.below(most) for layer, most in zip(layers, region[1], strict=True)]
    ranges = needs_of_all(layers, tops, limit)
    if ranges is None:
        return True
    starts, weights = weighting["starts"], weighting["weights"]
    items = _items(starts, weights, layers, ranges, _room(region, bound, windows))
    carried = weighting["carried"]
    if type(carried) is not int or carried < 0:
        raise CertificateError("what a GPU carries is no natural number")

    def weight(expert: int, count: int) -> int:
        return count * int(weights[expert][bisect_right(starts[expert], count) - 1])

    layer = layers[0]
    if least_weight(layer, ranges, weight, limit) <= carried * layer.gpus:
        return False
    return none_heavier(items, layer.slots_per_gpu, layer.distinct, carried, limit)


def _room(region: Region, bound: Fraction, windows: RecordedWindows) -> Room:
    """What a GPU of a plan with imbalances of a region may carry, rounded so that nothing is left out."""
    lower, upper = region
    high = np.array([ceil(limit * _LOAD) for limit in upper], dtype=np.int64)
    low = np.array([floor(limit * _LOAD) for limit in lower], dtype=np.int64)
    if windows.weights is None:
        return Room(high, low, np.zeros_like(high), 0)
    total = sum(windows.weights, Fraction(0))
    shares = [weight / total for weight in windows.weights]
    # Whole numbers that are the shares exactly, where they can be.
    common = lcm(*(share.denominator for share in shares))
    parts = max(1, _SHARE // common) * common if common <= _SHARE else _SHARE
    most = ceil(bound * _LOAD * parts)
    if most >= 2**62 or int(high.max()) * parts >= 2**62:
        raise CertificateError("imbalances are too large for window weightings")
    return Room(high, low, np.array([floor(share * parts) for share in shares], dtype=np.int64), most)


def _items(
    starts: Sequence[Sequence[int]],
    weights: Sequence[Sequence[int]],
    layers: Sequence[Layer],
    ranges: Ranges,
    room: Room,
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
        [
            _LOAD * layer.loads[expert] * scale.denominator // (count * scale.numerator)
            for layer, scale in ((layer, layer.units_per_token) for layer in layers)
        ]
        for expert, count, _ in rows
    ]
    experts, _, heavy = zip(*rows, strict=True)
    return Items(np.array(loads).T, np.array(heavy, dtype=np.int64), np.array(experts, dtype=np.int64), room)
