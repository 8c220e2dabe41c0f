"""The oracle is tested too: against plain enumeration, against folding, and on published optima."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.oracle import brute_force, enumerate_rows, fold_optimum, row_max_load
from tests.strategies import SMALL, instances

README_LAYERS = (
    (90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86),
    (20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27),
)


@settings(max_examples=150)
@given(instances(max_experts=4, max_gpus=3, max_slots=6, kinds=(SMALL,)))
def test_brute_force_is_the_best_of_all_valid_rows(instance):
    assert brute_force(instance) == min(row_max_load(row, instance) for row in enumerate_rows(instance))


@settings(max_examples=150)
@given(instances(slots_per_gpu=2, hierarchical=False, distinct=False))
def test_brute_force_agrees_with_folding_two_slots_per_gpu(instance):
    assert brute_force(instance) == fold_optimum(instance)


@pytest.mark.parametrize(("row", "optimum"), [(0, 151), (1, Fraction("179.5"))])
def test_brute_force_gives_the_known_hierarchical_optima_of_the_readme_example(row, optimum):
    deployment = Deployment(num_gpus=8, num_slots=16, num_nodes=2, num_groups=4)
    assert brute_force(Instance.from_loads(README_LAYERS[row], deployment)) == optimum


@pytest.mark.parametrize(("row", "optimum"), [(0, 136), (1, 172)])
def test_folding_gives_the_known_global_optima_of_the_readme_example(row, optimum):
    deployment = Deployment(num_gpus=8, num_slots=16, distinct=False)
    assert fold_optimum(Instance.from_loads(README_LAYERS[row], deployment)) == optimum


def test_brute_force_by_hand_one_expert_spread_over_two_gpus():
    # Loads 6 2 on 2 GPUs x 2 slots. Distinct: both experts on both GPUs, 3 + 1 = 4.
    deployment = Deployment(num_gpus=2, num_slots=4)
    assert brute_force(Instance.from_loads([6, 2], deployment)) == 4


def test_brute_force_by_hand_distinct_costs_something():
    # Loads 20 21 69 61 on 3 GPUs x 2 slots: published in the method as 65 with distinct replicas, 61 without.
    loads = [20, 21, 69, 61]
    assert brute_force(Instance.from_loads(loads, Deployment(3, 6))) == 65
    assert brute_force(Instance.from_loads(loads, Deployment(3, 6, distinct=False))) == 61
