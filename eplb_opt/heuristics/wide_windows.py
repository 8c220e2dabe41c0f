"""Wide reassignment for several windows: the slots of many GPUs at once, often with a replica of another expert.

Near the mean load hardly any few GPUs have a better assignment. Of 20 or 30 GPUs there are so many assignments that
some are better, and so few patterns are within the limits of all windows that an exact cover by them is soon found. It
is found the sooner the more room there is on these GPUs, and what others leave free is of no use: beside the hottest
they are the coldest. GPUs that are covered first end full, which leaves others cold for the next attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from eplb_opt.heuristics.segment import Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Bools, Floats, Ints
from eplb_opt.kernels.pattern_cover import MOST_ITEMS, cover
from eplb_opt.kernels.window_patterns import window_patterns
from eplb_opt.objective import Windows

# Slots of a GPU for which it is of use: of three there are too few patterns that fit, of six too many that do not. And
# GPUs at least: fewer are soon reassigned otherwise.
WIDE_WINDOW_SIZES, _LEAST_GPUS = (4, 5), 16
# Windows at most: a pattern has to fit all of them.
_MOST_WINDOWS = 5
# GPUs that are reassigned: as many as have so many patterns, by an estimate; by how much their number differs from
# that, at random; and how many at least.
_EXPECTED, _SPREAD, _FEWEST = 3_000, (0.85, 1.15), 5
# How far the new limit of a window is below its hottest GPU, as a part of what that is above the mean. GPUs above the
# limit are at most this part of those that are reassigned.
_STEP, _HOT_PART = (0.02, 0.18), 1 / 3
# How often another window may be hotter for it, by this part of what the mean of windows gains.
_EXCHANGES, _RETURNED = 0.5, 0.7
# GPUs are drawn in proportion to this power of their rank, the coldest being the last.
_COLDNESS = 8
# How often an expert gets a replica of another one, and how many are drawn of which the heaviest gets it. The others of
# the one that loses it must not be heavier after that, in mean GPU loads: hardly any pattern would hold them.
_TRANSFERS, _DRAWN, _HEAVIEST = 0.8, 8, 0.7
# How much less than their own mean these GPUs may carry, in what the limit is above that.
_DEPTH = 3.0
# Patterns at most, those that are kept, and looks of the search for a cover: those that need more are rarer than others
# that need less.
_MOST_PATTERNS, _KEPT, _MOST_LOOKS = 20_000, 4_000, 100_000
# Seconds of work: of an attempt, of a half of a pattern, of a pattern, of a look.
_PER_ATTEMPT, _PER_HALF, _PER_PATTERN, _PER_LOOK = 5e-4, 6e-8, 1e-7, 2.5e-8
# Sums of loads may be off by this part.
_ROUNDING = 1e-12


def reassigns_widely(instance: Instance, windows: Windows) -> bool:
    """Whether there are many GPUs with few slots, free of nodes, and few windows."""
    deployment = instance.deployment
    fits = deployment.slots_per_gpu in WIDE_WINDOW_SIZES and deployment.num_gpus >= _LEAST_GPUS
    return fits and deployment.distinct and deployment.binding_nodes == 1 and len(windows.loads) <= _MOST_WINDOWS


@dataclass
class _Table:
    """A plan of one layer that changes.

    Attributes
    ----------
    slots, totals, counts
        Experts ``(GPUs, size)``, their loads ``(experts, windows)`` and numbers of replicas.
    mean
        Load of a GPU on average, by window.
    replicas, loads, tops
        Loads of a replica of each expert, of GPUs, and of the hottest of them, by window.
    """

    slots: Ints
    totals: Floats
    counts: Ints

    def __post_init__(self) -> None:
        self.mean: Floats = self.totals.sum(axis=0) / len(self.slots)
        self._add_up()

    def assign(self, members: Ints, experts: Ints, counts: Ints) -> None:
        """Have some GPUs hold `experts`, which changes the counts of the layer."""
        self.slots[members], self.counts = experts, counts
        self._add_up()

    def _add_up(self) -> None:
        self.replicas: Floats = self.totals / self.counts[:, np.newaxis]
        self.loads: Floats = self.replicas[self.slots.T].sum(axis=0)
        self.tops: Floats = self.loads.max(axis=0)


def reassigned_widely(instance: Instance, windows: Windows, slots: Slots, seconds: float, seed: int) -> Slots:
    """A plan that is at least as cool as `slots`, after about so many `seconds` of work; same arguments, same plan."""
    random = np.random.default_rng(seed % 2**64)
    table = _Table(
        slots.reshape(instance.deployment.num_gpus, -1).copy(),
        np.ascontiguousarray(windows.loads.T),
        np.bincount(slots, minlength=instance.num_experts),
    )
    while seconds > 0:
        seconds -= _PER_ATTEMPT + _attempt(table, windows, instance.max_replicas, random)
    return table.slots.ravel()


def _attempt(table: _Table, windows: Windows, max_replicas: int, random: np.random.Generator) -> float:
    """Reassign the slots of some GPUs if that cools the hottest; seconds of work."""
    number = _number(table, random)
    most = _limits(table, windows, number, random)
    hot = (table.loads > most * (1 + _ROUNDING)).any(axis=1)
    if not hot.any() or 2 * hot.sum() > number:
        return 0.0
    losing = _losing(table, number, random)
    members = _members(table, most, hot | (table.slots == losing).any(axis=1), number, random)
    experts, counts = table.slots[members].ravel(), table.counts.copy()
    gaining = _gaining(table, experts, losing, max_replicas, random)
    if gaining >= 0:
        experts[np.argmax(experts == losing)] = gaining
        counts[losing], counts[gaining] = counts[losing] - 1, counts[gaining] + 1
    experts.sort()
    loads = table.totals[experts] / counts[experts, np.newaxis]
    slack = len(members) * most - loads.sum(axis=0)
    if slack.min() <= 0 or experts.size > MOST_ITEMS:
        return 0.0
    items, work = _assigned(loads, experts, len(members), most, slack)
    if items is not None:
        table.assign(members, experts[items], counts)
    return work


def _assigned(loads: Floats, experts: Ints, number: int, most: Floats, slack: Floats) -> tuple[Ints | None, float]:
    """Items for a `number` of GPUs, ``(number, size)``, none of them above `most`; and seconds of work."""
    size = experts.size // number
    mean = most - slack / number
    least = np.maximum(mean - _DEPTH * (most - mean), most - slack)
    patterns = window_patterns(loads, experts, size, least, most, _MOST_PATTERNS)
    work = _PER_HALF * experts.size ** (size - size // 2)
    if patterns is None:
        return None, work + _PER_PATTERN * _MOST_PATTERNS
    work += _PER_PATTERN * len(patterns)
    if np.bincount(patterns.ravel(), minlength=experts.size).min() == 0:
        return None, work
    spare = np.maximum(most - loads[patterns.T].sum(axis=0), 0.0)
    # The fullest first: what they leave free is left to few.
    order = np.argsort(spare @ (1 / slack))[:_KEPT]
    patterns, spare = patterns[order], spare[order]
    chosen, looks = np.empty(number, dtype=np.int64), np.array([_MOST_LOOKS])
    found = cover(patterns, spare, experts.size, slack * (1 + _ROUNDING), chosen, looks)
    return patterns[chosen] if found else None, work + _PER_LOOK * int(_MOST_LOOKS - looks[0])


def _number(table: _Table, random: np.random.Generator) -> int:
    """Of how many GPUs slots are reassigned: of so many that about `_EXPECTED` patterns are within limits.

    By the density of a normal distribution at its mean, times the volume between the limits.
    """
    num_gpus, size = table.slots.shape
    room = (1 + _DEPTH) * (table.tops - table.mean)
    gpu = size * np.atleast_2d(np.cov(table.replicas[table.slots.ravel()].T))
    share = float(np.prod(room) / np.sqrt(max(np.linalg.det(2 * np.pi * gpu), np.finfo(float).tiny)))
    items = (_EXPECTED * factorial(size) / max(share, 1e-9)) ** (1 / size) * random.uniform(*_SPREAD)
    return int(np.clip(items / size, min(_FEWEST, num_gpus), min(MOST_ITEMS // size, num_gpus)))


def _limits(table: _Table, windows: Windows, number: int, random: np.random.Generator) -> Floats:
    """What a GPU may carry in each window: less than the hottest of one of them, or of all where that counts."""
    mean, tops = table.mean, table.tops
    k = int(np.argmax(tops)) if windows.worst else int(random.integers(tops.size))
    limit = tops[k] - random.uniform(*_STEP) * (tops[k] - mean[k])
    limit = max(limit, np.sort(table.loads[:, k])[-1 - max(1, int(_HOT_PART * number))])
    if windows.worst:
        return np.full(tops.size, limit)
    most = tops.copy()
    most[k] = limit
    coolest = int(np.argmin(tops / mean))
    if coolest != k and random.random() < _EXCHANGES:
        returned = _RETURNED * (tops[k] - limit) * windows.shares[k] / windows.shares[coolest]
        most[coolest] = min(tops[coolest] + returned, mean[coolest] * tops[k] / mean[k])
    return most


def _losing(table: _Table, number: int, random: np.random.Generator) -> int:
    """The expert that loses a replica, -1 for none: that of a random slot, with several on few GPUs."""
    if random.random() >= _TRANSFERS:
        return -1
    counts = table.counts
    after = table.totals.max(axis=1) / np.maximum(counts - 1, 1)
    may = table.slots[((counts > 1) & (2 * counts <= number) & (after <= _HEAVIEST))[table.slots]]
    return int(random.choice(may)) if may.size else -1


def _gaining(table: _Table, experts: Ints, losing: int, max_replicas: int, random: np.random.Generator) -> int:
    """The expert that gains it: the heaviest of some, all of whose replicas are among these; -1 for none."""
    if losing < 0:
        return -1
    inside = np.bincount(experts, minlength=table.counts.size)
    may = (inside == table.counts) & (inside < max_replicas)
    may[losing] = False
    drawn = random.choice(experts, _DRAWN)
    drawn = drawn[may[drawn]]
    return int(drawn[np.argmax(table.replicas[drawn].max(axis=1))]) if drawn.size else -1


def _members(table: _Table, most: Floats, required: Bools, number: int, random: np.random.Generator) -> Ints:
    """The GPUs that take part: those `required`, and cold ones."""
    others = np.flatnonzero(~required)
    more = min(max(number - int(required.sum()), 0), others.size)
    above = np.maximum(most - table.mean, np.finfo(float).tiny)
    room = ((most - table.loads[others]) / above).sum(axis=1)
    weight = (np.argsort(np.argsort(room)) + 1.0) ** _COLDNESS
    cold = random.choice(others, more, replace=False, p=weight / weight.sum()) if more else others[:0]
    return np.sort(np.concatenate([np.flatnonzero(required), cold]))
