"""Instant lower bounds on objectives over several windows, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm

from eplb_opt.bounds.quick import adams_bound, quick_bounds
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import weighted_mean


def window_bounds(
    instance: Instance, objective: str, window_weights: Sequence[Fraction] | None = None
) -> tuple[Proof, ...]:
    """Bounds on the ``"mean"`` or ``"worst"`` imbalance over the windows with any load; 1 where there is none.

    `window_weights` weigh the mean.
    """
    bounds = [_least_imbalance(window) for window in _single_windows(instance)] or [Fraction(1)]
    if objective == "mean":
        weights = window_weights or (Fraction(1),) * instance.num_windows
        weights = [weight for weight, window in zip(weights, instance.weights, strict=True) if any(window)]
        pairs = list(zip(bounds, weights or [Fraction(1)], strict=True))
        return (Proof("windows", weighted_mean(pairs), checked=True),)
    return Proof("windows", max(bounds), checked=True), Proof("envelope", envelope_bound(instance), checked=True)


def envelope_bound(instance: Instance) -> Fraction:
    """The smallest largest imbalance that the hottest slots of all windows allow.

    In a plan whose imbalance is at most T in every window, expert e has at least ``w[k, e] / (T M[k])`` replicas for
    each window k, M[k] its mean load: as many as the load ``max_k w[k, e] / M[k]`` would need at max load T. So Adams'
    bound for these loads holds, and is met with one slot per GPU. Stronger than the windows by themselves where slots
    are few and different experts are hot at different times.
    """
    windows = _single_windows(instance)
    if not windows:
        return Fraction(1)
    means = [sum(window.weights[0]) for window in windows]
    multiple = lcm(*means)
    scaled = [
        [weight * (multiple // mean) for weight in window.weights[0]]
        for window, mean in zip(windows, means, strict=True)
    ]
    envelope = tuple(map(max, zip(*scaled, strict=True)))
    unit = Fraction(instance.deployment.num_gpus, multiple)
    return adams_bound(Instance((envelope,), unit, instance.deployment))


def _single_windows(instance: Instance) -> list[Instance]:
    """Each window with any load as an instance of its own."""
    return [replace(instance, weights=(window,)) for window in instance.weights if any(window)]


def _least_imbalance(window: Instance) -> Fraction:
    (mean,) = window.mean_loads
    return strongest(*quick_bounds(window)).bound / mean
