"""Attack on bounds of several windows at once: none above the optimum, none that the checker refuses.

``python -m tests.attack_window_weightings --layers 100000 --seed 0`` proves random tiny layers of some windows and
compares each bound with all placements. It ends with 1 at the first violation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, product
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.methods import WINDOWS
from eplb_opt.bounds.window_weightings import WindowWeightings
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from tests.attack_bound import MOST_EXPERTS, MOST_PLACEMENTS, MOST_SLOTS, ViolationError, random_deployment
from tests.placements import Placements, TooManyError
from tests.random_instances import random_loads

# Slots per GPU, distinct, objective.
KINDS = list(product((2, 3, 4, 5), (True, False), ("worst", "mean")))
# Seconds between lines.
EVERY = 60.0


class _Bounds(WindowWeightings):
    """Bounds alone: plans with counts that nothing refutes take most of the time."""

    def _plan_with(self, counts: Ints) -> None:
        """Nothing."""


def proven(loads: NDArray[np.generic], deployment: Deployment, objective: str, seed: int) -> tuple[Incumbent, bool]:
    """What is known of a layer, of loads ``(windows, experts)``, after a proof; and whether that raised the bound."""
    instance, searched = Objective(objective).on(Instance.from_loads(loads, deployment))
    if instance.num_windows == 1:
        return Incumbent(instance, searched), False
    instance = instance.in_mean_loads()
    incumbent = Incumbent(instance, Objective() if objective == "worst" else searched)
    incumbent.offer_plan(greedy(instance.total()), "greedy")
    incumbent.offer_proof(instant_bound(instance, Objective(objective)))
    _Bounds(incumbent, Meter(Limits(3600.0, seed=seed, work=2.0))).run()
    return incumbent, incumbent.proof.argument == WINDOWS


def tiny(seed: int, layers: int) -> Iterator[tuple[Deployment, str, NDArray[np.generic], list[Fraction]]]:
    """Batches of so many layers of each of `KINDS` in turn, ``(layers, windows, experts)``, with their optima."""
    random = np.random.default_rng(seed)
    for size, distinct, objective in cycle(KINDS):
        while True:
            deployment, experts = random_deployment(random, size, distinct, 1, MOST_SLOTS, MOST_EXPERTS)
            try:
                placements = Placements(deployment, experts, MOST_PLACEMENTS)
                break
            except TooManyError:
                pass
        loads = random_loads(random, (int(random.integers(2, 5)), layers, experts)).swapaxes(0, 1)
        yield deployment, objective, loads, placements.optima(loads, objective)


def attack(layers: int, seed: int, each: int = 20) -> tuple[int, int]:
    """Prove so many layers; how many, and of how many the bound was raised.

    Raises
    ------
    ViolationError
        A bound above an optimum, or one that the checker refused.
    """
    done = raised = 0
    begin = last = perf_counter()
    for deployment, objective, loads, optima in tiny(seed, each):
        for layer, optimum in zip(loads, optima, strict=True):
            incumbent, better = proven(layer, deployment, objective, done)
            if not any(map(any, layer.tolist())) or incumbent.instance.num_windows == 1:
                continue
            if incumbent.bound > optimum:
                raise ViolationError(f"{objective} {deployment}: {incumbent.proof} above {optimum}: {layer.tolist()}")
            if not incumbent.proof.checked:
                raise ViolationError(f"{objective} {deployment}: {incumbent.proof} is refused: {layer.tolist()}")
            done, raised = done + 1, raised + better
        if perf_counter() - last > EVERY:
            last = perf_counter()
            print(f"{done} layers, {raised} bounds raised, {last - begin:.0f} s", flush=True)
        if done >= layers:
            return done, raised
    raise AssertionError


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        print("{} layers, {} bounds raised, no violation".format(*attack(arguments.layers, arguments.seed)))
    except ViolationError as violation:
        print(violation)
        sys.exit(1)
