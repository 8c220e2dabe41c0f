"""Where plans run out: the excess over the mean load at which one plan is expected, by counting.

``python -m tests.measure_expected_plans models`` prints it for instances of a library, beside the best plan, by two
estimates. Neither is a bound. Both are for the counts of the best plan: others, of which there are many, move them.
The same counting says where number partitioning turns hard: S. Mertens, Physical Review Letters 81, 4281 (1998),
https://doi.org/10.1103/PhysRevLett.81.4281.

- *Normal GPUs*: GPUs are taken for independent and normal. A plan with given counts is one of
  ``S! / (P!^G G! prod c[e]!)``, its GPU loads have the covariance of P slots, and all are within the excess with the
  probability of the density at the mean times the volume of ``G`` numbers of sum 0 that are at most the excess. It is
  for GPUs of three slots or more, without groups on nodes, and knows nothing of heavy experts that hardly any set of
  others fills up.
- *Patterns*: all sets of slots that a GPU can hold within limits are listed. Windows have limits in the ratio of the
  best plan. In the mixture of most entropy that places every replica a pattern occurs ``exp(sum of duals of its
  slots)`` times, and that entropy with a Gaussian correction is the logarithm of the number of plans: A. Barvinok and
  J. Hartigan, Advances in Applied Mathematics 45, 252-289 (2010), https://doi.org/10.1016/j.aam.2010.01.004. Against
  all plans of small layers it is off by 1 or so (`tests/test_expected_plans.py`), of logarithms of 100 and more. What
  is as large as the excess of the best plan may be more.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from math import comb, inf, lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from eplb_opt import read_library
from eplb_opt.deployment import Deployment

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Patterns leave free at most so many times the excess: what leaves more is in hardly any plan.
FREE = 8
# Sets without their last slot that are not too many to look at.
MOST_SETS = 50_000_000
# Part of the excess to which it is told.
PRECISION = 0.01


def expected_excess(loads: Floats, slots: Ints, deployment: Deployment) -> float:
    """Part of the mean load that the hottest GPU of the only expected plan is above it, in every window; normal GPUs.

    `loads` has a row for each window; counts are those of a row of `slots`.
    """
    num_gpus, size = deployment.num_gpus, deployment.slots_per_gpu
    counts = np.bincount(slots, minlength=loads.shape[1])
    shares = loads / loads.sum(axis=1, keepdims=True) * num_gpus / counts
    gpu = np.atleast_2d(np.cov(shares[:, slots])) * size
    plans = lgamma(slots.size + 1) - num_gpus * lgamma(size + 1) - lgamma(num_gpus + 1)
    plans -= sum(lgamma(count + 1) for count in counts.tolist())
    # Of the loads of all GPUs but one, which the sum settles, at the mean: their covariance a (I - J / G), a being that
    # of P slots, has the determinant a^(G - 1) / G.
    density = log(num_gpus) * len(loads) - (num_gpus - 1) * (len(loads) * log(2 * pi) + np.linalg.slogdet(gpu)[1])
    # plans + density / 2 + windows log((G x)^(G - 1) / (G - 1)!) = 0
    volume = -(plans + density / 2) / len(loads)
    return float(np.exp((volume + lgamma(num_gpus)) / (num_gpus - 1)) / num_gpus)


def patterns_within(replicas: Floats, least: Floats, most: Floats, size: int) -> Ints:
    """All sets of `size` experts whose loads are within limits in every window, shape ``(patterns, size)``.

    `replicas` has the loads of one of each expert, shape ``(experts, windows)``.
    """
    order = np.argsort(replicas[:, 0], kind="stable")
    loads, number = replicas[order], len(replicas)
    found = [np.empty((0, size), dtype=np.int64)]
    for first in range(number - size + 1):
        chosen = list(combinations(range(first + 1, number), size - 2))
        middle = np.array(chosen, dtype=np.int64).reshape(len(chosen), size - 2)
        sums = loads[first] + loads[middle].sum(axis=1)
        after = middle[:, -1] + 1 if size > 2 else np.array([first + 1])
        # The last one is between two places, by its load in the first window.
        low = np.maximum(np.searchsorted(loads[:, 0], least[0] - sums[:, 0]), after)
        many = np.maximum(np.searchsorted(loads[:, 0], most[0] - sums[:, 0], side="right") - low, 0)
        rows = np.repeat(np.arange(len(middle)), many)
        last = np.arange(rows.size) - np.repeat(np.cumsum(many) - many - low, many)
        both = sums[rows] + loads[last]
        fits = ((both <= most) & (both >= least)).all(axis=1)
        rows, last = rows[fits], last[fits]
        found.append(np.column_stack([np.full(rows.size, first), middle[rows], last]))
    patterns: Ints = order[np.concatenate(found)]
    return patterns


def log_plans(counts: Ints, patterns: Ints, num_gpus: int) -> float:
    """The logarithm of the number of plans with these counts, all of whose GPUs have one of the patterns.

    Minus infinity where not even a mixture of patterns places every replica. By Newton's method on the dual of the
    entropy, ``sum_f exp(sum of duals of f) - sum_e counts[e] duals[e]``, which is least.
    """
    number, size = len(counts), patterns.shape[1]
    if not len(patterns):
        return -inf
    pairs = [patterns[:, a] * number + patterns[:, b] for a in range(size) for b in range(size)]
    duals = np.full(number, log(num_gpus / len(patterns)) / size)
    value, often = _dual(counts, patterns, duals)
    for _ in range(100):
        left = counts - sum(np.bincount(column, often, number) for column in patterns.T)
        hessian = sum(np.bincount(pair, often, number**2) for pair in pairs).reshape(number, number)
        if np.abs(left).max() < 1e-3:
            _, determinant = np.linalg.slogdet(hessian)
            # A replica more or less is no normal but a Poisson variable.
            poisson = sum(c * log(c) - c - lgamma(c + 1) + log(2 * pi * c) / 2 for c in counts.tolist())
            return float(value - (determinant + number * log(2 * pi)) / 2 + poisson)
        step, part = np.linalg.solve(hessian + 1e-9 * np.trace(hessian) / number * np.eye(number), left), 1.0
        while part > 1e-9:
            new, new_often = _dual(counts, patterns, duals + part * step)
            if new < value - 1e-4 * part * (left @ step):
                break
            part /= 2
        duals, value, often = duals + part * step, new, new_often
        # The entropy of a mixture is positive: what falls below has none.
        if value < 0:
            break
    return -inf


def _dual(counts: Ints, patterns: Ints, duals: Floats) -> tuple[float, Floats]:
    """The function whose least value is the entropy, and how often each pattern occurs."""
    with np.errstate(over="ignore"):
        often = np.exp(duals[patterns].sum(axis=1))
    return float(often.sum() - duals @ counts), often


def excess_by_patterns(loads: Floats, slots: Ints, deployment: Deployment) -> float:
    """The mean excess of windows at which one plan is expected, with limits in the ratio of those of a plan `slots`."""
    num_gpus, size = deployment.num_gpus, deployment.slots_per_gpu
    counts = np.bincount(slots, minlength=loads.shape[1])
    replicas = (loads / loads.sum(axis=1, keepdims=True) * num_gpus / counts).T
    excess = replicas[slots].reshape(num_gpus, size, -1).sum(axis=1).max(axis=0) - 1
    low, high = 0.0, 1.0
    while high - low > PRECISION * high:
        part = (low + high) / 2 if low else high / 2
        patterns = patterns_within(replicas, 1 - FREE * part * excess, 1 + part * excess, size)
        if log_plans(counts, patterns, num_gpus) > 0:
            high = part
        else:
            low = part
    return high * float(excess.mean())


def main() -> None:
    """A line for each instance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--only", help="instances whose names contain it")
    arguments = parser.parse_args()
    print("Excess over the mean load, on average over windows: of the best plan, and at which one plan is expected.")
    print(f"{'instance':28}  {'best plan':>9}  {'normal GPUs':>11}  {'patterns':>9}")
    for named in read_library(arguments.library):
        deployment, best = named.deployment, named.best
        loads = np.array(named.loads.values[:, 0], dtype=float)
        loads = loads[loads.sum(axis=1) > 0]
        if best is None or not loads.size or deployment.binding_nodes > 1 or deployment.slots_per_gpu == 1:
            continue
        if arguments.only and arguments.only not in named.name:
            continue
        slots = np.array(best.plan.physical_to_logical[0])
        size, experts = deployment.slots_per_gpu, loads.shape[1]
        shares = loads / np.bincount(slots, minlength=experts) / loads.sum(axis=1, keepdims=True)
        gpus = shares[:, slots].reshape(len(loads), deployment.num_gpus, -1).sum(axis=2) * deployment.num_gpus
        excess = gpus.max(axis=1).mean() - 1
        normal = f"{expected_excess(loads, slots, deployment):.1e}" if size > 2 else "-"
        few = comb(experts, size - 1) <= MOST_SETS
        listed = f"{excess_by_patterns(loads, slots, deployment):.1e}" if few and excess > 1e-9 else "-"
        print(f"{named.name:28}  {excess:9.1e}  {normal:>11}  {listed:>9}", flush=True)


if __name__ == "__main__":
    main()
