"""Window draws: many GPUs of a plan for several windows, whose slots may be assigned anew within lower limits.

The hottest GPUs are among them. What room there is below the limits is shared by all GPUs, and what others leave free
is of no use to these: so the others are cold ones. Often an expert gets a replica of another one before that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Ints
from eplb_opt.objective import Windows

# How far the new limit of a window is below its hottest GPU, as a part of what that is above the mean. GPUs above the
# limit are at most this part of those that are drawn.
_STEP, _HOT_PART = (0.02, 0.18), 1 / 3
# How often another window may be hotter for it, by this part of what the mean of windows gains.
_EXCHANGES, _RETURNED = 0.5, 0.7
# How often an expert gets a replica of another one, and how many are drawn of which the heaviest gets it. The others of
# the one that loses it must not be heavier after that, in mean GPU loads: hardly any pattern would hold them.
_TRANSFERS, _DRAWN, _HEAVIEST = 0.8, 8, 0.7
# Sums of loads may be off by this part.
_ROUNDING = 1e-12


@dataclass
class Table:
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

    def assign(self, draw: Draw, items: Ints) -> None:
        """Have the GPUs of a draw hold its `items`, which changes the counts of the layer."""
        self.slots[draw.members], self.counts = draw.experts[items], draw.counts
        self._add_up()

    def _add_up(self) -> None:
        self.replicas: Floats = self.totals / self.counts[:, np.newaxis]
        self.loads: Floats = self.replicas[self.slots.T].sum(axis=0)
        self.tops: Floats = self.loads.max(axis=0)


@dataclass(frozen=True, eq=False)
class Draw:
    """GPUs, what their slots are to hold, and limits.

    Attributes
    ----------
    members
        The GPUs.
    experts, counts
        What their slots hold together, in increasing order, and replicas of each expert of the layer with that. An item
        is a place in `experts`.
    loads
        Of the items, shape ``(items, windows)``.
    most
        What a GPU may carry in each window.
    is_whole
        Whether all GPUs are drawn: limits may then be lower still.
    shares
        What each window counts for, if that is so and the mean of windows counts: one may then be hotter where others
        are cooler. ``None``: it may not.
    """

    members: Ints
    experts: Ints
    counts: Ints
    loads: Floats
    most: Floats
    is_whole: bool
    shares: Floats | None

    @property
    def slack(self) -> Floats:
        """What all these GPUs may leave free below the limits, by window."""
        slack: Floats = len(self.members) * self.most - self.loads.sum(axis=0)
        return slack

    def allows(self, tops: Floats) -> bool:
        """Whether the hottest GPUs of windows may carry as much as `tops`."""
        if self.shares is None:
            return bool((tops <= self.most * (1 + _ROUNDING)).all())
        return bool(self.shares @ tops <= self.shares @ self.most)


def draw_gpus(
    table: Table, windows: Windows, number: int, coldness: float, max_replicas: int, random: np.random.Generator
) -> Draw | None:
    """A `number` of GPUs, more if replicas ask for it; ``None`` where none is hot, too many are, or there is no slack.

    Cold GPUs are drawn in proportion to the power `coldness` of their rank, the coldest being the last.
    """
    most = _limits(table, windows, number, random)
    hot = (table.loads > most * (1 + _ROUNDING)).any(axis=1)
    if not hot.any() or 2 * hot.sum() > number:
        return None
    losing = _losing(table, number, random)
    members = _members(table, most, hot | (table.slots == losing).any(axis=1), number, coldness, random)
    experts, counts = table.slots[members].ravel(), table.counts.copy()
    gaining = _gaining(table, experts, losing, max_replicas, random)
    if gaining >= 0:
        experts[np.argmax(experts == losing)] = gaining
        counts[losing], counts[gaining] = counts[losing] - 1, counts[gaining] + 1
    experts.sort()
    is_whole = len(members) == len(table.slots)
    shares = windows.shares if is_whole and not windows.worst else None
    draw = Draw(members, experts, counts, table.totals[experts] / counts[experts, np.newaxis], most, is_whole, shares)
    return draw if draw.slack.min() > 0 else None


def _limits(table: Table, windows: Windows, number: int, random: np.random.Generator) -> Floats:
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


def _losing(table: Table, number: int, random: np.random.Generator) -> int:
    """The expert that loses a replica, -1 for none: that of a random slot, with several on few GPUs."""
    if random.random() >= _TRANSFERS:
        return -1
    counts = table.counts
    after = table.totals.max(axis=1) / np.maximum(counts - 1, 1)
    may = table.slots[((counts > 1) & (2 * counts <= number) & (after <= _HEAVIEST))[table.slots]]
    return int(random.choice(may)) if may.size else -1


def _gaining(table: Table, experts: Ints, losing: int, max_replicas: int, random: np.random.Generator) -> int:
    """The expert that gains it: the heaviest of some, all of whose replicas are among these; -1 for none."""
    if losing < 0:
        return -1
    inside = np.bincount(experts, minlength=table.counts.size)
    may = (inside == table.counts) & (inside < max_replicas)
    may[losing] = False
    drawn = random.choice(experts, _DRAWN)
    drawn = drawn[may[drawn]]
    return int(drawn[np.argmax(table.replicas[drawn].max(axis=1))]) if drawn.size else -1


def _members(
    table: Table, most: Floats, required: Bools, number: int, coldness: float, random: np.random.Generator
) -> Ints:
    """The GPUs that take part: those `required`, and cold ones."""
    others = np.flatnonzero(~required)
    more = min(max(number - int(required.sum()), 0), others.size)
    above = np.maximum(most - table.mean, np.finfo(float).tiny)
    room = ((most - table.loads[others]) / above).sum(axis=1)
    weight = (np.argsort(np.argsort(room)) + 1.0) ** coldness
    cold = random.choice(others, more, replace=False, p=weight / weight.sum()) if more else others[:0]
    return np.sort(np.concatenate([np.flatnonzero(required), cold]))
