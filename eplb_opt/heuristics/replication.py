"""Replication: how many replicas each expert gets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from eplb_opt.heuristics.apportionment import divisor_method
from eplb_opt.heuristics.parts import ADAMS
from eplb_opt.kernels.compiler import Floats, Ints


def adams(weights: Sequence[int], loads: Floats, num_slots: int, max_replicas: int) -> Ints:
    """Replica counts that minimise the largest slot load, exactly: the next replica goes to the largest ``w / r``.

    Adams' divisor method. Compiled code hands the replicas out by `loads`, the `weights` as floats; then integers show
    that no counts reach less than its value v: below v an expert needs more than ``w / v`` replicas, and these sum to
    more than the slots, or one expert needs more than `max_replicas`. Where rounding hid better counts, that test
    finds them.

    M. L. Balinski, H. P. Young: Fair Representation (1982); the same greedy: EPLB of DeepSeek-AI.
    """
    counts = divisor_method(loads, np.ones(len(weights), dtype=np.int64), num_slots - len(weights), max_replicas, ADAMS)
    while value := largest_ratio(weights, counts.tolist()):
        needed = [weight * value.denominator // value.numerator + 1 if weight else 1 for weight in weights]
        if max(needed) > max_replicas or sum(needed) > num_slots:
            break
        counts = divisor_method(loads, np.array(needed), num_slots - sum(needed), max_replicas, ADAMS)
    return counts


def largest_ratio(weights: Sequence[int], counts: Sequence[int]) -> Fraction:
    """Largest ``weight / count``: the load of the hottest slot."""
    top, divisor = 0, 1
    for weight, count in zip(weights, counts, strict=True):
        if weight * divisor > top * count:
            top, divisor = weight, count
    return Fraction(top, divisor)
