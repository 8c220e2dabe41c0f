"""The attack on `solve`: thousands of random tiny layers, each compared with brute force."""

from collections import Counter
from itertools import cycle, islice, product

import numpy as np
import pytest

import eplb_opt
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.oracle import brute_force, row_is_valid, row_max_load
from tests.random_instances import random_loads

# Slots per GPU, distinct, nodes that groups are bound to (one: global).
KINDS = list(product((1, 2, 3, 4), (True, False), (1, 2)))
# Slots and experts of a node, by the number of nodes: what brute force does in milliseconds.
MOST_SLOTS, MOST_EXPERTS = {1: 12, 2: 8}, {1: 8, 2: 5}


def deployments(random):
    """Random deployments with their numbers of experts, each of `KINDS` in turn, with two GPUs or more per node."""
    for size, distinct, nodes in cycle(KINDS):
        gpus = int(random.integers(2, MOST_SLOTS[nodes] // size + 1))
        least, most = size if distinct else 2, min(gpus * size, MOST_EXPERTS[nodes])
        experts = int(random.integers(least, most + 1))
        groups = int(random.choice([d for d in range(1, experts + 1) if experts % d == 0]))
        policy = "hierarchical" if nodes > 1 else "global"
        yield Deployment(gpus * nodes, gpus * size * nodes, nodes, groups * nodes, policy, distinct), experts * nodes


def attack(deployment, values, time_limit):
    """Solve layers of shape ``(layers, experts)`` in one call and compare each with brute force; counts by status."""
    solution = eplb_opt.solve(values, deployment, time_limit=time_limit, target_gap=0)
    assert eplb_opt.verify(solution.plan) == []
    for layer, loads, row in zip(solution.layers, values, solution.plan.physical_to_logical.tolist(), strict=True):
        instance = Instance.from_loads(loads, deployment)
        optimum = brute_force(instance)
        case = f"{deployment}, loads {loads.tolist()}, optimum {optimum}, {layer}"
        assert row_is_valid(tuple(row), instance), case
        assert layer.objective == layer.max_load == row_max_load(tuple(row), instance), case
        assert layer.lower_bound <= optimum <= layer.objective, case
        assert all(proof.bound <= optimum for proof in quick_bounds(instance)), case
        assert (layer.status == "optimal") == (layer.lower_bound == layer.objective), case
    return Counter(layer.status for layer in solution.layers)


def campaign(seed, calls, layers, time_limit):
    """`calls` deployments with `layers` layers each; those of whole tokens and the others go to calls of their own."""
    random = np.random.default_rng(seed)
    counts = Counter()
    for deployment, experts in islice(deployments(random), calls):
        rows = [random_loads(random, experts) for _ in range(layers)]
        for kind in "if":
            values = [row for row in rows if row.dtype.kind == kind]
            if values:
                counts += attack(deployment, np.stack(values), time_limit)
    return counts


def test_no_layer_beats_its_bound_and_optimal_is_optimal():
    counts = campaign(seed=1, calls=len(KINDS), layers=20, time_limit=0.7)
    assert counts.total() == 320


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_no_layer_beats_its_bound_and_optimal_is_optimal_on_thousands(seed, capsys):
    counts = campaign(seed=100 + seed, calls=len(KINDS), layers=64, time_limit=1.0)
    with capsys.disabled():
        print(f" seed {seed}: {counts['optimal']} of {counts.total()} layers proven optimal")
    assert counts.total() == 1024
