"""Prove: the method that fits the layer, and the same promises from all of them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.methods import DECOMPOSITION, PAIRING, PARTITION, proof_method
from eplb_opt.bounds.prove import prove
from eplb_opt.deployment import Deployment
from eplb_opt.incumbent import NO_BOUND
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.run.task import ProofTask
from eplb_opt.run.work import run_task
from tests.examples import examples
from tests.oracle import brute_force
from tests.random_instances import random_instance
from tests.strategies import instances
from tests.watch import Watch


@pytest.mark.parametrize(
    ("deployment", "method"),
    [
        (Deployment(4, 8), PAIRING),
        (Deployment(4, 8, distinct=False), PAIRING),
        (Deployment(4, 12), DECOMPOSITION),
        (Deployment(8, 8), DECOMPOSITION),
        (Deployment(4, 8, 2, 8, "global"), PAIRING),
        (Deployment(4, 12, 2, 8, "global"), DECOMPOSITION),
        (Deployment(4, 8, 2, 8), PARTITION),
        (Deployment(4, 12, 2, 2), PARTITION),
        # 8 of 16 groups: 12,870 sets for a node.
        (Deployment(4, 16, 2, 16, distinct=False), PARTITION),
    ],
)
def test_the_method_follows_from_nodes_and_slots_per_gpu(deployment, method):
    num_experts = 16 if deployment.num_groups == 16 else 8
    assert proof_method(Instance.from_loads(range(num_experts), deployment)) == method


@examples(40)
@given(instances(max_experts=6, max_gpus=4, max_slots=10), st.sampled_from([Fraction(0), Fraction(1, 2), None]))
def test_plans_are_valid_bounds_are_true_and_both_move_forward(instance, part):
    optimum = brute_force(instance)
    watch = Watch(instance, optimum, None if part is None else part * optimum)
    gap = Fraction(1, 10**4)
    watch.run(prove, gap, Limits(60, work=0.1))
    assert watch.lower_bound <= optimum <= watch.best


def test_seeded_layers_of_all_kinds_are_closed_to_the_last_digit():
    # Whole tokens, no more than 200, on tiny layers: bounds end on the grid of possible max loads.
    random = np.random.default_rng(11)
    closed, methods = 0, set()
    for seed in range(80):
        shape = random_instance(random, max_experts=6, max_slots=9)
        instance = Instance.from_loads(random.integers(0, 200, shape.num_experts), shape.deployment)
        watch = Watch(instance, brute_force(instance))
        closed += watch.run(prove, Fraction(0), Limits(60, seed=seed, work=0.2))
        methods.add(proof_method(instance))
    assert methods == {PAIRING, DECOMPOSITION, PARTITION}
    assert closed >= 70


@pytest.mark.parametrize("deployment", [Deployment(16, 48), Deployment(16, 48, 4, 8), Deployment(48, 48)])
def test_zero_limits_return_at_once_with_what_is_known(deployment):
    instance = Instance.from_loads(np.random.default_rng(0).lognormal(0, 1.5, 40), deployment)
    for limits in (Limits(0.0), Limits(60, work=0.0)):
        watch = Watch(instance, None, Fraction(0))
        assert not watch.run(prove, Fraction(0), limits)
        assert watch.plans == []


@pytest.mark.parametrize(
    ("loads", "deployment"),
    [
        ([20, 21, 69, 61], Deployment(3, 6)),
        ([9, 9, 9, 9, 2, 2, 2, 2, 2], Deployment(3, 9)),
        ([18, 1, 17, 1, 5, 1, 8, 12], Deployment(6, 12, 2, 4)),
    ],
)
def test_a_task_emits_plans_and_bounds_and_comes_to_its_end(loads, deployment):
    instance = Instance.from_loads(loads, deployment)
    optimum = brute_force(instance)
    watch = Watch(instance, optimum, Fraction(0))
    task = ProofTask(instance, tuple(watch.slots.tolist()), NO_BOUND, proof_method(instance), Limits(60))
    assert run_task(task, watch)
    assert watch.best == watch.lower_bound == optimum


def test_a_task_that_runs_out_is_stopped():
    instance = Instance.from_loads(np.random.default_rng(0).lognormal(0, 1.5, 40), Deployment(16, 48))
    watch = Watch(instance, None)
    task = ProofTask(instance, tuple(watch.slots.tolist()), NO_BOUND, DECOMPOSITION, Limits(0.0))
    found = []
    assert not run_task(task, found.append)
    assert found == []
