"""The oracle is tested too: against plain enumeration, against folding, and on published optima."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.dispatch import oracle
from tests.examples import examples
from tests.oracle import brute_force, enumerate_rows, fold_optimum, row_max_load
from tests.placements import Placements
from tests.random_instances import random_instance, random_loads
from tests.strategies import SMALL, instances

README_LAYERS = (
    (90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86),
    (20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27),
)


@examples(30)
@given(instances(max_experts=4, max_gpus=3, max_slots=6, kinds=(SMALL,)))
def test_brute_force_is_the_best_of_all_valid_rows(instance):
    assert brute_force(instance) == min(row_max_load(row, instance) for row in enumerate_rows(instance))


@examples(30)
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


def test_placements_have_the_optima_of_brute_force_for_all_kinds_of_loads():
    random = np.random.default_rng(4)
    for _ in range(60):
        instance = random_instance(random)
        rows = [random_loads(random, instance.num_experts) for _ in range(3)]
        placements = Placements(instance.deployment, instance.num_experts, 100_000)
        optima = placements.optima([row[np.newaxis] for row in rows], "total")
        assert optima == [brute_force(Instance.from_loads(row, instance.deployment)) for row in rows]


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_placements_have_the_optima_of_all_valid_rows_for_several_windows(objective):
    random = np.random.default_rng(5)
    for _ in range(30):
        instance = random_instance(random, max_experts=4, max_slots=6)
        loads = random.integers(0, 9, (3, instance.num_experts))
        windows = [Instance.from_loads(window, instance.deployment) for window in loads if window.any()]
        values = []
        for row in enumerate_rows(instance):
            imbalances = [row_max_load(row, w) * w.deployment.num_gpus / sum(w.weights[0]) / w.unit for w in windows]
            if objective == "worst":
                values.append(max(imbalances, default=Fraction(1)))
            else:
                values.append(sum(imbalances, Fraction(0)) / len(imbalances) if imbalances else Fraction(1))
        placements = Placements(instance.deployment, instance.num_experts, 100_000)
        assert placements.optima([loads], objective) == [min(values)]


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank", "optimal"])
def test_placements_under_a_dispatch_have_the_optima_of_all_valid_rows(dispatch):
    random = np.random.default_rng(6)
    deployments = [
        (Deployment(2, 6, 2, policy="global", distinct=False, dispatch=dispatch), 4),
        (Deployment(4, 4, 2, policy="global", dispatch=dispatch), 3),
        (Deployment(4, 8, 2, 2, "hierarchical", dispatch=dispatch), 4),
        (Deployment(6, 6, 2, 2, "hierarchical", dispatch=dispatch), 4),
    ]
    for deployment, experts in deployments:
        placements = Placements(deployment, experts, 100_000)
        loads = random.integers(0, 9, (2, experts))
        instance = Instance.from_loads(loads, deployment)
        values = [[oracle.hottest(row, instance, window) for window in (0, 1)] for row in enumerate_rows(instance)]
        for window in (0, 1):
            best = min(tops[window] for tops in values)
            assert placements.optima([loads[[window]]], "total") == [best]
        imbalances = [[top / mean for top, mean in zip(tops, instance.mean_loads, strict=True)] for tops in values]
        assert placements.optima([loads], "worst") == [min(map(max, imbalances))]
        assert placements.optima([loads], "mean") == [min(map(sum, imbalances)) / 2]
