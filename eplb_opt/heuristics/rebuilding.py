"""Rebuilding: most GPUs of a plan, or all, filled anew: one by one with what leaves least room, the last by a cover.

The heaviest expert that is left gets a GPU, and the set of others with which it is fullest. There are so many sets at
first that GPUs end far fuller than the limits ask for, which leaves the last ones more room than their share. How much
depends on the order in which experts get GPUs, and on which window may be how hot: both are changed a little at a time,
for as long as that does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from eplb_opt.heuristics.window_covers import Patterns
from eplb_opt.heuristics.window_draws import Draw
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.fullest_patterns import fill

# GPUs at the end that are covered.
LAST = 12
# How much the first order differs from the heaviest first, as a deviation of logarithms of loads. A new one differs for
# so many experts at most, by so much.
_DEVIATION, _MOST_CHANGED, _CHANGE = 0.1, 4, 0.4
# How often two limits are exchanged instead, by what part of the lower one's excess over the mean at most.
_EXCHANGES, _EXCHANGED = 0.3, 0.5
# What limits are above the mean. Where they are open, that is at first so many times what it may be. It is lowered to
# one of three parts where there are too many patterns to list, and to the part after these below a plan that was found.
_LOOSE, _LOWER, _NEXT = 3.0, (0.7, 0.9, 0.97), 0.95
# A cover is looked for, so often, where items are in so many patterns, in logarithms; an item in none counts as so many
# fewer. Patterns are taken in the order of what they leave free, times a random number of this deviation.
_ENOUGH, _NONE, _COVERS, _NOISE = 3.6, 0.5, 5, 0.3
# Seconds of work after which a rebuilding without a new plan ends, and all of them; of a look, and of a GPU.
_WORK, _MOST_WORK, _PER_LOOK, _PER_GPU = 0.2, 1.0, 1.5e-8, 1e-6


@dataclass(frozen=True, eq=False)
class _Filling:
    """GPUs that were filled in an order.

    Attributes
    ----------
    keys
        Items are taken in decreasing order of these.
    most
        What a GPU may carry in each window.
    gpus, filled
        Items of GPUs ``(GPUs, size)``, and how many GPUs were filled.
    left
        What the others may leave free together, by window.
    patterns
        Of these, with the items that are left; ``None`` where not enough were filled.
    work
        Seconds of work that it took.
    """

    keys: Floats
    most: Floats
    gpus: Ints
    filled: int
    left: Floats
    patterns: Patterns | None
    work: float

    @property
    def is_easy(self) -> bool:
        """Whether there are more patterns than are listed, and limits can be lower."""
        return self.patterns is not None and self.patterns.rows is None

    @cached_property
    def enough(self) -> float:
        """In how many patterns an item is, in logarithms: the more, the sooner a cover is found."""
        if self.patterns is None:
            return -np.inf
        if self.is_easy:
            return np.inf
        times = self.patterns.times
        return float(np.log(times + 0.1).mean() - _NONE * np.count_nonzero(times == 0))

    @property
    def worth(self) -> tuple[int, float]:
        """Of two fillings the larger one is better."""
        room = float(np.log(self.left).sum()) if self.left.min() > 0 else -np.inf
        return self.filled, room if self.patterns is None else room + self.enough


def rebuilt(draw: Draw, random: np.random.Generator) -> tuple[Ints | None, float]:
    """Items for the GPUs of a draw, shape ``(GPUs, size)``, within its limits, if found; and seconds of work."""
    mean, most, found = draw.loads.sum(axis=0) / len(draw.members), draw.most, None
    if draw.shares is not None:
        most = mean + _LOOSE * (draw.shares @ (most - mean))
    filling = _filled(draw, most, _first_keys(draw, random), None)
    work = filling.work
    end = work + _WORK
    while work < end:
        if filling.is_easy:
            filling = _lowered(draw, mean, filling)
            # From loose limits it is a long way.
            work, end = work + filling.work, end + filling.work
            continue
        changed = _changed(draw, mean, filling, random)
        work += changed.work
        if changed.worth < filling.worth:
            continue
        is_better, filling = changed.worth > filling.worth, changed
        gpus, spent = _covered(filling, random) if is_better else (None, 0.0)
        work += spent
        if gpus is None:
            continue
        tops = draw.loads[gpus].sum(axis=1).max(axis=0)
        if draw.allows(tops):
            found = gpus
        if not draw.is_whole:
            break
        filling = _filled(draw, mean + _NEXT * (np.minimum(tops, filling.most) - mean), filling.keys, None)
        work += filling.work
        end = min(work + _WORK, _MOST_WORK)
    return found, work


def _lowered(draw: Draw, mean: Floats, filling: _Filling) -> _Filling:
    """The same order with lower limits: by a large step, or a smaller one where after that not enough is filled."""
    work = 0.0
    for part in _LOWER:
        lower = _filled(draw, mean + part * (filling.most - mean), filling.keys, None)
        work += lower.work
        if lower.patterns is not None:
            break
    return replace(lower, work=work)


def _covered(filling: _Filling, random: np.random.Generator) -> tuple[Ints | None, float]:
    """All GPUs of a filling, with a cover for the last ones if one is likely and found; and seconds of work."""
    patterns, work = filling.patterns, 0.0
    if patterns is None or filling.enough < _ENOUGH:
        return None, work
    for _ in range(_COVERS):
        items, spent = patterns.covered(np.exp(_NOISE * random.standard_normal(len(patterns.spare))))
        work += spent
        if items is not None:
            return np.concatenate([filling.gpus[:-LAST], filling.gpus[-LAST:].ravel()[items]]), work
    return None, work


def _filled(draw: Draw, most: Floats, keys: Floats, before: _Filling | None) -> _Filling:
    """GPUs filled in the order of `keys`, up to `most`; as in a filling `before` while the order is the same."""
    loads, experts, number = draw.loads, draw.experts, len(draw.members)
    gpus, looks = np.zeros((number, experts.size // number), dtype=np.int64), np.zeros(1, dtype=np.int64)
    left = number * most - loads.sum(axis=0)
    order, ascending = np.argsort(-keys, kind="stable"), np.argsort(loads[:, 0], kind="stable")
    known, done = (gpus, 0) if before is None else (before.gpus, before.filled)
    heads = number - LAST
    filled = fill(order, ascending, loads, experts, most, heads, known, done, gpus, left, looks)
    work = _PER_GPU * number + _PER_LOOK * int(looks[0])
    if filled < heads or left.min() <= 0:
        return _Filling(keys, most, gpus, filled, left, None, work)
    last = gpus[heads:].ravel()
    patterns = Patterns.of(loads[last], experts[last], LAST, most, left)
    return _Filling(keys, most, gpus, filled, left, patterns, work + patterns.work)


def _first_keys(draw: Draw, random: np.random.Generator) -> Floats:
    """About the heaviest first."""
    heaviest = np.log(np.maximum(draw.loads.max(axis=1), np.finfo(float).tiny))
    keys: Floats = heaviest + _DEVIATION * random.standard_normal(heaviest.size)
    return keys


def _changed(draw: Draw, mean: Floats, filling: _Filling, random: np.random.Generator) -> _Filling:
    """A filling with other limits of two windows, or in an order that differs for some experts."""
    if draw.shares is not None and np.count_nonzero(draw.shares) > 1 and random.random() < _EXCHANGES:
        a, b = random.choice(np.flatnonzero(draw.shares), 2, replace=False)
        worth = draw.shares * (filling.most - mean)
        part = random.uniform(0, _EXCHANGED) * min(worth[a], worth[b])
        most = filling.most.copy()
        most[a] -= part / draw.shares[a]
        most[b] += part / draw.shares[b]
        return _filled(draw, most, filling.keys, None)
    changed = random.choice(draw.experts, random.integers(1, _MOST_CHANGED + 1))
    by_expert = np.zeros(int(draw.experts[-1]) + 1)
    by_expert[changed] = _CHANGE * random.standard_normal(changed.size)
    return _filled(draw, filling.most, filling.keys + by_expert[draw.experts], filling)
