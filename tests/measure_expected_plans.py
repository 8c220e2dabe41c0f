"""Where plans run out: the excess over the mean load at which one plan is expected, by counting.

``python -m tests.measure_expected_plans models`` prints it for the instances of a library, beside the best plan. GPUs
are taken for independent and normal: a plan with given counts is one of ``S! / (P!^G G! prod c[e]!)``, its GPU loads
have the covariance of P slots, and all are within the excess with the probability of the density at the mean times the
volume of ``G`` numbers of sum 0 that are at most the excess. Other counts, of which there are many, move it down. An
estimate and no bound: it is for GPUs of three slots or more, without groups on nodes. The same count says where number
partitioning turns hard: S. Mertens, Physical Review Letters 81, 4281 (1998),
https://doi.org/10.1103/PhysRevLett.81.4281.
"""

from __future__ import annotations

import argparse
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from eplb_opt import read_library
from eplb_opt.deployment import Deployment


def expected_excess(loads: NDArray[np.float64], slots: NDArray[np.int64], deployment: Deployment) -> float:
    """Part of the mean load that the hottest GPU of the only expected plan is above it, in every window.

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


def main() -> None:
    """A line for each instance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    print(f"{'instance':28}  {'best plan':>9}  {'one plan expected':>17}  of the mean load, above it")
    for named in read_library(parser.parse_args().library):
        deployment, best = named.deployment, named.best
        loads = np.array(named.loads.values[:, 0], dtype=float)
        loads = loads[loads.sum(axis=1) > 0]
        if best is None or not loads.size or deployment.binding_nodes > 1 or deployment.slots_per_gpu < 3:
            continue
        slots = np.array(best.plan.physical_to_logical[0])
        shares = loads / np.bincount(slots, minlength=loads.shape[1]) / loads.sum(axis=1, keepdims=True)
        gpus = shares[:, slots].reshape(len(loads), deployment.num_gpus, -1).sum(axis=2) * deployment.num_gpus
        excess = gpus.max(axis=1).mean() - 1
        print(f"{named.name:28}  {excess:9.1e}  {expected_excess(loads, slots, deployment):17.1e}")


if __name__ == "__main__":
    main()
