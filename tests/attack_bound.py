"""Attack on `solve`: no bound above the optimum, no plan that is not what it is said to be, no proof that fails.

``python -m tests.attack_bound --layers 1000000 --seed 0`` solves random tiny layers and compares each with all its
placements. With ``--medium 2000`` it solves so many layers that are too large for that, and asks two solvers for the
optimum of the whole model. Either ends with 1 at the first violation.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import cycle, product
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

import eplb_opt
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.solution import Solution
from tests.dispatch.oracle import hottest
from tests.oracle import row_is_valid
from tests.placements import Placements, TooManyError
from tests.random_instances import random_loads

# Slots per GPU, distinct, nodes that groups are bound to (one: global), objective.
KINDS = list(product((1, 2, 3, 4), (True, False), (1, 2), ("total", "total", "worst", "mean")))
# One batch in four is not split evenly. What SGLang draws depends on other layers.
DISPATCHES = ("nearest", "by-rank", "optimal", *["even"] * 9)
MOST_PLACEMENTS, MOST_DISPATCHED = 3_000, 1_000
MOST_SLOTS, MOST_EXPERTS = 12, 8
# Under the optimal split, where all sets of them are looked at.
MOST_GPUS = 6
# Seconds for a medium layer, and for each solver of it.
PER_MEDIUM, PER_SOLVER = 0.5, 1.5
# Seconds between lines.
EVERY = 60.0
SOLVERS = ("cpsat", "pulp:HiGHS")


class ViolationError(Exception):
    """Something that is said to be right is wrong."""


@dataclass(frozen=True)
class Batch:
    """Layers on one deployment, of loads of the shape ``(windows, layers, experts)``."""

    deployment: Deployment
    loads: NDArray[np.generic]
    objective: str


def tiny(seed: int, layers: int) -> Iterator[tuple[Batch, Placements]]:
    """Random batches of so many layers, each of `KINDS` in turn, with all their placements."""
    random = np.random.default_rng(seed)
    for size, distinct, nodes, objective in cycle(KINDS):
        while True:
            # Anew each time: of some kinds all deployments have too many placements where their order matters.
            dispatch = str(random.choice(DISPATCHES))
            try:
                deployment, experts = random_deployment(random, size, distinct, nodes, MOST_SLOTS, MOST_EXPERTS)
                deployment = under(random, deployment, dispatch)
                most = MOST_PLACEMENTS if dispatch == "even" else MOST_DISPATCHED
                placements = Placements(deployment, experts, most)
                break
            except TooManyError:
                pass
        windows = 1 if objective == "total" else int(random.integers(2, 4))
        yield Batch(deployment, random_loads(random, (windows, layers, experts)), objective), placements


def random_deployment(
    random: np.random.Generator, size: int, distinct: bool, nodes: int, most_slots: int, most_experts: int
) -> tuple[Deployment, int]:
    """A deployment of so many slots per GPU, two GPUs or more on each node, and its number of experts."""
    gpus = int(random.integers(2, max(3, most_slots // nodes // size + 1)))
    least, most = size if distinct else 2, min(gpus * size, most_experts // nodes)
    experts = int(random.integers(least, max(least, most) + 1))
    groups = int(random.choice([d for d in range(1, experts + 1) if experts % d == 0]))
    policy = "hierarchical" if nodes > 1 else "global"
    return Deployment(gpus * nodes, gpus * size * nodes, nodes, groups * nodes, policy, distinct), experts * nodes


def under(random: np.random.Generator, deployment: Deployment, dispatch: str) -> Deployment:
    """A deployment under a dispatch, on any nodes where these bind nothing."""
    if dispatch == "even":
        return deployment
    if dispatch == "optimal" and deployment.num_gpus > MOST_GPUS:
        raise TooManyError
    if not deployment.hierarchical:
        nodes = [nodes for nodes in range(1, deployment.num_gpus + 1) if deployment.num_gpus % nodes == 0]
        deployment = replace(deployment, num_nodes=int(random.choice(nodes)))
    return replace(deployment, dispatch=dispatch)


def attack(batch: Batch, placements: Placements, time_limit: float) -> Counter[str]:
    """Solve a batch in one call and compare each layer with its optimum; counts by status and of checked bounds."""
    solution = solved(batch, time_limit)
    optima = placements.optima(batch.loads.transpose(1, 0, 2), batch.objective)
    for layer, optimum in zip(solution.layers, optima, strict=True):
        if not layer.lower_bound <= optimum <= layer.objective:
            raise ViolationError(f"optimum {optimum} of {layer} in {batch}")
    return counts(batch, solution)


def attack_medium(batch: Batch) -> Counter[str]:
    """Solve a batch, ask `SOLVERS` for the whole model, and compare all of them."""
    proven = 0
    size = batch.loads.shape[1]
    solutions = [solved(batch, PER_MEDIUM * size)] + [solved(batch, PER_SOLVER * size, method) for method in SOLVERS]
    for layers in zip(*(solution.layers for solution in solutions), strict=True):
        if max(layer.lower_bound for layer in layers) > min(layer.objective for layer in layers):
            raise ViolationError(f"{layers} contradict each other in {batch}")
        proven += all(layer.status == "optimal" for layer in layers)
    found = counts(batch, solutions[0])
    found["proven by all"] = proven
    return found


def solved(batch: Batch, time_limit: float, method: str = "auto") -> Solution:
    """A solution to the last digit, whose plans and values have been checked."""
    solution = eplb_opt.solve(
        batch.loads, batch.deployment, method=method, objective=batch.objective, time_limit=time_limit, target_gap=0
    )
    for row, layer in enumerate(solution.layers):
        loads = batch.loads[:, row]
        instance = Instance.from_loads(loads, batch.deployment)
        slots = tuple(solution.plan.physical_to_logical[row].tolist())
        if not row_is_valid(slots, instance):
            raise ViolationError(f"{slots} is no plan for {loads.tolist()} in {batch.deployment}")
        if layer.objective != value(slots, instance, batch.objective):
            raise ViolationError(f"{slots} has not the value of {layer} in {batch}")
        if (layer.status == "optimal") != (layer.lower_bound == layer.objective):
            raise ViolationError(f"{layer} is not what its status says")
    return solution


def value(slots: tuple[int, ...], instance: Instance, objective: str) -> Fraction:
    """The objective by its definition, one GPU after the other."""
    if objective == "total":
        return hottest(slots, instance.total())
    gpus = instance.deployment.num_gpus
    imbalances = [
        hottest(slots, instance, window) * gpus / (sum(loads) * instance.unit)
        for window, loads in enumerate(instance.weights)
        if any(loads)
    ]
    if not imbalances:
        return Fraction(1)
    return max(imbalances) if objective == "worst" else sum(imbalances, Fraction(0)) / len(imbalances)


def counts(batch: Batch, solution: Solution) -> Counter[str]:
    """Layers by status, and those whose bounds have certificates, all of which have to hold."""
    found = Counter(layer.status for layer in solution.layers)
    for layer, certified in zip(solution.layers, certify(solution, batch.loads), strict=True):
        if certified.error is not None or certified.checked != layer.proof.checked:
            raise ViolationError(f"{certified} for {layer} in {batch}")
        found["checked"] += certified.checked
        found[f"by {layer.proof.named}"] += 1
    return found


def medium(seed: int, layers: int) -> Iterator[Batch]:
    """Random batches of one window, of sizes at which solvers end in seconds and all placements are too many."""
    random = np.random.default_rng((seed, 1))
    for size, distinct, nodes in cycle(product((1, 2, 3, 4), (True, False), (1, 2))):
        deployment, experts = random_deployment(random, size, distinct, nodes, 24, 14)
        yield Batch(deployment, random_loads(random, (1, layers, experts)), "total")


def main() -> int:
    """Run the attack, print what was counted, and say whether there was no violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=100_000, help="tiny layers")
    parser.add_argument("--medium", type=int, default=0, help="medium layers, instead of tiny ones")
    parser.add_argument("--seconds", type=float, default=0.0025, help="for each tiny layer")
    parser.add_argument("--batch", type=int, default=1000, help="layers of a call")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin, total, wanted = perf_counter(), Counter[str](), options.medium or options.layers
    said = begin
    size = min(options.batch, wanted)
    try:
        batches = medium(options.seed, size) if options.medium else tiny(options.seed, size)
        for number, batch in enumerate(batches):
            if number * size >= wanted:
                break
            total += attack_medium(batch) if options.medium else attack(*batch, options.seconds * size)
            total["layers"] += size
            if perf_counter() - said > EVERY:
                said = perf_counter()
                print(f"{said - begin:8.0f} s  {dict(total)}", flush=True)
    except ViolationError as violation:
        print(f"violation: {violation}")
        return 1
    finally:
        print(f"{perf_counter() - begin:8.0f} s  {dict(total)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
