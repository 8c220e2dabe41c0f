"""Several windows: weights of replicas refute regions of imbalances, and counts that nothing refutes become plans."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.bounds.methods import WINDOWS
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_configuration import Replica, WindowConfigurationLP
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.heuristics.joint import pack_jointly
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.incumbent import Incumbent
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Meter
from eplb_opt.proof import strongest

# Part of the limits for proofs: the checker needs the rest.
_PROVING = 0.8
# Halves of patterns that are not too many.
_MOST_HALVES = 800_000
# Bounds that are asked about, and limits of regions, are multiples of this, to be short in certificates.
_STEP = Fraction(1, 10**6)
# So often regions are parted, one in the other, and so many weightings are in a certificate at most.
_DEPTH, _MOST_WEIGHTINGS = 3, 40
# Where in the gap the next bound is asked for, if the hottest window counts, and if the mean does: regions that are not
# refuted take longest there.
_NEXT_OF_HOTTEST, _NEXT_OF_MEAN = Fraction(1, 2), Fraction(1, 4)
# Bounds that are nearer than this part of the gap are not told apart.
_RESOLUTION = Fraction(1, 50)
# Seconds of work of a search from new counts, for each slot.
_SEARCH_PER_SLOT = 4e-3


def prove_by_window_weightings(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits."""
    WindowWeightings(incumbent, meter.part(_PROVING)).run()


class WindowWeightings:
    """Raises the bound of a layer of several windows, each in mean loads of its own.

    Is there a plan below some value? One below has imbalances in a region that begins with the bounds of each window by
    itself. Weights of replicas refute a region, see `WindowConfigurationLP`. One that is not refuted is parted by the
    imbalance of a window where the mean counts: GPUs may otherwise each be hot in another window.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter) -> None:
        self._incumbent, self._instance, self._meter = incumbent, incumbent.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        windows = self._instance.windows()
        self._alone = [strongest(*quick_bounds(window)) for window in windows]
        # Imbalances are max loads of windows whose mean load is 1.
        self._first = tuple(proof.bound for proof in self._alone)
        self._patterns: list[tuple[Replica, ...]] = []
        self._counts: Ints | None = None

    def run(self) -> None:
        """Ask for bounds between the best one and the best plan, or what was not refuted."""
        incumbent, settled = self._incumbent, self._incumbent.value
        while not (incumbent.closed or self._meter.exhausted):
            settled = min(settled, incumbent.value)
            if settled - incumbent.bound <= max(_STEP, _RESOLUTION * (incumbent.value - incumbent.bound)):
                return
            part = _NEXT_OF_HOTTEST if self._weights is None else _NEXT_OF_MEAN
            asked = (incumbent.bound + part * (settled - incumbent.bound)) // _STEP * _STEP
            if asked <= incumbent.bound:
                return
            self._counts = None
            evidence = self._ask(asked)
            if evidence is not None:
                incumbent.prove(WINDOWS, asked, evidence=evidence)
            elif self._counts is not None:
                settled = asked
                self._plan_with(self._counts)
            else:
                return

    def _ask(self, asked: Fraction) -> dict[str, Any] | None:
        """Evidence that no plan is below a value; ``None``: there may be."""
        regions = [(Region.above(self._first, self._weights, asked, self._instance.deployment.num_gpus), 0)]
        weightings: list[dict[str, Any]] = []
        parts: list[list[int | str]] = []
        while regions:
            region, depth = regions.pop()
            if region.empty:
                continue
            weighting = self._refute(region)
            if weighting is not None:
                parts.append([len(weightings)])
                weightings.append(weighting)
                continue
            if self._weights is None or depth == _DEPTH or len(weightings) > _MOST_WEIGHTINGS or self._meter.exhausted:
                return None
            window = region.widest
            at = (region.lower[window] + region.upper[window]) / 2 // _STEP * _STEP
            if at <= region.lower[window]:
                return None
            parts.append([window, str(at)])
            regions += [(part, depth + 1) for part in reversed(region.parted(window, at))]
        alone = [{**(proof.certified or {}), "bound": str(proof.bound)} for proof in self._alone]
        return {"argument": WINDOWS, "windows": alone, "weightings": weightings, "parts": parts}

    def _refute(self, region: Region) -> dict[str, Any] | None:
        """A weighting under which no plan has imbalances of a region; ``None``: one may, or time is over."""
        items = WindowItems.within(self._instance, region.upper, _MOST_HALVES)
        if items is None or self._meter.exhausted:
            return None
        if not items.least.size:
            return {"starts": [], "weights": [], "carried": 0}
        program = WindowConfigurationLP(self._instance, items, region, self._random, self._patterns)
        verdict = program.solve(self._meter)
        self._patterns = program.used()
        self._counts = self._counts if verdict.counts is None else verdict.counts
        return verdict.evidence

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
