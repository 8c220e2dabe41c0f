"""Attack on bounds of several windows where groups are bound to nodes: none above the optimum, none that is refused.

``python -m tests.attack_window_nodes --layers 1000 --seed 0`` proves random tiny layers of some windows and compares
each bound with all placements. It says how many bounds are the optimum, and ends with 1 at the first violation.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle, product
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.methods import PARTITION, WINDOWS, window_nodes_apply
from eplb_opt.bounds.prove import PROVERS
from eplb_opt.bounds.window_nodes import WindowNodes
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from tests.attack_bound import MOST_EXPERTS, ViolationError, random_deployment
from tests.placements import Placements, TooManyError
from tests.random_instances import random_loads

# Slots per GPU, distinct, nodes, objective.
KINDS = list(product((2, 3, 4), (True, False), (2, 2, 3), ("worst", "mean")))
MOST_PLACEMENTS, MOST_SLOTS = 5_000, 16
# Seconds of work for a layer, and between lines.
WORK, EVERY = 1.0, 60.0


@dataclass(frozen=True)
class Layer:
    """Loads, shape ``(windows, experts)``, and the imbalance of the best placement."""

    deployment: Deployment
    objective: str
    loads: NDArray[np.generic]
    optimum: Fraction


def layers(seed: int, each: int) -> Iterator[Layer]:
    """So many random layers of each of `KINDS` in turn, with load in several windows."""
    random = np.random.default_rng(seed)
    for size, distinct, nodes, objective in cycle(KINDS):
        try:
            deployment, experts = random_deployment(random, size, distinct, nodes, MOST_SLOTS, MOST_EXPERTS)
            placements = Placements(deployment, experts, MOST_PLACEMENTS)
        except TooManyError:
            continue
        loads = random_loads(random, (int(random.integers(2, 4)), each, experts)).swapaxes(0, 1)
        for layer, optimum in zip(loads, placements.optima(loads, objective), strict=True):
            if np.count_nonzero(layer.any(axis=1)) > 1 and deployment.gpus_per_node > 1:
                yield Layer(deployment, objective, layer, optimum)


def prove(layer: Layer, seed: int) -> tuple[Incumbent, bool]:
    """What is known of a layer after its proof, and whether that raised the bound."""
    instance, objective = Objective(layer.objective).on(Instance.from_loads(layer.loads, layer.deployment))
    instance = instance.in_mean_loads()
    incumbent = Incumbent(instance, Objective() if layer.objective == "worst" else objective)
    incumbent.offer_plan(greedy(instance.total()), "greedy")
    incumbent.offer_proof(instant_bound(instance, Objective(layer.objective)))
    instant, meter = incumbent.bound, Meter(Limits(3600.0, seed=seed, work=WORK))
    if layer.objective == "worst":
        PROVERS[PARTITION](incumbent, meter)
    elif seed % 2:
        # Placements that are all tried leave nothing to weigh.
        if window_nodes_apply(instance):
            WindowNodes(incumbent, meter).run()
    else:
        PROVERS[WINDOWS](incumbent, meter)
    return incumbent, incumbent.bound > instant


def attack(number: int, seed: int, each: int = 5) -> Counter[str]:
    """Prove so many layers; how many bounds there were, of which were raised, and the optimum.

    Raises
    ------
    ViolationError
        A bound above an optimum, or one that the checker refuses on the loads as recorded.
    """
    counts: Counter[str] = Counter()
    begin = last = perf_counter()
    for done, layer in enumerate(layers(seed, each)):
        if done == number:
            break
        incumbent, raised = prove(layer, done)
        kind = layer.objective
        if incumbent.bound > layer.optimum or incumbent.value < layer.optimum:
            raise ViolationError(f"{incumbent.bound} {incumbent.proof}, {incumbent.value}: {layer} {layer.loads}")
        try:
            recorded = Instance.from_loads(layer.loads, layer.deployment)
            check_proof(incumbent.checked, recorded, Objective(kind))
        except CertificateError as error:
            raise ViolationError(f"{error}: {incumbent.checked}: {layer} {layer.loads}") from error
        counts[f"{kind}: layers"] += 1
        counts[f"{kind}: raised"] += raised
        counts[f"{kind}: on somebody's word"] += not incumbent.proof.checked
        counts[f"{kind}: the optimum, checked"] += incumbent.checked.bound == layer.optimum
        if perf_counter() - last > EVERY:
            last = perf_counter()
            print(f"{last - begin:.0f} s {dict(counts)}", flush=True)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        for kind, count in sorted(attack(arguments.layers, arguments.seed).items()):
            print(f"{count:8,} {kind}")
    except ViolationError as violation:
        print(violation)
        sys.exit(1)
