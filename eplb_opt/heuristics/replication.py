"""Replication: how many replicas each expert gets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from eplb_opt.kernels.compiler import Floats, Ints, compiled


def adams(weights: Sequence[int], loads: Floats, num_slots: int, max_replicas: int) -> Ints:
    """Replica counts that minimise the largest slot load, exactly: the next replica goes to the largest ``w / r``.

    Adams' divisor method. Compiled code deals the replicas by `loads`, the `weights` as floats; then integers show
    that no counts reach less than its value v: below v an expert needs more than ``w / v`` replicas, and these sum to
    more than the slots, or one expert needs more than `max_replicas`. Where rounding hid better counts, that test
    finds them.

    M. L. Balinski, H. P. Young: Fair Representation (1982); the same greedy: EPLB of DeepSeek-AI.
    """
    counts = adams_counts(loads, np.ones(len(weights), dtype=np.int64), num_slots, max_replicas)
    while value := largest_ratio(weights, counts.tolist()):
        needed = [weight * value.denominator // value.numerator + 1 if weight else 1 for weight in weights]
        if max(needed) > max_replicas or sum(needed) > num_slots:
            break
        counts = adams_counts(loads, np.array(needed), num_slots, max_replicas)
    return counts


def largest_ratio(weights: Sequence[int], counts: Sequence[int]) -> Fraction:
    """Largest ``weight / count``: the load of the hottest slot."""
    top, divisor = 0, 1
    for weight, count in zip(weights, counts, strict=True):
        if weight * divisor > top * count:
            top, divisor = weight, count
    return Fraction(top, divisor)


@compiled
def adams_counts(w: Floats, start: Ints, num_slots: int, max_replicas: int) -> Ints:
    """Replica counts from `start` on: the next replica goes to the largest ``w / r``, until the slots are full.

    Ties go to the lower index; no expert gets more than `max_replicas`.
    """
    counts = start.copy()
    priority = np.empty(w.size)
    for each in range(w.size):
        priority[each] = w[each] / counts[each] if counts[each] < max_replicas else -1.0
    for _ in range(num_slots - start.sum()):
        expert = np.argmax(priority)
        counts[expert] += 1
        priority[expert] = w[expert] / counts[expert] if counts[expert] < max_replicas else -1.0
    return counts
