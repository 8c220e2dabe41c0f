"""Greedy as published and the search that follows: valid, deterministic, never worse."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy, greedy_plus_swap, hottest, search, varied_greedy
from eplb_opt.heuristics.two_slots import two_slots_apply
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.examples import examples
from tests.oracle import brute_force, row_is_valid
from tests.random_instances import random_instance
from tests.reference_policy import reference_max_load
from tests.strategies import SMALL, TOKENS, instances
from tests.test_oracle import README_LAYERS

README_DEPLOYMENT = Deployment(num_gpus=8, num_slots=16, num_nodes=2, num_groups=4, distinct=False)
LARGER = {"max_experts": 24, "max_gpus": 8, "max_slots": 32, "max_nodes": 3}


def value(slots, instance: Instance) -> Fraction:
    return max_loads(slots, instance)[0]


def valid(slots, instance: Instance) -> bool:
    return not verify(Plan(slots[None, :], instance.deployment, instance.num_experts))


@pytest.mark.parametrize(("row", "expected"), [(0, 156), (1, Fraction("179.5"))])
def test_greedy_has_the_published_value_on_the_readme_example(row, expected):
    # Layer 0: groups 262 330 116 325 go 330 + 116 to node 0, 325 + 262 to node 1; its slots 91.5 91.5 90 86 66 66
    # 56 40 are dealt 91.5 40 | 91.5 56 | 90 66 | 86 66: 156.
    # Layer 1: groups 231 280 516 129 go 516 + 129 to node 0; 157 93.5 93.5 86 86 86 27 16 are dealt
    # 157 16 | 93.5 86 | 93.5 27 | 86 86: 179.5.
    instance = Instance.from_loads(README_LAYERS[row], README_DEPLOYMENT)
    assert value(greedy(instance), instance) == expected == reference_max_load(instance)


def test_greedy_is_the_published_mapping_on_layer_0_of_the_readme_example():
    instance = Instance.from_loads(README_LAYERS[0], README_DEPLOYMENT)
    assert greedy(instance).tolist() == [5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1]


@pytest.mark.parametrize("distinct", [True, False])
def test_greedy_on_eight_experts_with_two_hot_ones(distinct):
    # Adams: 600 and 560 get five replicas each (120 and 112). Slots 7 x 120, 5 x 112, 20 and 3 x 10: seven GPUs
    # start with 120 and one with 112; the other 112s find a 120: 232.
    instance = Instance.from_loads([600, 560, 120, 120, 20, 10, 10, 10], Deployment(8, 16, distinct=distinct))
    assert value(greedy(instance), instance) == 232


@pytest.mark.parametrize("seed", range(4))
def test_greedy_is_the_published_policy_where_copies_may_share_a_gpu(seed):
    # Ties are broken differently by different sorts; loads near 10**9 have none but those of equal replicas.
    random = np.random.default_rng(seed)
    for _ in range(60):
        shape = random_instance(random, max_experts=12, max_gpus=6, max_slots=24).deployment
        deployment = replace(shape, distinct=False)
        groups = deployment.binding_groups
        experts = groups * int(random.integers(1, deployment.num_slots // groups + 1))
        instance = Instance.from_loads(random.integers(1, 10**9, experts), deployment)
        assert value(greedy(instance), instance) == reference_max_load(instance)


@examples(60)
@given(instances())
def test_greedy_is_valid(instance):
    slots = greedy(instance)
    assert slots.dtype == np.int64
    assert row_is_valid(tuple(slots.tolist()), instance)
    assert valid(slots, instance)


@examples(25)
@given(instances(**LARGER))
def test_every_heuristic_is_valid_on_larger_deployments(instance):
    assert valid(greedy(instance), instance)
    assert valid(greedy_plus_swap(instance), instance)
    assert valid(search(instance, greedy(instance), perturbations=5), instance)


@examples(40)
@given(instances(kinds=(SMALL, TOKENS)), st.integers(0, 30), st.integers(0, 2**40))
def test_search_is_valid_and_between_its_start_and_the_optimum(instance, perturbations, seed):
    start = greedy(instance)
    found = search(instance, start, perturbations=perturbations, seed=seed)
    assert row_is_valid(tuple(found.tolist()), instance)
    assert brute_force(instance) <= value(found, instance) <= value(start, instance)


@examples(40)
@given(instances(kinds=(SMALL, TOKENS)))
def test_greedy_plus_swap_is_valid_and_between_greedy_and_the_optimum(instance):
    found = greedy_plus_swap(instance)
    assert row_is_valid(tuple(found.tolist()), instance)
    assert brute_force(instance) <= value(found, instance) <= value(greedy(instance), instance)


@examples(25)
@given(instances(**LARGER), st.integers(0, 2**32))
def test_no_search_is_worse_than_its_start_for_loads_of_any_size(instance, seed):
    start = greedy(instance)
    assert value(greedy_plus_swap(instance), instance) <= value(start, instance)
    assert value(search(instance, start, perturbations=20, seed=seed), instance) <= value(start, instance)


@pytest.mark.parametrize(
    ("gpus", "slots", "loads"),
    [
        (2, 4, [2**58 + 2, 2**58 + 4]),
        (2, 6, [2**60, 2**60 + 2, 2**60]),
        (4, 8, [0.6, 0.1, 0.6]),
        (4, 8, [1 / 3, 1 / 3, 1.0, 0.7, 0.1]),
    ],
)
def test_search_is_not_worse_by_what_floats_cannot_see(gpus, slots, loads):
    # 2**58 + 2 and 2**58 + 4 on 2 GPUs x 2 slots: 0 1 | 0 1 is 2**58 + 3, and 0 0 | 1 1 is 2**58 + 4, the same float.
    instance = Instance.from_loads(loads, Deployment(gpus, slots, distinct=False))
    start = greedy(instance)
    for seed in range(30):
        assert value(search(instance, start, perturbations=30, seed=seed), instance) <= value(start, instance)


@examples(20)
@given(instances(**LARGER), st.integers(0, 2**40))
def test_search_is_deterministic_and_leaves_its_start(instance, seed):
    start = greedy(instance)
    before = start.copy()
    found = search(instance, start, perturbations=20, seed=seed)
    assert np.array_equal(start, before)
    assert np.array_equal(found, search(instance, start, perturbations=20, seed=seed))
    start.setflags(write=False)
    assert np.array_equal(found, search(instance, start, perturbations=20, seed=seed))


@pytest.mark.parametrize("seed", [0, 2**32, 2**63, -1])
def test_any_integer_is_a_seed(seed):
    for deployment in (README_DEPLOYMENT, Deployment(8, 16)):
        instance = Instance.from_loads(README_LAYERS[0], deployment)
        assert valid(search(instance, greedy(instance), perturbations=3, seed=seed), instance)


@examples(25)
@given(instances(hierarchical=False, max_experts=24, max_gpus=8, max_slots=32))
def test_search_does_not_kick_once_the_target_is_met(instance):
    # Two slots per GPU are searched by folding, which may end elsewhere than a descent.
    assume(not two_slots_apply(instance))
    start = greedy(instance)
    descended = search(instance, start, perturbations=0)
    target = hottest(instance, descended)
    assert np.array_equal(search(instance, start, perturbations=1000, target=target * (1 + 1e-12)), descended)


def test_search_stops_early_at_its_target():
    # 200 experts on 40 GPUs: a million perturbations would take minutes.
    instance = Instance.from_loads(np.random.default_rng(0).integers(1, 1000, 200), Deployment(40, 240))
    start = greedy(instance)
    target = hottest(instance, start)
    assert value(search(instance, start, perturbations=10**7, target=target), instance) <= value(start, instance)


@given(instances())
def test_hottest_is_the_max_load_in_kernel_units(instance):
    slots = greedy(instance)
    # Kernel loads lose low bits above 2**53 and are rounded in float64 sums.
    expected = instance.kernel_value(value(slots, instance))
    assert hottest(instance, slots) == pytest.approx(expected, rel=1e-12, abs=instance.num_experts)


def test_swap_exchanges_groups_of_nodes():
    # Six groups of one expert on 2 nodes x 1 GPU. LPT: 9 8 8 | 9 8 6: 25. Exchanging 9 and 8: 8 8 8 | 9 9 6: 24.
    instance = Instance.from_loads([9, 9, 8, 8, 8, 6], Deployment(2, 6, num_nodes=2, num_groups=6))
    assert value(greedy(instance), instance) == 25
    assert value(greedy_plus_swap(instance), instance) == 24 == instance.mean_loads[0]


@pytest.mark.parametrize("row", [0, 1])
def test_search_finds_the_known_hierarchical_optima_of_the_readme_example(row):
    instance = Instance.from_loads(README_LAYERS[row], replace(README_DEPLOYMENT, distinct=True))
    optimum = (151, Fraction("179.5"))[row]
    found = (value(search(instance, greedy(instance), perturbations=200, seed=seed), instance) for seed in range(20))
    assert any(best == optimum for best in found)


def test_a_layer_without_load_is_planned():
    for deployment in (Deployment(4, 8), README_DEPLOYMENT):
        instance = Instance.from_loads([0] * (4 if deployment.num_slots == 8 else 12), deployment)
        for slots in (
            greedy(instance),
            greedy_plus_swap(instance),
            search(instance, greedy(instance), perturbations=5),
        ):
            assert valid(slots, instance)


def test_experts_that_fill_all_slots_have_one_replica_each():
    instance = Instance.from_loads(range(1, 9), Deployment(4, 8))
    assert sorted(search(instance, greedy(instance), perturbations=20).tolist()) == list(range(8))


@given(instances(kinds=(SMALL, TOKENS), **LARGER), st.integers(-1, 2**70))
def test_other_starts_are_valid_plans(instance, seed):
    slots = varied_greedy(instance, seed)
    assert valid(slots, instance)
    assert np.array_equal(slots, varied_greedy(instance, seed))


def test_other_starts_differ():
    loads = np.random.default_rng(0).lognormal(8, 1, 64)
    instance = Instance.from_loads(loads, Deployment(16, 96))
    starts = {tuple(varied_greedy(instance, seed).tolist()) for seed in range(5)}
    assert len(starts) == 5
    # Loads that are a little different leave plans that are hardly worse.
    best = value(greedy(instance), instance)
    assert all(value(np.array(slots), instance) < best * Fraction(13, 10) for slots in starts)
