"""Several windows: weights of replicas refute regions of imbalances, and counts that nothing refutes become plans."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from eplb_opt.bounds.methods import WINDOWS
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.window_regions import STEP, WindowRegions
from eplb_opt.heuristics.joint import pack_jointly
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.incumbent import Incumbent
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Meter
from eplb_opt.proof import strongest

# Part of the limits for proofs: the checker needs the rest.
_PROVING = 0.8
# Where in the gap the next bound is asked for, if the hottest window counts. If the mean does, regions that are not
# refuted take longest: from the former on, and each time twice as far, up to the latter.
_NEXT_OF_HOTTEST, _FIRST_OF_MEAN, _NEXT_OF_MEAN = Fraction(1, 2), Fraction(1, 16), Fraction(1, 4)
# Bounds that are nearer than this part of the gap are not told apart.
_RESOLUTION = Fraction(1, 50)
# Seconds of work of a search from new counts, for each slot.
_SEARCH_PER_SLOT = 4e-3


def prove_by_window_weightings(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits."""
    WindowWeightings(incumbent, meter.part(_PROVING)).run()


class WindowWeightings:
    """Raises the bound of a layer of several windows, each in mean loads of its own, or of a node in the layer's.

    Is there a plan below some value? One below has imbalances that are at least the bounds of each window by itself:
    `WindowRegions` refutes these.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter) -> None:
        self._incumbent, self._instance, self._meter = incumbent, incumbent.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        windows = self._instance.windows()
        self._alone = [strongest(*quick_bounds(window)) for window in windows]
        # Imbalances are max loads of windows whose mean load is 1.
        first = tuple(proof.bound for proof in self._alone)
        total = max(self._instance.mean_loads) * self._instance.deployment.num_gpus
        self._regions = WindowRegions(self._instance, first, self._weights, total, self._random)

    def run(self) -> None:
        """Ask for bounds between the best one and the best plan, or what was not refuted."""
        incumbent, settled = self._incumbent, self._incumbent.value
        part = _NEXT_OF_HOTTEST if self._weights is None else _FIRST_OF_MEAN
        while not (incumbent.closed or self._meter.exhausted):
            settled = min(settled, incumbent.value)
            if settled - incumbent.bound <= max(STEP, _RESOLUTION * (incumbent.value - incumbent.bound)):
                return
            asked = (incumbent.bound + part * (settled - incumbent.bound)) // STEP * STEP
            if asked <= incumbent.bound:
                return
            if self.ask(asked):
                part = max(part, min(2 * part, _NEXT_OF_MEAN))
            elif self._regions.counts is not None:
                settled = asked
                self._plan_with(self._regions.counts)
            else:
                return

    def ask(self, bound: Fraction) -> bool:
        """Prove a bound, if weights are found that do; whether it was kept."""
        incumbent = self._incumbent
        likely = incumbent.windows.imbalances(incumbent.slots, self._instance)
        found = self._regions.refute(bound, likely, self._meter)
        if found is None:
            return False
        alone = [{**(proof.certified or {}), "bound": str(proof.bound)} for proof in self._alone]
        return incumbent.prove(WINDOWS, bound, evidence={"argument": WINDOWS, "windows": alone, **found})

    def _plan_with(self, counts: Ints) -> None:
        """Look for a better plan with these counts."""
        incumbent, deployment = self._incumbent, self._instance.deployment
        windows = incumbent.windows
        shares = np.zeros_like(windows.shares) if windows.worst else windows.shares
        size, width = deployment.slots_per_gpu, 4
        loads = np.ascontiguousarray(windows.loads.T)
        table = pack_jointly(
            loads, loads.max(axis=1), counts, shares, deployment.num_gpus, size, deployment.distinct, width
        )
        if table.size:
            above = max(0.0, windows.value(table.ravel(), self._instance) - incumbent.imbalance_bound)
            seed = int(self._random.integers(2**32))
            seconds = _SEARCH_PER_SLOT * deployment.num_slots
            slots = search_windows(self._instance, windows, table.ravel(), above, seconds, seed)
            self._meter.spend(seconds)
            incumbent.offer_plan(slots, WINDOWS)

    @property
    def _weights(self) -> tuple[Fraction, ...] | None:
        """What each window counts for in the mean; they sum to 1. ``None``: the hottest one counts."""
        objective = self._incumbent.objective
        if objective.kind != "mean":
            return None
        weights = self._instance.weights_of_loaded(objective.window_weights)
        return tuple(weight / sum(weights, Fraction(0)) for weight in weights)
