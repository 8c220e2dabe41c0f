"""Instance: one layer's loads and its deployment, in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import compress
from math import floor, gcd, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidLoadsError

# Above this, int64 sums of scaled loads over a GPU could overflow, and float64 would round.
_LARGEST_SCALED_LOAD = 2**40

# Finer grids of max loads are of no use: bounds would end on them with huge denominators.
_FINEST_GRID = 10**6


@dataclass(frozen=True)
class ScaledLoads:
    """Loads of one window as small integers, rounded down: ``values[e] = floor(w[e] * factor)``.

    A plan's max load never grows when loads are rounded down, so a lower bound for `values`, divided by `factor`,
    is one for the true loads. Where `exact` is set, nothing is rounded and every possible replica load
    ``w[e] / r`` is an integer too: every max load lies on the grid of multiples of ``1 / factor``.
    """

    values: NDArray[np.int64]
    factor: Fraction
    exact: bool


@dataclass(frozen=True)
class Instance:
    """One layer to plan.

    Attributes
    ----------
    weights
        Shape ``(windows, experts)``: non-negative integers; the load of expert e in window k is
        ``weights[k][e] * unit``.
    unit
        Tokens of one unit, an exact rational.
    deployment
        Where the experts go.
    streams
        Where the dispatch draws at start: words that each rank has drawn in the layers before, see
        `eplb_opt.dispatch.streams`. Empty elsewhere.

    Raises
    ------
    InvalidDeploymentError
        No plan exists: too few slots, groups that do not divide, too few experts for distinct replicas.
    """

    weights: tuple[tuple[int, ...], ...]
    unit: Fraction
    deployment: Deployment
    streams: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len({len(window) for window in self.weights}) != 1 or not self.weights[0]:
            raise InvalidLoadsError("an instance needs windows of the same, positive number of experts")
        if min(map(min, self.weights)) < 0 or self.unit <= 0:
            raise InvalidLoadsError("an instance needs non-negative loads")
        self.deployment.require_room_for(self.num_experts)

    @classmethod
    def from_loads(cls, values: Any, deployment: Deployment, streams: tuple[int, ...] = ()) -> Instance:
        """One layer's loads, shape ``(experts,)`` or ``(windows, experts)``, in tokens, which `Loads` has checked.

        Floats are dyadic rationals, so a common denominator makes all of them integers without rounding.
        """
        rows = np.atleast_2d(np.asarray(values)).tolist()
        ratios = [[value.as_integer_ratio() for value in row] for row in rows]
        denominator = lcm(*(d for row in ratios for _, d in row))
        weights = [[n * (denominator // d) for n, d in row] for row in ratios]
        return cls(*_reduced(weights, Fraction(1, denominator)), deployment, streams)

    @property
    def num_windows(self) -> int:
        """Windows of loads."""
        return len(self.weights)

    @property
    def num_experts(self) -> int:
        """Logical experts."""
        return len(self.weights[0])

    @property
    def experts_per_group(self) -> int:
        """Experts of one binding group; group of e = ``e // experts_per_group``."""
        return self.num_experts // self.deployment.binding_groups

    @property
    def experts_per_node(self) -> int:
        """Experts that one binding node takes."""
        return self.num_experts // self.deployment.binding_nodes

    @property
    def max_replicas(self) -> int:
        """The most replicas an expert can have: each other expert of its node needs a slot, and distinct replicas
        need a GPU each."""
        spare = self.deployment.slots_per_node - self.experts_per_node + 1
        return min(spare, self.deployment.gpus_per_node) if self.deployment.distinct else spare

    @property
    def mean_loads(self) -> tuple[Fraction, ...]:
        """Total load / number of GPUs of each window, in tokens; where GPUs differ / sum of their speeds."""
        return tuple(sum(window) * self.unit / self.deployment.gpus.total_speed for window in self.weights)

    def total(self) -> Instance:
        """The same layer with its windows summed into one."""
        if self.num_windows == 1:
            return self
        return replace(self, weights=(tuple(map(sum, zip(*self.weights, strict=True))),))

    def windows(self) -> tuple[Instance, ...]:
        """Each window by itself."""
        return tuple(Instance(*_reduced([window], self.unit), self.deployment, self.streams) for window in self.weights)

    @property
    def loaded_windows(self) -> tuple[bool, ...]:
        """Whether each window has any load; the others count in no mean over windows."""
        return tuple(map(any, self.weights))

    def loaded(self) -> Instance:
        """The same layer without the windows that have no load; with one of them where none has any."""
        windows = tuple(compress(self.weights, self.loaded_windows)) or self.weights[:1]
        return self if len(windows) == self.num_windows else replace(self, weights=windows)

    def weights_of_loaded(self, window_weights: Sequence[Fraction] | None) -> tuple[Fraction, ...]:
        """What each window that has any load counts for in a mean; ``None``: all the same."""
        weights = window_weights or (Fraction(1),) * self.num_windows
        return tuple(weight for weight, loaded in zip(weights, self.loaded_windows, strict=True) if loaded)

    def in_mean_loads(self) -> Instance:
        """The same layer with one mean GPU load for a token, in each window its own: max loads become imbalances.

        No window may be without load.
        """
        sums = [sum(window) for window in self.weights]
        multiple = lcm(*sums)
        weights = [
            [weight * (multiple // total) for weight in window]
            for window, total in zip(self.weights, sums, strict=True)
        ]
        unit = Fraction(self.deployment.gpus.total_speed) / multiple
        return Instance(*_reduced(weights, unit), self.deployment, self.streams)

    @cached_property
    def tokens(self) -> NDArray[np.float64]:
        """Loads as floats, shape ``(windows, experts)``."""
        steps, denominator = self.unit.as_integer_ratio()
        return np.array([[weight * steps / denominator for weight in window] for window in self.weights])

    @cached_property
    def rough_weights(self) -> NDArray[np.float64]:
        """Weights as floats, shape ``(windows, experts)``, as parts of the largest of their window.

        Weights themselves may be longer than floats: many windows in the unit of their mean loads are.
        """
        tops = [max(window) or 1 for window in self.weights]
        return np.array([[weight / top for weight in window] for window, top in zip(self.weights, tops, strict=True)])

    @cached_property
    def _kernel_shift(self) -> int:
        return max(0, max(map(max, self.weights)).bit_length() - 53)

    @cached_property
    def kernel_loads(self) -> NDArray[np.float64]:
        """Loads of the only window for compiled code: weights shifted to at most 53 bits, exact for most recordings."""
        (weights,) = self.weights
        return np.array([weight >> self._kernel_shift for weight in weights], dtype=np.float64)

    def kernel_value(self, tokens: Fraction) -> float:
        """A number of tokens in the unit of `kernel_loads`."""
        return float(tokens / self.unit / 2**self._kernel_shift)

    def next_max_load(self, max_load: Fraction) -> Fraction:
        """A lower bound on every max load above `max_load`, in tokens; above it only where loads are small integers.

        Slot loads are multiples of a unit over the least common multiple of all counts, and so are their sums. For
        GPUs of one speed.
        """
        steps = _lcm_up_to(self.max_replicas, limit=_FINEST_GRID)
        if not steps:
            return max_load
        return (floor(max_load / self.unit * steps) + 1) * self.unit / steps

    def scaled(self, max_replicas: int, largest: int = _LARGEST_SCALED_LOAD) -> ScaledLoads:
        """Integer loads of the only window, at most `largest`, exact for counts up to `max_replicas` if possible.

        `factor` turns tokens into scaled units.
        """
        (_,) = self.weights
        windows = self.scaled_windows(max_replicas, largest)
        return replace(windows, values=windows.values[0])

    def scaled_windows(self, max_replicas: int, largest: int) -> ScaledLoads:
        """The same for all windows with one factor; values have the shape ``(windows, experts)``."""
        heaviest = max(1, *map(max, self.weights))
        steps = _lcm_up_to(max_replicas, limit=largest // heaviest)
        if steps:
            return ScaledLoads(np.array(self.weights, dtype=np.int64) * steps, steps / self.unit, exact=True)
        multiplier = Fraction(largest, heaviest)
        scaled = [
            [weight * multiplier.numerator // multiplier.denominator for weight in window] for window in self.weights
        ]
        return ScaledLoads(np.array(scaled, dtype=np.int64), multiplier / self.unit, exact=False)


def _reduced(weights: Sequence[Sequence[int]], unit: Fraction) -> tuple[tuple[tuple[int, ...], ...], Fraction]:
    """The same loads as the smallest possible integers, and their unit."""
    common = gcd(*(weight for window in weights for weight in window)) or 1
    return tuple(tuple(weight // common for weight in window) for window in weights), common * unit


def _lcm_up_to(last: int, limit: int) -> int:
    """Least common multiple of ``1 .. last``, or 0 where it exceeds `limit`."""
    result = 1
    for number in range(2, last + 1):
        result = lcm(result, number)
        if result > limit:
            return 0
    return result if result <= limit else 0
