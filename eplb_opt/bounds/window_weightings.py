"""Several windows: weights of replicas refute boxes of imbalances, and counts that nothing refutes become plans."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.window_configuration import Replica, WindowConfigurationLP
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.heuristics.joint import pack_jointly
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Meter
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import weighted_mean

ARGUMENT = "window weightings"
# Slots of a GPU, and halves of patterns, that are not too many.
_MOST_SLOTS, _MOST_HALVES = 5, 800_000
# Limits of boxes are multiples of this, to be short in certificates.
_STEP = Fraction(1, 10**6)
# A box of the mean goes beyond what is left by this much, as boxes below the bound would never come to an end; those so
# deep down go as far as it takes.
_BEYOND, _DEPTH, _MOST_BOXES = Fraction(3, 2), 2, 100
# Bounds that are nearer than this part of the gap are not told apart.
_RESOLUTION = Fraction(1, 50)
# Seconds of work of a search from new counts, of proposals and nodes.
_SEARCH = 1.0

Corner = tuple[Fraction, ...]


def window_weightings_apply(instance: Instance) -> bool:
    """Whether patterns of several windows are few enough to be looked at, without groups on nodes."""
    deployment = instance.deployment
    if instance.num_windows == 1 or deployment.dispatch != "even" or not deployment.alike:
        return False
    size, half = deployment.slots_per_gpu, -(-deployment.slots_per_gpu // 2)
    return deployment.binding_nodes == 1 and 1 < size <= _MOST_SLOTS and instance.num_experts**half <= 2 * _MOST_HALVES


def prove_by_window_weightings(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits."""
    WindowWeightings(incumbent, meter).run()


class WindowWeightings:
    """Raises the bound of a layer of several windows, each in mean loads of its own.

    Is there a plan below some value? One below has imbalances in some box ``limits``, below them in every window.
    Weights of replicas refute a box, see `WindowConfigurationLP`. For the largest imbalance one box says it all. For the
    mean boxes have to cover all imbalances below the value: after a box is refuted, some window is at its limit or above
    it, which leaves a corner for each window, with a box of its own, until corners are worth the value by themselves.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter) -> None:
        self._incumbent, self._instance, self._meter = incumbent, incumbent.instance, meter
        self._random = np.random.default_rng(meter.left().seed)
        windows = self._instance.windows()
        self._alone = [strongest(*quick_bounds(window)) for window in windows]
        # Imbalances are max loads of windows whose mean load is 1.
        self._first: Corner = tuple(proof.bound for proof in self._alone)
        self._patterns: list[tuple[Replica, ...]] = []
        self._boxes: list[tuple[Corner, dict[str, Any]]] = []
        self._counts: Ints | None = None

    def run(self) -> None:
        """Bisect between the bound and the best plan, or what was not refuted."""
        incumbent, settled = self._incumbent, self._incumbent.value
        while not (incumbent.closed or self._meter.exhausted):
            settled = min(settled, incumbent.value)
            if settled - incumbent.bound <= max(_STEP, _RESOLUTION * (incumbent.value - incumbent.bound)):
                return
            asked = (incumbent.bound + settled) / 2 // _STEP * _STEP
            if asked <= incumbent.bound:
                return
            self._counts = None
            evidence = self._ask(asked)
            if evidence is not None:
                incumbent.prove(ARGUMENT, asked, evidence=evidence)
            elif self._counts is not None:
                settled = asked
                self._plan_with(self._counts)
            else:
                return

    def _ask(self, asked: Fraction) -> dict[str, Any] | None:
        """Evidence that no plan is below a value; ``None``: there may be."""
        corners, parts = [(self._first, 0)], []
        while corners:
            corner, depth = corners.pop()
            if self._value(corner) >= asked:
                continue
            place = next((i for i, (limits, _) in enumerate(self._boxes) if _below(corner, limits)), None)
            if place is None:
                place = self._refute(self._limits_above(corner, asked, depth))
            if place is None or len(parts) > _MOST_BOXES:
                return None
            parts.append(place)
            limits = self._boxes[place][0]
            corners += [
                ((*corner[:k], limits[k], *corner[k + 1 :]), depth + 1) for k in reversed(range(len(corner)))
            ]
        used = sorted(set(parts))
        return {
            "argument": ARGUMENT,
            "windows": [{**(proof.certified or {}), "bound": str(proof.bound)} for proof in self._alone],
            "boxes": [self._boxes[place][1] for place in used],
            "parts": [used.index(place) for place in parts],
        }

    def _limits_above(self, corner: Corner, asked: Fraction, depth: int) -> Corner:
        """Limits of a box above a corner: all values below what is asked in one step, or a part of them in each."""
        weights = self._weights
        if weights is None:
            return (asked,) * len(corner)
        missing = asked - self._value(corner)
        steps = [_BEYOND * missing if depth < _DEPTH else missing / weight for weight in weights]
        return tuple(-(-(low + step) // _STEP) * _STEP for low, step in zip(corner, steps, strict=True))

    def _refute(self, limits: Corner) -> int | None:
        """The place of a box without plans; ``None`` if it may have some, or time is over."""
        items = WindowItems.within(self._instance, limits, _MOST_HALVES)
        if items is None or self._meter.exhausted:
            return None
        if not items.least.size:
            box = {"limits": [str(x) for x in limits], "starts": [], "weights": [], "carried": 0}
        else:
            program = WindowConfigurationLP(self._instance, items, limits, self._random, self._patterns)
            verdict = program.solve(self._meter)
            self._patterns, self._counts = program.used(), verdict.counts
            if verdict.evidence is None:
                return None
            box = verdict.evidence
        self._boxes.append((limits, box))
        return len(self._boxes) - 1

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
            slots = search_windows(self._instance, windows, table.ravel(), above, _SEARCH, seed)
            self._meter.spend(_SEARCH)
            incumbent.offer_plan(slots, ARGUMENT)

    @property
    def _weights(self) -> list[Fraction] | None:
        """What each window counts for in the mean; they sum to 1. ``None``: the hottest one counts."""
        objective = self._incumbent.objective
        if objective.kind != "mean":
            return None
        weights = self._instance.weights_of_loaded(objective.window_weights)
        return [weight / sum(weights, Fraction(0)) for weight in weights]

    def _value(self, corner: Corner) -> Fraction:
        weights = self._weights
        return max(corner) if weights is None else weighted_mean(list(zip(corner, weights, strict=True)))


def _below(corner: Corner, limits: Corner) -> bool:
    return all(low < high for low, high in zip(corner, limits, strict=True))
