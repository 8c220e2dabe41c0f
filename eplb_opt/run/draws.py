"""Draws: the plans of a call where ranks draw at start which replica they ask, layer after layer.

What ranks draw in a layer depends on where replicas are in all layers before it, in the table that the engine loads. So
plans are searched for what is expected of the draws, each layer by itself, and then settled in order: attempts of
`eplb_opt.heuristics.drawn` are valued by what is really drawn. From there on that is what a plan is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eplb_opt.acceptance import accepted
from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.sglang_static import draw
from eplb_opt.full_table import in_order
from eplb_opt.heuristics.drawn import attempt
from eplb_opt.improvement import Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.layers import Layers
from eplb_opt.limits import CallLimits
from eplb_opt.request import DRAWN
from eplb_opt.run.layer_run import LayerRun
from eplb_opt.run.strategy import ends_with_first_plans

# Part of the time limit that is left for settling, and what an attempt counts for where work is limited.
_SETTLING, _SECONDS_PER_ATTEMPT = 0.35, 0.03
# Attempts that are made at once where the clock decides nothing.
_AT_ONCE = 4


def search_limits(deployment: Deployment, limits: CallLimits) -> CallLimits:
    """What the search may use of the limits of a call: all, unless there is something to settle."""
    draws = deployment.dispatch == DRAWN
    return replace(limits, seconds=(1 - _SETTLING) * limits.seconds) if draws else limits


def settle(
    layers: Sequence[LayerRun],
    deployment: Deployment,
    labels: Layers,
    limits: CallLimits,
    interrupt: Event,
    on_change: Callable[[LayerRun], None],
    warm_start: NDArray[np.int64] | None,
) -> None:
    """Give every layer an incumbent that values plans by what is drawn; nothing is done where nothing is.

    `layers` are in the order of `labels`. The whole of a warm start, a row for each layer, is taken where it is the
    better plan: rows of it alone would not draw what they did.
    """
    if deployment.dispatch != DRAWN:
        return
    call = _Call(layers, deployment, labels, limits, interrupt)
    attempts = not ends_with_first_plans(layers[0].strategy.method)
    settled = call.settled([layer.incumbent for layer in layers], attempts)
    if warm_start is not None:
        plans = [_with_plan(layer.incumbent, slots) for layer, slots in zip(layers, warm_start, strict=True)]
        known = call.settled(plans, attempts=False)
        if _value(layers, known) < _value(layers, settled):
            settled = known
    for layer, (recorded, incumbent, seconds) in zip(layers, settled, strict=True):
        layer.recorded, layer.incumbent, layer.seconds["draws"] = recorded, incumbent, seconds
        on_change(layer)


class _Settled(NamedTuple):
    """A layer with the streams of its ranks, what is known of it, and the seconds that took."""

    recorded: Instance
    incumbent: Incumbent
    seconds: float


@dataclass(frozen=True)
class _Call:
    layers: Sequence[LayerRun]
    deployment: Deployment
    labels: Layers
    limits: CallLimits
    interrupt: Event

    def settled(self, searched: Sequence[Incumbent], attempts: bool) -> list[_Settled]:
        """The best plan of each layer in its turn, or with `attempts` the best of these."""
        unplanned = in_order(self.deployment, searched[0].instance.num_experts)
        streams = (0,) * self.deployment.num_gpus
        settled: list[_Settled] = []
        # What is not spent on attempts: above all the draws of a row for its exact value.
        on_top = 0.0
        with ThreadPoolExecutor(self.limits.workers, "eplb_opt") as threads:
            for layer_id in range(self.labels.ids[-1] + 1):
                row = unplanned
                if layer_id in self.labels.ids:
                    layer, known = self.layers[len(settled)], searched[len(settled)]
                    began, row = monotonic(), known.slots
                    recorded = replace(layer.recorded, deployment=self.deployment, streams=streams)
                    incumbent = self._incumbent(layer, recorded, known)
                    if attempts and any(recorded.loaded_windows):
                        seconds = self._seconds(len(searched) - len(settled)) - on_top
                        row = self._best_attempt(incumbent, row, seconds, threads)
                    attempted = monotonic()
                    incumbent.offer_plan(row, "draws", attempted - self.limits.began)
                    settled.append(_Settled(recorded, incumbent, monotonic() - began))
                    on_top = max(on_top, monotonic() - attempted)
                streams = draw(row, self.deployment, streams).streams
        return settled

    def _seconds(self, layers: int) -> float:
        """What a layer has, if so many are left: time, or work where that is limited."""
        if self.limits.deterministic:
            return _SETTLING * self.limits.seconds / len(self.layers)
        return self.limits.left / layers

    def _incumbent(self, layer: LayerRun, recorded: Instance, searched: Incumbent) -> Incumbent:
        """What is known of a layer before it is settled: the bound, which holds under every dispatch."""
        incumbent = Incumbent(*layer.asked.on(recorded), target_gap=self.limits.target_gap, name=searched.name)
        proof = accepted(searched.proof, incumbent.instance, incumbent.objective)
        incumbent.offer_proof(proof, monotonic() - self.limits.began)
        return incumbent

    def _best_attempt(self, incumbent: Incumbent, slots: Slots, seconds: float, threads: ThreadPoolExecutor) -> Slots:
        """The best of as many attempts as fit, some at once, of the first at least; or the first that is good enough.

        Exact values take longer than attempts, so floats tell which is the best.
        """
        deadline, most = monotonic() + seconds, int(seconds / _SECONDS_PER_ATTEMPT)
        # Fixed where the clock decides nothing.
        at_once = _AT_ONCE if self.limits.deterministic else self.limits.workers
        best, least, number = slots, np.inf, 0
        enough = incumbent.imbalance_bound / (1 - float(self.limits.target_gap))
        while True:
            arguments = [
                (incumbent.instance, incumbent.windows, slots, n, self.limits.seed)
                for n in range(number, number + at_once)
            ]
            for found, value in threads.map(lambda a: attempt(*a), arguments):
                if value < least:
                    best, least = found, value
            number += at_once
            late = number >= most if self.limits.deterministic else monotonic() >= deadline
            if late or least <= enough or self.interrupt.is_set():
                return best


def _with_plan(incumbent: Incumbent, slots: Slots) -> Incumbent:
    """The bound that is known, and another plan."""
    other = Incumbent(incumbent.instance, incumbent.objective, target_gap=incumbent.target_gap, name=incumbent.name)
    other.offer_proof(incumbent.proof)
    other.offer_plan(slots, "warm start")
    return other


def _value(layers: Sequence[LayerRun], settled: Sequence[_Settled]) -> Fraction:
    """Sum of the objectives, in the unit that was asked for."""
    return sum(
        (layer.in_asked(known.incumbent.value) for layer, known in zip(layers, settled, strict=True)), Fraction(0)
    )
