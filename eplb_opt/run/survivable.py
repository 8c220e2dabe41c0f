"""Survivable: the plans of a call after which the loss of one GPU, or node, loses no expert.

The usual search comes first, for its bounds, which hold for all plans, and for the groups of each node. Then each layer
gets a row that survives, and annealing makes it cooler: every row on the way survives as well. Targets are between what
no row that survives can be below, as its hottest slot or the mean says, and the best row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from eplb_opt.dispatch.rules import rule_of
from eplb_opt.failure_domains import survives
from eplb_opt.heuristics.moving import seconds_per_proposal
from eplb_opt.heuristics.surviving import annealed, dealt, hottest_slots
from eplb_opt.improvement import Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.kernels.compiler import Floats
from eplb_opt.kernels.moving import Cooling
from eplb_opt.limits import CallLimits
from eplb_opt.run.layer_run import LayerRun
from eplb_opt.run.strategy import ends_with_first_plans

# Name of the step.
_STEP = "survival"
# Part of the time limit for the usual search.
_USUAL = 0.3
# Next to nothing: any number of experts may move.
_TOLLS = (1e-12, 1e-12)
# Proposals of a first annealing, how many times more after each, and at most.
_PROPOSALS, _MORE, _MOST_PROPOSALS = 10_000, 2, 2_000_000
# Part of a layer's time left that an annealing may take, and the fewest proposals that are worth it.
_PART_OF_TIME, _FEWEST = 0.5, 1000
# Targets are after these parts of the way from the least to the best row, in turn.
_PARTS = (0.0, 0.5, 0.9)
# First and last temperature; and hot ones, every other time while nothing is found: on layers with few experts a single
# exchange makes a large difference.
_WARM, _HOT = (1e-3, 1e-6), (5e-1, 1e-3)
# What floats round, relatively.
_ROUNDING = 1e-9


def search_limits(survive: int, limits: CallLimits) -> CallLimits:
    """What the usual search may use of these limits: all, unless its plans have to be made to survive."""
    return replace(limits, seconds=_USUAL * limits.seconds) if survive else limits


def make_survivable(
    layers: Sequence[LayerRun],
    limits: CallLimits,
    interrupt: Event,
    on_change: Callable[[LayerRun], None],
    warm_start: NDArray[np.int64] | None,
) -> None:
    """Give every layer an incumbent whose plan survives, with the bound that is known.

    A row of the warm start, whose rows are in the order of the layers, is taken where it survives and is cooler.
    """
    known = [None] * len(layers) if warm_start is None else list(warm_start)
    searches = [_Search.of(layer, row, limits) for layer, row in zip(layers, known, strict=True)]
    for layer in layers:
        on_change(layer)
    share = (1 - _USUAL) * limits.seconds / len(layers)

    def attempt(search: _Search, proposals: int) -> Slots | None:
        late = not limits.deterministic and not limits.left
        skipped = late or interrupt.is_set() or proposals < _FEWEST
        return None if skipped else search.attempt(limits.seed, proposals)

    with ThreadPoolExecutor(limits.workers, "eplb_opt") as threads:
        while (left := [one for one in searches if not one.finished]) and not interrupt.is_set():
            fair = limits.left * limits.workers / len(left)
            proposals = [
                one.proposals(share - one.work, one.counted) if limits.deterministic else one.proposals(fair, one.pace)
                for one in left
            ]
            if max(proposals) < _FEWEST:
                break
            for search, row in zip(left, threads.map(attempt, left, proposals), strict=True):
                if row is not None:
                    search.learn(row, monotonic() - limits.began)
                    on_change(search.layer)


@dataclass
class _Search:
    """A layer that has a plan that survives, and looks for a cooler one.

    Attributes
    ----------
    loads
        Of the windows in mean loads, shape ``(windows, experts)``; scenarios are among them.
    least
        What no row that survives is below, shape ``(windows,)``.
    pace
        Seconds that a proposal takes, as the last attempt did.
    turn, in_vain, work
        Attempts so far, those in a row without a better row, and the seconds that their proposals count for.
    """

    layer: LayerRun
    loads: Floats
    least: Floats
    pace: float
    turn: int = 0
    in_vain: int = 0
    work: float = 0.0

    @classmethod
    def of(cls, layer: LayerRun, warm_start: Slots | None, limits: CallLimits) -> _Search:
        """What was searched as usual; from here on the incumbent of the layer knows only plans that survive."""
        known, began = layer.incumbent, monotonic()
        instance = known.instance
        loaded = any(instance.loaded_windows)
        loads = known.windows.loads if loaded else np.zeros((1, instance.num_experts))
        mean = known.windows.mean if loaded else loads[0]
        least = np.maximum(hottest_slots(instance, loads), 1.0)
        if loaded and len(loads) == 1:
            least = np.maximum(least, known.imbalance_bound)
        layer.incumbent = Incumbent(instance, known.objective, target_gap=known.target_gap, name=known.name)
        for proof in (known.checked, known.proof):
            layer.incumbent.offer_proof(proof)
        found = {"deal": dealt(instance, mean, known.slots), "search": known.slots}
        if warm_start is not None:
            found["warm start"] = warm_start
        search = cls(layer, loads, least, pace=0.0)
        search.pace = search.counted
        for by, row in found.items():
            search.offer(row, by, began - limits.began)
        layer.strategy.exhausted = layer.done = layer.incumbent.closed or not loaded
        return search

    def offer(self, row: Slots, by: str, seconds: float) -> bool:
        """Keep a row if it survives, which nobody is believed, and is cooler; whether it was kept."""
        known = self.layer.incumbent
        kept = survives(row, known.instance.deployment, known.instance.num_experts)
        return kept and known.offer_plan(row, by, seconds)

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to find, or the method ends here."""
        return self.layer.done or (self.turn > 0 and ends_with_first_plans(self.layer.strategy.method))

    @property
    def counted(self) -> float:
        """Seconds that a proposal counts for where work is limited."""
        return seconds_per_proposal(len(self.loads))

    def proposals(self, seconds: float, pace: float) -> int:
        """Proposals of the next attempt of a layer that has so many seconds left, where each takes `pace` of them."""
        most = min(_MOST_PROPOSALS, _PROPOSALS * _MORE ** min(self.turn, 99))
        return int(min(most, _PART_OF_TIME * seconds / pace))

    def attempt(self, seed: int, proposals: int) -> Slots:
        """A row that survives, by one annealing from the best so far."""
        known, began = self.layer.incumbent, monotonic()
        cooling = Cooling(_TOLLS, _HOT if self.in_vain % 2 else _WARM, proposals)
        row = annealed(known.instance, self.loads, known.slots, self._targets(), cooling, hash((seed, self.turn)))
        took, seconds = monotonic() - began, self.layer.seconds
        seconds[_STEP] = seconds.get(_STEP, 0.0) + took
        self.turn, self.work, self.pace = self.turn + 1, self.work + proposals * self.counted, took / proposals
        return row

    def learn(self, row: Slots, seconds: float) -> None:
        """Keep the row of an attempt where it is better; where nothing can be, the layer is done."""
        layer, known = self.layer, self.layer.incumbent
        self.in_vain = 0 if self.offer(row, _STEP, seconds) else self.in_vain + 1
        windows = known.windows
        least = float(self.least.max() if windows.worst else windows.shares @ self.least)
        enough = least / (1.0 - float(known.target_gap)) * (1.0 + _ROUNDING)
        layer.strategy.exhausted = layer.done = known.closed or windows.value(known.slots, known.instance) <= enough

    def _targets(self) -> Floats:
        known, part = self.layer.incumbent, _PARTS[self.turn % len(_PARTS)]
        rule = rule_of(known.instance.deployment)
        tops: Floats = rule.rough_gpu_loads(known.slots, self.loads, known.instance).max(axis=1)
        least = self.least
        if known.windows.worst:
            tops, least = np.full_like(tops, tops.max()), np.full_like(least, least.max())
        targets: Floats = least + part * (tops - least)
        return targets
