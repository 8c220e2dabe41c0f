"""Apportionment: the published rules for how many replicas each expert of a node gets."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.parts import (
    ADAMS,
    CYCLIC,
    DHONDT,
    EVERYWHERE,
    HAMILTON,
    HUNTINGTON_HILL,
    LATE_SAINTE_LAGUE,
    SAINTE_LAGUE,
    WATERFILL,
    Replication,
)
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first

# Bounds on the share of the adaptive tail, and how it follows from the coefficient of variation of the loads.
_SHORTEST_TAIL, _LONGEST_TAIL, _TAIL_PER_VARIATION = 0.05, 0.15, 0.5


@compiled
def apportion(w: Floats, num_slots: int, num_gpus: int, most: int, replication: Replication) -> Ints:
    """Replica counts of a node's experts: at least one and at most `most` each, `num_slots` in all.

    `w` are the loads of the experts, shape ``(experts,)``. Ties go to the lower index.
    """
    redundant = num_slots - w.size
    tail = 0
    if replication.tail > 0.0 or replication.adaptive:
        tail = min(redundant, max(1, int(np.rint(redundant * _tail_share(w, replication)))))
    counts = _bulk(w, num_slots - tail, num_gpus, most, replication.rule)
    if tail:
        late = divisor_method(w, counts, tail, most, replication.tail_rule)
        if replication.adaptive:
            other = divisor_method(w, counts, tail, most, HUNTINGTON_HILL)
            if _hottest(w, other) < _hottest(w, late):
                late = other
        counts = late
    if replication.fixups:
        fix_up(w, counts, most, replication.fixups)
    return counts


@compiled
def _hottest(w: Floats, counts: Ints) -> float:
    """The largest load of a replica."""
    hottest = 0.0
    for expert in range(w.size):
        hottest = max(hottest, w[expert] / counts[expert])
    return hottest


@compiled
def _tail_share(w: Floats, replication: Replication) -> float:
    if not replication.adaptive:
        return replication.tail
    mean, squares = w.sum() / w.size, 0.0
    for expert in range(w.size):
        squares += (w[expert] - mean) * (w[expert] - mean)
    variation = (squares / w.size) ** 0.5 / mean if mean > 0.0 else 0.0
    return min(_LONGEST_TAIL, max(_SHORTEST_TAIL, _TAIL_PER_VARIATION * variation))


@compiled
def _bulk(w: Floats, num_slots: int, num_gpus: int, most: int, rule: Index) -> Ints:
    ones = np.ones(w.size, dtype=np.int64)
    spare = num_slots - w.size
    if rule == WATERFILL:
        below = _below_level(w, num_slots, most)
        return divisor_method(w, below, num_slots - below.sum(), most, ADAMS)
    if rule == HAMILTON:
        return _hamilton(w, num_slots, most)
    if rule == CYCLIC:
        return _cyclic(w.size, num_slots, most)
    if rule == EVERYWHERE:
        hottest = min(w.size, spare // (num_gpus - 1)) if num_gpus > 1 else 0
        order = heaviest_first(w)
        for rank in range(hottest):
            ones[order[rank]] = min(most, num_gpus)
        return divisor_method(w, ones, num_slots - ones.sum(), most, ADAMS)
    return divisor_method(w, ones, spare, most, rule)


@compiled
def divisor_method(w: Floats, start: Ints, seats: int, most: int, rule: Index) -> Ints:
    """Counts from `start` on, after so many more replicas by a divisor method.

    Ties go to the lower index; no expert gets more than `most`.
    """
    counts = start.copy()
    priority = np.empty(w.size)
    for each in range(w.size):
        priority[each] = _priority(w[each], counts[each], rule) if counts[each] < most else -1.0
    for _ in range(seats):
        expert = np.argmax(priority)
        counts[expert] += 1
        priority[expert] = _priority(w[expert], counts[expert], rule) if counts[expert] < most else -1.0
    return counts


@compiled
def _priority(load: float, r: int, rule: Index) -> float:
    if rule == DHONDT:
        return load / (r + 1)
    if rule == SAINTE_LAGUE:
        return load / (2 * r + 1)
    if rule == LATE_SAINTE_LAGUE:
        return load / (2 * r - 1)
    if rule == HUNTINGTON_HILL:
        return float(load / np.sqrt(r * (r + 1.0)))
    return load / r


@compiled
def _below_level(w: Floats, num_slots: int, most: int) -> Ints:
    """Counts that bring every replica to a level, as low as bisection can tell that the slots allow."""
    low, high = w.sum() / num_slots, w[np.argmax(w)]
    counts = np.ones(w.size, dtype=np.int64)
    if high <= 0.0:
        return counts
    for _ in range(60):
        level = 0.5 * (low + high)
        needed = 0
        for expert in range(w.size):
            needed += min(most, max(1, int(np.ceil(w[expert] / level))))
        if needed > num_slots:
            low = level
        else:
            high = level
    for expert in range(w.size):
        counts[expert] = min(most, max(1, int(np.ceil(w[expert] / high))))
    return counts


@compiled
def _hamilton(w: Floats, num_slots: int, most: int) -> Ints:
    """Quotas of the slots, rounded down, then the largest remainders; experts below a quota of one, or above `most`,
    get that, and the others share what is left."""
    counts = np.zeros(w.size, dtype=np.int64)
    left, total, unsettled = num_slots, w.sum(), w.size
    quota = np.ones(w.size)
    settled = True
    while settled:
        settled = False
        # Quotas of the others shrink when experts get more than theirs, so those come first.
        for wanted in (1, most):
            for expert in range(w.size):
                if counts[expert]:
                    continue
                quota[expert] = w[expert] * left / total if total > 0.0 else left / unsettled
            for expert in range(w.size):
                if counts[expert] or (quota[expert] >= 1.0 if wanted == 1 else quota[expert] <= most):
                    continue
                counts[expert] = wanted
                settled = True
            if settled:
                break
        if settled:
            left, total, unsettled = num_slots - counts.sum(), 0.0, 0
            for expert in range(w.size):
                if not counts[expert]:
                    total += w[expert]
                    unsettled += 1
    rest = np.empty(w.size)
    for expert in range(w.size):
        if counts[expert]:
            rest[expert] = -1.0
        else:
            rest[expert] = quota[expert] - np.floor(quota[expert])
            counts[expert] = int(quota[expert])
    # Remainders first; where caps or rounding left more, the hottest replicas.
    order = heaviest_first(rest)
    given = counts.sum()
    for rank in range(w.size):
        expert = order[rank]
        if rest[expert] >= 0.0 and counts[expert] < most and given < num_slots:
            counts[expert] += 1
            given += 1
    return divisor_method(w, counts, num_slots - given, most, ADAMS)


@compiled
def _cyclic(num_experts: int, num_slots: int, most: int) -> Ints:
    counts = np.ones(num_experts, dtype=np.int64)
    expert = 0
    for _ in range(num_slots - num_experts):
        while counts[expert] >= most:
            expert = (expert + 1) % num_experts
        counts[expert] += 1
        expert = (expert + 1) % num_experts
    return counts


@compiled
def fix_up(w: Floats, counts: Ints, most: int, width: int) -> bool:
    """Move one replica from an expert with cold replicas to one with hot ones, where the hottest gets cooler for it.

    Of the `width` coldest that have two or more and the `width` hottest, the move that leaves the coolest hottest
    replica. Whether there was one; `counts` is changed. The other direction, from the hottest to the coldest, raises
    the hottest replica always.
    """
    share = w / counts
    order = heaviest_first(share)
    best, best_giver, best_taker = share[order[0]], -1, -1
    givers = 0
    for rank in range(w.size - 1, -1, -1):
        giver = order[rank]
        if counts[giver] < 2:
            continue
        givers += 1
        if givers > width:
            break
        for taker in order[:width]:
            if taker == giver or counts[taker] >= most:
                continue
            others = 0.0
            for expert in order[: width + 2]:
                if expert != giver and expert != taker:
                    others = max(others, share[expert])
            new = max(others, w[giver] / (counts[giver] - 1), w[taker] / (counts[taker] + 1))
            if new < best:
                best, best_giver, best_taker = new, giver, taker
    if best_giver < 0:
        return False
    counts[best_giver] -= 1
    counts[best_taker] += 1
    return True
