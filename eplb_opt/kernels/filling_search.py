"""Filling search: counts and GPUs for experts at once, each GPU with one of few patterns, by exact cover."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first

# Sums of loads may be off by this part of the max load, so that no cover is missed.
ROUNDING = 1e-10


class _Tables(NamedTuple):
    """What does not change during a search: experts of items, rows of items, and what those leave free."""

    experts: Ints
    patterns: Ints
    spare: Floats


class _Level(NamedTuple):
    """What is left at a depth of the search, one row for each depth; changes in place.

    Attributes
    ----------
    live, lives
        Patterns that are left, and how many.
    room
        How many more replicas of each item there may be, of an expert without any at all counts that are possible.
    begun
        How many replicas each expert has, at all depths together: one row.
    at, branch
        The next pattern to look at, and the expert to cover.
    """

    live: Ints
    lives: Ints
    room: Ints
    begun: Ints
    at: Ints
    branch: Ints


@compiled
def search_fillings(
    v: Floats, experts: Ints, numbers: Ints, patterns: Ints, most: float, chosen: Ints, looks: Ints
) -> bool:
    """Choose as many `patterns` as `chosen` has places so that each expert is covered; whether there are such.

    An item is an expert, in `experts`, with a number of slots that it has then, in `numbers`; each of these has load
    `v`. An expert is covered if one of its items is in as many patterns as its number says, and no other item in any. A
    pattern is a row of items in increasing order, and its load is at most `most`.

    Depth first: the expert in the fewest patterns that are left is covered by each of them in turn. The same patterns
    in another order are not tried again, and a pattern must not be so light that the rest has no room. After each
    choice counts are given up that need more replicas than are in the patterns that are left, each as often as its
    rarest replica, or that leave the others too few or too many slots, and their patterns with them, until nothing
    changes. A node takes longer than without that, and there are fewer: no plan of `lognormal-0.5-64x96x32` is within
    31250.79, which takes 8,181 nodes instead of 176,432. ``looks[0]``, patterns and items that are looked at, is
    counted down and ends the search; if it is above 0, False is a proof.
    Source: D. E. Knuth, Dancing links (2000), https://arxiv.org/abs/cs/0011047, for exact cover by the rarest item.
    """
    num = chosen.size
    order, patterns, spare = _by_spare(v, patterns, most)
    tables = _Tables(experts, patterns, spare)
    num_experts = experts[np.argmax(experts)] + 1
    level = _Level(
        np.empty((num + 1, order.size), dtype=np.int64),
        np.zeros(num + 1, dtype=np.int64),
        np.empty((num + 1, experts.size), dtype=np.int64),
        np.zeros(num_experts, dtype=np.int64),
        np.zeros(num + 1, dtype=np.int64),
        np.zeros(num + 1, dtype=np.int64),
    )
    left = np.empty(num + 1)
    left[0] = (1.0 + ROUNDING) * num * most - _total(v, experts, numbers)
    for item in range(experts.size):
        level.room[0, item] = numbers[item]
    for position in range(order.size):
        level.live[0, position] = position
    level.lives[0] = order.size
    if not _narrow(tables, level, 0, left[0], num, looks):
        return False
    depth = 0
    while looks[0] > 0:
        position, item = _next_with(tables, level, depth)
        if position < 0:
            if depth == 0:
                return False
            depth -= 1
            _count(tables, level, level.live[depth, level.at[depth] - 1], -1)
            continue
        level.at[depth] = position + 1
        pattern = level.live[depth, position]
        left[depth + 1] = left[depth] - spare[pattern]
        if left[depth + 1] < 0.0:
            continue
        chosen[depth] = order[pattern]
        if depth + 1 == num:
            return True
        _count(tables, level, pattern, 1)
        _take(tables, level, depth, position, item)
        if _narrow(tables, level, depth + 1, left[depth + 1], num - depth - 1, looks):
            depth += 1
        else:
            _count(tables, level, pattern, -1)
    return False


@compiled
def _by_spare(v: Floats, patterns: Ints, most: float) -> tuple[Ints, Ints, Floats]:
    """An order of patterns, the fullest first; these in that order, and what each leaves free."""
    load = np.zeros(patterns.shape[0])
    for pattern in range(load.size):
        for item in patterns[pattern]:
            load[pattern] += v[item]
    order = heaviest_first(load)
    ordered, spare = np.empty(patterns.shape, dtype=np.int64), np.empty(load.size)
    for position in range(load.size):
        spare[position] = max(0.0, most - load[order[position]])
        # One by one, as a whole row takes the compiler seconds.
        for part in range(patterns.shape[1]):
            ordered[position, part] = patterns[order[position], part]
    return order, ordered, spare


@compiled
def _total(v: Floats, experts: Ints, numbers: Ints) -> float:
    """The load of all experts: of each, that of all replicas at any of its counts."""
    total = 0.0
    known = np.zeros(experts[np.argmax(experts)] + 1, dtype=np.int64)
    for item in range(v.size):
        if not known[experts[item]]:
            known[experts[item]] = 1
            total += v[item] * numbers[item]
    return total


@compiled
def _count(tables: _Tables, level: _Level, pattern: Index, more: int) -> None:
    for item in tables.patterns[pattern]:
        level.begun[tables.experts[item]] += more


@compiled
def _next_with(tables: _Tables, level: _Level, depth: int) -> tuple[int, int]:
    """The next position of a pattern with the expert to cover, and its item; -1 if there is none."""
    for position in range(level.at[depth], level.lives[depth]):
        for item in tables.patterns[level.live[depth, position]]:
            if tables.experts[item] == level.branch[depth]:
                return position, item
    return -1, -1


@compiled
def _take(tables: _Tables, level: _Level, depth: int, position: int, covering: Index) -> None:
    """What is left below a depth once the pattern at a position is chosen."""
    room, after = level.room[depth], level.room[depth + 1]
    pattern = tables.patterns[level.live[depth, position]]
    for item in range(room.size):
        after[item] = room[item]
        for other in pattern:
            if tables.experts[other] == tables.experts[item]:
                after[item] = 0
    for item in pattern:
        after[item] = room[item]
    for item in pattern:
        after[item] -= 1
    kept = 0
    for place in range(level.lives[depth]):
        other = level.live[depth, place]
        # Patterns before this one had their turn to cover the same item.
        tried = False
        if place < position:
            for item in tables.patterns[other]:
                tried |= item == covering
        if not tried:
            level.live[depth + 1, kept] = other
            kept += 1
    level.lives[depth + 1] = kept


@compiled
def _narrow(tables: _Tables, level: _Level, depth: int, spare: float, gpus: int, looks: Ints) -> bool:
    """Leave out patterns and counts that no cover has, and say which expert to cover; whether any cover may be left."""
    room, begun, experts = level.room[depth], level.begun, tables.experts
    slots = gpus * tables.patterns.shape[1]
    times, found = np.empty(room.size, dtype=np.int64), np.empty(begun.size, dtype=np.int64)
    fewest, largest = np.empty(begun.size, dtype=np.int64), np.empty(begun.size, dtype=np.int64)
    changed = True
    while changed:
        looks[0] -= level.lives[depth] + room.size
        _sift(tables, level, depth, spare, times, found)
        for expert in range(begun.size):
            fewest[expert], largest[expert] = slots + 1, 0
        changed = False
        for item in range(room.size):
            if times[item] < room[item]:
                if begun[experts[item]]:
                    return False
                room[item] = 0
                changed = True
            if room[item]:
                fewest[experts[item]] = min(fewest[experts[item]], room[item])
                largest[experts[item]] = max(largest[experts[item]], room[item])
        least = most = 0
        for expert in range(begun.size):
            if not largest[expert]:
                if not begun[expert]:
                    return False
                fewest[expert] = 0
            least += fewest[expert]
            most += largest[expert]
        if least > slots or most < slots:
            return False
        for item in range(room.size):
            expert = experts[item]
            above = room[item] > slots - least + fewest[expert]
            if room[item] and (above or room[item] < slots - most + largest[expert]):
                room[item] = 0
                changed = True
    level.at[depth], level.branch[depth] = 0, -1
    for expert in range(begun.size):
        rarest = level.branch[depth]
        if largest[expert] and (rarest < 0 or found[expert] < found[rarest]):
            level.branch[depth] = expert
    return True


@compiled
def _sift(tables: _Tables, level: _Level, depth: int, spare: float, times: Ints, found: Ints) -> None:
    """Leave out patterns for which there is no room, and count the others.

    Into `times` how often they may have each item, each pattern as often as its rarest replica; into `found` how many
    have a replica of each expert, with copies.
    """
    experts, patterns, live, room = tables.experts, tables.patterns, level.live[depth], level.room[depth]
    for item in range(times.size):
        times[item] = 0
    for expert in range(found.size):
        found[expert] = 0
    kept = 0
    for place in range(level.lives[depth]):
        pattern = live[place]
        if tables.spare[pattern] > spare:
            break
        often, copies = room[patterns[pattern, 0]], 1
        for part in range(1, patterns.shape[1]):
            item = patterns[pattern, part]
            copies = copies + 1 if item == patterns[pattern, part - 1] else 1
            often = min(often, room[item] if room[item] >= copies else 0)
        if often:
            live[kept] = pattern
            kept += 1
            for part in range(patterns.shape[1]):
                item = patterns[pattern, part]
                times[item] += often
                found[experts[item]] += 1
    level.lives[depth] = kept
