"""Objective: what a plan is valued by, and the windows that a search makes cool for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.dispatch.rules import rule_of
from eplb_opt.instance import Instance
from eplb_opt.verify import max_loads, objective_value

# No expert has less load in a scenario than this part of its mean.
_LEAST_PART = 0.02


@dataclass(frozen=True)
class Objective:
    """What the plans of a layer are valued by.

    Attributes
    ----------
    kind
        What is asked for: ``"total"``, ``"mean"`` or ``"worst"``, as in `eplb_opt.solve`. What is searched can be
        ``"hottest"`` too: the load of the hottest GPU in any window, in tokens.
    window_weights
        What each window counts for in the mean; ``None``: all the same.
    scenarios
        Extrapolated windows that steer the search, and have no part in the value of a plan.
    seed
        For the scenarios.
    """

    kind: str = "hottest"
    window_weights: tuple[Fraction, ...] | None = None
    scenarios: int = 0
    seed: int = 0

    def on(self, recorded: Instance) -> tuple[Instance, Objective]:
        """What is searched, and the objective there: windows without load are left out.

        Of one window the mean, the worst and the total rank plans alike: it is searched by its max load in tokens,
        whatever was asked for. `objective_value` alone says what a plan is worth in the unit that was asked for.
        """
        if self.kind == "total":
            return recorded.total(), Objective()
        instance = recorded.loaded()
        if instance.num_windows == 1:
            return instance, Objective()
        weights = None if self.window_weights is None else recorded.weights_of_loaded(self.window_weights)
        return instance, replace(self, window_weights=weights)

    def value(self, slots: Sequence[int], instance: Instance) -> Fraction:
        """Exact value of a row of slots on an instance that `on` gave, in the unit of the search."""
        if self.kind == "hottest":
            return max(max_loads(slots, instance))
        return objective_value(slots, instance, self.kind, self.window_weights)

    def windows(self, instance: Instance) -> Windows:
        """What the search makes cool: the windows of an instance that `on` gave, and scenarios where there are any."""
        if self.kind == "hottest" and instance.num_windows > 1:
            return Windows.of_hottest(instance)
        shares = np.array([float(weight) for weight in self.window_weights or [1] * instance.num_windows])
        # Weights that are too small for a float still count, as zeros stand for the worst window in compiled code.
        shares = np.maximum(shares / shares.max(), np.finfo(np.float64).tiny)
        # Each window by itself: in one unit for all of them, many windows are numbers of thousands of digits.
        loads = np.concatenate([window.in_mean_loads().tokens for window in instance.windows()])
        windows = Windows(loads, shares / shares.sum(), self.kind == "worst")
        if not self.scenarios:
            return windows
        # The same variation in every layer: another workload changes all of them.
        return windows.extrapolated(self.scenarios, np.random.default_rng(self.seed))


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows that a search makes cool, all at once.

    Attributes
    ----------
    loads
        Shape ``(windows, experts)``, in mean GPU loads of each window.
    shares
        What each window counts for in the mean; they sum to 1.
    worst
        Whether the hottest window counts instead.
    """

    loads: NDArray[np.float64]
    shares: NDArray[np.float64]
    worst: bool = False

    @classmethod
    def of_hottest(cls, instance: Instance) -> Windows:
        """The windows in one unit, of which the hottest counts; for layers with load."""
        loads = instance.tokens / float(max(instance.mean_loads))
        return cls(loads, np.full(len(loads), 1.0 / len(loads)), worst=True)

    def value(self, slots: NDArray[np.int64], instance: Instance) -> float:
        """Mean or largest imbalance of a row of slots, under the dispatch of the `instance` that they are made of."""
        imbalances = self.imbalances(slots, instance)
        return float(imbalances.max() if self.worst else self.shares @ imbalances)

    def imbalances(self, slots: NDArray[np.int64], instance: Instance) -> NDArray[np.float64]:
        """Load of the hottest GPU of each window, in mean GPU loads, shape ``(windows,)``."""
        loads = rule_of(instance.deployment).rough_gpu_loads(slots, self.loads, instance)
        hottest: NDArray[np.float64] = loads.max(axis=1)
        return hottest

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean window."""
        average: NDArray[np.float64] = self.shares @ self.loads
        return average

    def extrapolated(self, number: int, random: np.random.Generator) -> Windows:
        """These windows, and `number` more, each of them the mean window and a normal variation around it.

        The variation has the directions in which the windows differ, and of K equally weighted windows sqrt(1 + 1/K)
        times their deviation: by so much a new window differs from a mean that is itself an estimate. What never varied
        is assumed not to vary. The more windows there are, the more the scenarios count for, a third of all for two
        windows, but none for more than a window.
        """
        few = float((self.shares**2).sum())
        if few >= 1.0:
            return self
        deviations = np.sqrt(self.shares)[:, np.newaxis] * (self.loads - self.mean)
        normal = _opposite_normals(number, len(self.loads), random) * np.sqrt((1.0 + few) / (1.0 - few))
        scenarios = np.maximum(self.mean + normal @ deviations, _LEAST_PART * self.mean)
        scenarios *= self.mean.sum() / scenarios.sum(axis=1, keepdims=True)
        part = min((1.0 - few) / (1.0 + few), number / (number + 1.0 / few))
        shares = np.concatenate([(1.0 - part) * self.shares, np.full(number, part / number)])
        return Windows(np.concatenate([self.loads, scenarios]), shares, self.worst)


def _opposite_normals(number: int, size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Standard normal rows, each with its opposite, so that a few of them stand for the distribution.

    Where there are enough, an even number of them is uncorrelated and of variance 1 exactly.
    """
    half = random.standard_normal(((number + 1) // 2, size))
    if len(half) >= size:
        left, _, right = np.linalg.svd(half, full_matrices=False)
        half = left @ right * np.sqrt(len(half))
    return np.concatenate([half, -half])[:number]
