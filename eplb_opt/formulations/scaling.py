"""Loads and speeds as the whole numbers that solvers can be trusted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor, gcd, lcm

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance, ScaledLoads

# CP-SAT has returned wrong answers where a row's coefficients sum to more than an int32 holds.
EXACT_SOLVER_ROW_SUM = 2**31 - 1
# Solvers in floating point forgive violations of 1e-6 relative to their coefficients; beyond about 2**27 that adds up
# to whole units, and bounds that are none.
FLOAT_SOLVER_ROW_SUM = 2**24
# Large coefficients slow solvers down; this size loses less than one part in a hundred thousand to rounding.
_LARGEST_LOAD = 2**20
# The same of what divides by speeds, where these are no simple numbers.
_LARGEST_SLOWNESS = 2**10


def largest_row_sum(method: str) -> int:
    """To what the coefficients of a load row may sum for one of `PROGRAM_METHODS`."""
    return EXACT_SOLVER_ROW_SUM if method == "cpsat" else FLOAT_SOLVER_ROW_SUM


def slowness_of(deployment: Deployment) -> tuple[Fraction, tuple[int, ...]]:
    """Steps of a unit, and how many of them a load of one unit takes on each GPU, rounded down."""
    speeds = deployment.gpus.speeds
    if speeds is None:
        return Fraction(1), (1,) * deployment.num_gpus
    steps = Fraction(lcm(*(speed.numerator for speed in speeds)), gcd(*(speed.denominator for speed in speeds)))
    if max(steps / speed for speed in speeds) > _LARGEST_SLOWNESS:
        steps = _LARGEST_SLOWNESS * min(speeds)
    return steps, tuple(floor(steps / speed) for speed in speeds)


def scaled_for_solvers(instance: Instance, ranges: Sequence[range], largest_row_sum: int) -> ScaledLoads:
    """Exact loads where the load rows stay small enough for them, else loads rounded to about a million.

    Of shape ``(windows, experts)``; `factor` and `exact` are those of what waits, in steps of `slowness_of`.
    """
    gpus, (steps, slowness) = instance.deployment.gpus, slowness_of(instance.deployment)
    simple = all(steps == slow * gpus.speed(gpu) for gpu, slow in enumerate(slowness))
    heaviest = max(1, *map(max, instance.weights))
    # Of a load row, in units of the heaviest load; loads up to `largest` keep the rows below the limit.
    row_sum = max(
        sum(weight / heaviest * sum(1 / r for r in counts) for weight, counts in zip(weights, ranges, strict=True))
        for weights in instance.weights
    )
    largest = floor(largest_row_sum // max(slowness) / max(row_sum, 1.0))
    most = max(counts[-1] for counts in ranges)
    scaled = instance.scaled_windows(most, largest)
    if not scaled.exact:
        scaled = instance.scaled_windows(most, min(largest, _LARGEST_LOAD))
    return replace(scaled, factor=scaled.factor * steps, exact=scaled.exact and simple)
