"""Reassignment over several windows: valid tables, never worse; the best assignment of a few GPUs by brute force."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.windows import window_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.window_search import reassigned
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.verify import objective_value, verify
from tests.examples import examples
from tests.strategies import SMALL, TOKENS, instances, rows_of_slots


def dealt_anew(instance, row, objective, seconds=2e-4, above=0.0, seed=0):
    """The row found, from windows that have load."""
    return reassigned(instance, Objective(objective).windows(instance), np.array(row), above, seconds, seed)


@examples(30)
@given(st.data(), st.sampled_from(["mean", "worst"]), st.integers(0, 99), st.sampled_from([0.0, 1.0]))
def test_tables_are_valid_and_never_worse(data, objective, seed, above):
    instance = data.draw(instances(min_windows=1, max_windows=4, kinds=(SMALL, TOKENS))).loaded()
    if not any(map(any, instance.weights)):
        return
    row = data.draw(rows_of_slots(instance))
    found = dealt_anew(instance, row, objective, 3e-4, above, seed)
    assert verify(Plan(found[np.newaxis], instance.deployment, instance.num_experts)) == []
    before, after = (float(objective_value(list(slots), instance, objective)) for slots in (row, found.tolist()))
    assert after <= before * (1 + 1e-9)


@pytest.mark.parametrize("objective", ["mean", "worst"])
@pytest.mark.parametrize("deployment", [Deployment(2, 8), Deployment(2, 8, distinct=False), Deployment(3, 6)])
def test_two_or_three_gpus_end_at_the_best_deal(objective, deployment):
    # Pairs of many slots, threes of few: either way all slots take part in each assignment.
    for seed in range(3):
        random = np.random.default_rng(seed)
        instance = Instance.from_loads(random.integers(1, 50, (3, 5)), deployment)
        spare = random.choice(5, deployment.num_slots - 5, replace=False)
        row = [*range(5), *spare.tolist()]
        # In which of its slots a GPU holds an expert does not matter.
        gpus = [
            slice(first, first + deployment.slots_per_gpu) for first in range(0, len(row), deployment.slots_per_gpu)
        ]
        plans = {tuple(slot for gpu in gpus for slot in sorted(plan[gpu])) for plan in permutations(row)}
        valid = [plan for plan in plans if verify(Plan(np.array([plan]), deployment, 5)) == []]
        best = min(objective_value(plan, instance, objective) for plan in valid)
        found = dealt_anew(instance, valid[0], objective, seed=seed)
        # Annealing may find other counts, never worse.
        assert objective_value(found.tolist(), instance, objective) <= best


@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(4, 80),
        Deployment(4, 80, distinct=False),
        Deployment(4, 80, num_nodes=2, num_groups=4, policy="hierarchical"),
        Deployment(4, 80, num_nodes=2, num_groups=4, policy="hierarchical", distinct=False),
    ],
)
def test_many_slots_are_dealt_in_parts(deployment):
    random = np.random.default_rng(5)
    instance = Instance.from_loads(random.integers(1, 1000, (3, 64)), deployment)
    # The experts of each node in order, and the first of them again.
    experts, size = 64 // deployment.binding_nodes, deployment.slots_per_node
    row = np.concatenate([np.resize(np.arange(experts), size) + experts * n for n in range(deployment.binding_nodes)])
    assert verify(Plan(row[np.newaxis], deployment, 64)) == []
    found = dealt_anew(instance, row, "mean", 0.05, 0.002)
    assert verify(Plan(found[np.newaxis], deployment, 64)) == []
    bound = max(proof.bound for proof in window_bounds(instance, "mean"))
    before, after = (objective_value(slots.tolist(), instance, "mean") for slots in (row, found))
    # Of other partitions of the groups the bound may be lower.
    assert after - bound < (before - bound) / (1 if deployment.hierarchical else 5)
    assert np.array_equal(found, dealt_anew(instance, row, "mean", 0.05, 0.002))
    assert not np.array_equal(found, dealt_anew(instance, row, "mean", 0.05, 0.002, seed=1))


def test_one_gpu_or_one_slot_each_is_left_alone():
    for deployment in (Deployment(1, 6), Deployment(6, 6)):
        instance = Instance.from_loads(np.arange(12).reshape(2, 6) + 1, deployment)
        assert dealt_anew(instance, range(6), "mean").tolist() == list(range(6))
