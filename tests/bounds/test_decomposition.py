"""Any number of slots per GPU: every plan is valid, every bound is true, and most tiny layers are closed."""

from fractions import Fraction
from itertools import count, product
from math import lcm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds import decomposition
from eplb_opt.bounds.buckets import CAPACITY, Buckets
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.decomposition import prove_by_dual_functions
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from tests.examples import examples
from tests.oracle import brute_force
from tests.random_instances import random_loads
from tests.strategies import SMALL, instances
from tests.watch import Watch

GLOBAL = {"hierarchical": False, "max_experts": 5, "max_gpus": 4, "max_slots": 9}


PLENTY = Limits(60, work=1.0)


def run(watch, target_gap=Fraction(0), limits=PLENTY):
    """Whether the gap was closed."""
    return watch.run(prove_by_dual_functions, target_gap, limits)


@examples(30)
@given(instances(**GLOBAL), st.sampled_from([Fraction(0), Fraction(1, 2)]), st.integers(0, 9))
def test_bounds_are_true_and_plans_valid_from_any_bound(instance, part, seed):
    optimum = brute_force(instance)
    watch = Watch(instance, optimum, lower_bound=part * optimum)
    run(watch, Fraction(1, 10**4), Limits(60, seed=seed, work=0.05))
    assert watch.lower_bound <= optimum <= watch.best


def test_layers_with_any_slots_are_bounded_and_mostly_closed():
    random = np.random.default_rng(8)
    runs = list(product(range(5), (1, 2, 3, 4), (True, False)))
    closed = 0
    for seed, size, distinct in runs:
        gpus = int(random.integers(1, 12 // size + 1))
        experts = int(random.integers(size if distinct else 1, min(gpus * size, 6) + 1))
        instance = Instance.from_loads(random_loads(random, experts), Deployment(gpus, gpus * size, distinct=distinct))
        watch = Watch(instance, brute_force(instance), Fraction(0) if seed % 2 else None)
        closed += run(watch, Fraction(1, 10**4), Limits(60, seed=seed, work=0.2))
    assert closed >= 0.8 * len(runs)


@examples(20)
@given(instances(**GLOBAL, kinds=(SMALL,)))
def test_bounds_are_numbers_that_a_max_load_can_be(instance):
    watch = Watch(instance, brute_force(instance), Fraction(0))
    run(watch, limits=Limits(60, work=0.05))
    step = instance.unit / lcm(*range(1, instance.max_replicas + 1))
    assert all((proof.bound / step).denominator == 1 for proof in watch.proofs)


@pytest.mark.parametrize(
    ("loads", "deployment", "optimum"),
    [
        # All counts are 1: one of three GPUs has two of the four 9s, and a 2.
        ([9, 9, 9, 9, 2, 2, 2, 2, 2], Deployment(3, 9), 20),
        # One spare slot. For the 2: 1 1 3 | 0 3 3, 6. For a 3: 1.5 1.5 3 | 0 2 3, 6. For the 0: 0 3 3 | 0 2 3, 6.
        ([0, 2, 3, 3, 3], Deployment(2, 6, distinct=False), 6),
        # Three slots on four GPUs, 7 / 4 on average.
        ([1, 0, 2, 4], Deployment(4, 12), Fraction(11, 6)),
    ],
)
def test_optima_above_the_mean_are_proven(loads, deployment, optimum):
    instance = Instance.from_loads(loads, deployment)
    assert brute_force(instance) == optimum
    watch = Watch(instance, Fraction(optimum))
    assert run(watch)
    assert (watch.best, watch.lower_bound) == (optimum, optimum)
    assert sum(loads) < optimum * deployment.num_gpus


def test_where_mixtures_can_be_covered_parts_of_the_counts_are_refuted(monkeypatch):
    monkeypatch.setattr(decomposition, "enumerate_patterns", lambda incumbent, meter: None)
    # Half of one count and half of another fit strictly below the optimum, so no single dual is enough.
    instance = Instance.from_loads([1, 3, 1, 1, 2, 3], Deployment(3, 9, distinct=False))
    optimum = brute_force(instance)
    assert ConfigurationLP(Buckets(instance, optimum, below=True)).solve(Meter(Limits(60))) == (None, True)
    watch = Watch(instance, optimum)
    assert run(watch, limits=Limits(60, work=5.0))
    assert watch.proofs[-1].argument == "weightings"
    assert all(proof.checked and proof.certified for proof in watch.proofs)


def test_ties_and_zeros_are_closed():
    for loads, deployment, optimum in (
        # 8 experts in 12 slots: the four spare slots may go to four experts, whose halves go to different GPUs.
        ([6] * 8, Deployment(4, 12), 12),
        ([6] * 8, Deployment(4, 12, distinct=False), 12),
        ([5, 0, 0], Deployment(2, 6), Fraction(5, 2)),
        ([0, 0, 0], Deployment(2, 6), 0),
    ):
        watch = Watch(Instance.from_loads(loads, deployment), Fraction(optimum), Fraction(0))
        assert run(watch)
        assert watch.best == watch.lower_bound == optimum


@pytest.mark.parametrize("distinct", [True, False])
def test_one_gpu_carries_everything(distinct):
    # Whatever the counts, its load is the sum; rounding may lose 3 of CAPACITY, and small whole loads nothing.
    watch = Watch(Instance.from_loads([5, 4, 2], Deployment(1, 3, distinct=distinct)), Fraction(11), Fraction(0))
    assert run(watch) and watch.lower_bound == 11
    watch = Watch(Instance.from_loads([0.1, 0.2, 1e9], Deployment(1, 3, distinct=distinct)), None, Fraction(0))
    assert run(watch, Fraction(3, CAPACITY))


def test_zero_limits_end_it_at_once():
    instance = Instance.from_loads(np.random.default_rng(0).integers(1, 10**6, 256), Deployment(72, 288))
    for limits in (Limits(0.0), Limits(60, work=0.0)):
        watch = Watch(instance, None)
        assert not run(watch, limits=limits)
        assert (watch.plans, watch.proofs) == ([], [])


def test_a_gap_that_is_enough_needs_no_work():
    instance = Instance.from_loads([9, 9, 9, 9, 2, 2, 2, 2, 2], Deployment(3, 9))
    watch = Watch(instance, Fraction(20))
    assert run(watch, watch.gap, Limits(0.0))
    # A gap of a tenth leaves the bound where it is once it is met.
    assert run(watch, Fraction(1, 10))
    assert watch.lower_bound >= 18


def test_the_same_work_gives_the_same_reports_on_a_slow_machine(monkeypatch):
    loads = np.random.default_rng(4).lognormal(0, 1.2, 24).round(3)
    watches = [Watch(Instance.from_loads(loads, Deployment(12, 36)), None, Fraction(0)) for _ in range(2)]
    first, second = watches
    run(first, limits=Limits(1e6, seed=3, work=0.2))
    # Each look at the clock takes a second.
    monkeypatch.setattr("eplb_opt.limits.monotonic", count(start=1000).__next__)
    run(second, limits=Limits(1e6, seed=3, work=0.2))
    assert first.proofs == second.proofs != []
    assert first.plans == second.plans and np.array_equal(first.slots, second.slots)
