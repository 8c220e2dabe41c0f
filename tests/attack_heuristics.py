"""Attack: no heuristic beats a proven bound, on as many random small layers as asked for.

``python -m tests.attack_heuristics --layers 1000000 --seed 0`` ends with 1 at the first violation. Layers come in
batches of one random deployment; values and bounds are compared in integers.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from itertools import repeat
from math import lcm
from time import perf_counter

import numpy as np

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics import names
from eplb_opt.heuristics.batch import place_layers
from eplb_opt.heuristics.registry import JOINT, heuristic_of
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import verify
from tests.random_instances import random_instance

BATCH = 500


def random_layers(random: np.random.Generator) -> tuple[Deployment, np.ndarray]:
    """A small deployment, and whole loads of `BATCH` layers with ties, zeros and skew."""
    instance = random_instance(random, max_experts=8, max_gpus=6, max_slots=18)
    shape = (BATCH, instance.num_experts)
    kinds = (
        random.integers(0, 5, shape),
        random.integers(1, 200, shape) * (random.random(shape) < 0.7),
        random.integers(0, 10**6, shape),
        np.floor(10 ** random.uniform(0, 6, shape)).astype(np.int64),
    )
    return instance.deployment, np.choose(random.integers(0, len(kinds), (BATCH, 1)), kinds)


def max_loads(slots: np.ndarray, loads: np.ndarray, deployment: Deployment) -> tuple[np.ndarray, int]:
    """Largest GPU load of each layer times the second result, in integers."""
    counts = np.stack([np.bincount(row, minlength=loads.shape[1]) for row in slots])
    common = lcm(*range(1, int(counts.max()) + 1))
    slot_loads = np.take_along_axis(loads * (common // counts), slots, axis=1)
    return slot_loads.reshape(len(slots), deployment.num_gpus, -1).sum(axis=2).max(axis=1), common


def violations(seed: int, batch: int) -> list[str]:
    """What is wrong with the plans of one batch."""
    deployment, loads = random_layers(np.random.default_rng((seed, batch)))
    bounds = [max(proof.bound for proof in quick_bounds(Instance.from_loads(row, deployment))) for row in loads]
    found = []
    for name in names():
        if name == JOINT:
            continue
        slots = place_layers(heuristic_of(name), loads.astype(float), deployment).slots
        plan = Plan(slots, deployment, loads.shape[1])
        found += [f"{name}: {violation}" for violation in verify(plan)]
        values, common = max_loads(slots, loads, deployment)
        for row, value, bound in zip(loads.tolist(), values.tolist(), bounds, strict=True):
            if Fraction(value, common) < bound:
                found.append(f"{name} reaches {Fraction(value, common)} below {bound}: {row} on {deployment}")
    return found


def main() -> int:
    """Run the attack; 1 where it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    batches, begin = -(-arguments.layers // BATCH), perf_counter()
    with ProcessPoolExecutor(arguments.workers) as pool:
        for done, found in enumerate(pool.map(violations, repeat(arguments.seed), range(batches)), 1):
            if found:
                print(*found, sep="\n")
                return 1
            if done % 100 == 0:
                print(f"{done * BATCH:,} layers, {perf_counter() - begin:.0f} s", file=sys.stderr)
    plans = batches * BATCH * (len(names()) - 1)
    print(f"{batches * BATCH:,} layers, {plans:,} plans: all valid, none below a bound")
    return 0


if __name__ == "__main__":
    sys.exit(main())
