"""Instant bounds: never above the optimum, exact where they promise to be, blind to names and units."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.quick import adams_bound, mean_bound, nodes_bound, quick_bounds, replica_range, slack_bound
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.examples import examples
from tests.oracle import brute_force, count_vectors, enumerate_rows, row_max_load
from tests.random_instances import random_instance
from tests.strategies import DYADIC, SMALL, TOKENS, deployments_and_experts, instances
from tests.test_oracle import README_LAYERS


def bounds(instance: Instance) -> dict[str, Fraction]:
    return {proof.argument: proof.bound for proof in quick_bounds(instance)}


def value(slots, instance: Instance) -> Fraction:
    return max_loads(slots, instance)[0]


@examples(140)
@given(instances())
def test_no_bound_is_above_the_optimum(instance):
    assert max(bounds(instance).values()) <= brute_force(instance)


@examples(60)
@given(instances(hierarchical=True, max_experts=8, max_slots=8, max_nodes=3))
def test_no_bound_is_above_the_hierarchical_optimum(instance):
    assert max(bounds(instance).values()) <= brute_force(instance)


@examples(60)
@given(instances(max_experts=3, max_gpus=3, max_slots=12))
def test_no_bound_is_above_the_optimum_with_many_slots_per_gpu(instance):
    assert max(bounds(instance).values()) <= brute_force(instance)


@pytest.mark.parametrize("seed", range(3))
def test_no_bound_is_above_the_optimum_of_a_thousand_random_instances(seed):
    random = np.random.default_rng(seed)
    for _ in range(1000):
        instance = random_instance(random)
        optimum = brute_force(instance)
        for proof in quick_bounds(instance):
            assert proof.bound <= optimum, (instance, proof)


@given(instances())
def test_every_bound_is_named_exact_and_checked(instance):
    proofs = quick_bounds(instance)
    nodes = ["nodes"] if instance.deployment.binding_nodes > 1 else []
    assert [proof.argument for proof in proofs] == ["mean", *nodes, "adams", "slack"]
    assert all(type(proof.bound) is Fraction and proof.checked for proof in proofs)


@given(instances())
def test_slack_is_at_least_every_other_bound(instance):
    assert bounds(instance)["slack"] == max(bounds(instance).values())


@given(instances(), st.fractions(0, 1))
def test_slack_is_at_least_what_is_known(instance, part):
    known = part * value(greedy(instance), instance)
    assert slack_bound(instance, known) >= known


@examples(40)
@given(instances())
def test_slack_is_valid_from_any_valid_start(instance):
    optimum = brute_force(instance)
    for known in (Fraction(0), mean_bound(instance), optimum / 2, optimum):
        assert slack_bound(instance, known) <= optimum


def test_mean_bound_by_hand():
    assert mean_bound(Instance.from_loads([1, 2, 4], Deployment(2, 4))) == Fraction(7, 2)


@examples(40)
@given(instances())
def test_mean_bound_of_any_numbers_is_exact(instance):
    assert mean_bound(instance) == sum(instance.weights[0]) * instance.unit / instance.deployment.num_gpus


@examples(40)
@given(instances(slots_per_gpu=1, hierarchical=False))
def test_with_one_slot_per_gpu_adams_is_the_optimum(instance):
    assert adams_bound(instance) == brute_force(instance)


@examples(40)
@given(instances(slots_per_gpu=1, hierarchical=False, kinds=(SMALL, TOKENS, DYADIC)))
def test_with_one_slot_per_gpu_greedy_reaches_the_adams_bound(instance):
    # Loads of at most 53 bits, so that different loads per replica are different floats, too.
    if max(instance.weights[0]) < 2**40:
        assert adams_bound(instance) == value(greedy(instance), instance)


# One slot to spare belongs to the heaviest expert; what is left is the second heaviest, alone on its GPU.
ALIKE_AS_FLOATS = [[2**60 + 1, 2**60 + 4, 2**60 + 6], [2**58 + 5, 2**58 + 6]]


@pytest.mark.parametrize("loads", ALIKE_AS_FLOATS)
def test_adams_bound_is_exact_for_loads_that_floats_cannot_tell_apart(loads):
    instance = Instance.from_loads(loads, Deployment(len(loads) + 1, len(loads) + 1))
    assert adams_bound(instance) == sorted(loads)[-2]


@pytest.mark.parametrize("loads", ALIKE_AS_FLOATS)
def test_with_one_slot_per_gpu_greedy_is_optimal_for_loads_that_floats_cannot_tell_apart(loads):
    instance = Instance.from_loads(loads, Deployment(len(loads) + 1, len(loads) + 1))
    assert value(greedy(instance), instance) == sorted(loads)[-2]


@examples(40)
@given(instances())
def test_adams_bound_is_the_best_largest_slot_load_of_any_counts(instance):
    (weights,) = instance.weights
    every = count_vectors(len(weights), instance.deployment.num_slots, instance.max_replicas)
    best = min(max(Fraction(w, r) for w, r in zip(weights, counts, strict=True)) for counts in every)
    assert adams_bound(instance) == best * instance.unit


def test_adams_bound_by_hand():
    # 8 and 3 in 4 slots: 8/3 beats 3 only with three replicas of 8, then 3 is left: 3.
    assert adams_bound(Instance.from_loads([8, 3], Deployment(4, 4))) == 3
    # On 2 GPUs x 2 distinct slots both have two replicas: 4.
    assert adams_bound(Instance.from_loads([8, 3], Deployment(2, 4))) == 4


@st.composite
def group_totals(draw: st.DrawFn, per_node: int) -> tuple[list[int], int]:
    nodes = draw(st.integers(2, 3))
    totals = draw(st.lists(st.integers(0, 30), min_size=nodes * per_node, max_size=nodes * per_node))
    return totals, nodes


def best_partition(totals: list[int], nodes: int) -> int:
    """The smallest largest sum over all partitions into `nodes` sets of equal size."""
    if nodes == 1:
        return sum(totals)
    size, indices = len(totals) // nodes, range(len(totals))
    return min(
        max(sum(totals[i] for i in part), best_partition([totals[i] for i in indices if i not in part], nodes - 1))
        for part in combinations(indices, size)
    )


@given(group_totals(per_node=2))
def test_nodes_bound_of_two_groups_per_node_is_the_best_partition(case):
    # Groups of one expert, two GPUs per node, two slots per GPU.
    totals, nodes = case
    deployment = Deployment(2 * nodes, 4 * nodes, nodes, 2 * nodes)
    bound = nodes_bound(Instance.from_loads(totals, deployment))
    assert bound == Fraction(best_partition(totals, nodes), 2)


@given(group_totals(per_node=1))
def test_nodes_bound_of_one_group_per_node_is_the_heaviest_group(case):
    totals, nodes = case
    assert nodes_bound(Instance.from_loads(totals, Deployment(nodes, nodes, nodes, nodes))) == max(totals)


@given(group_totals(per_node=3) | group_totals(per_node=4))
def test_nodes_bound_of_more_groups_is_between_the_mean_and_the_best_partition(case):
    totals, nodes = case
    size = len(totals) // nodes
    instance = Instance.from_loads(totals, Deployment(nodes, size * nodes, nodes, size * nodes))
    assert mean_bound(instance) <= nodes_bound(instance) <= best_partition(totals, nodes)


def test_nodes_bound_by_hand_where_a_pair_of_heavy_groups_shares_a_node():
    # 2 nodes x 3 groups, 10 10 10 1 1 1: two of the three tens share a node with a one at least: 21, mean 16.5.
    instance = Instance.from_loads([10, 10, 10, 1, 1, 1], Deployment(2, 6, num_nodes=2, num_groups=6))
    assert nodes_bound(instance) == 21 == brute_force(instance)


@pytest.mark.parametrize("distinct", [True, False])
def test_slack_bound_by_hand_with_fillers(distinct):
    # 10 1 1 1 on 2 GPUs x 2 slots: no slot to spare, so 10 is whole and has a neighbour: 11; mean 13/2, adams 10.
    instance = Instance.from_loads([10, 1, 1, 1], Deployment(2, 4, distinct=distinct))
    assert bounds(instance) == {"mean": Fraction(13, 2), "adams": 10, "slack": 11}


def test_slack_bound_sees_that_the_slots_run_out():
    # 7 5 5 on 4 GPUs x 1 slot: below 5 the needs are 2 + 2 + 2 > 4 slots, so 5; mean 17/4.
    assert bounds(Instance.from_loads([7, 5, 5], Deployment(4, 4)))["slack"] == 5


@examples(30)
@given(instances(max_experts=4, max_gpus=3, max_slots=6), st.fractions(0, 2))
def test_replica_range_holds_the_counts_of_every_plan_within_the_max_load(instance, factor):
    limit = factor * brute_force(instance)
    least, most = replica_range(instance, limit)
    assert least.shape == most.shape
    rows = [row for row in enumerate_rows(instance) if row_max_load(row, instance) <= limit]
    assert bool(least.size) >= bool(rows)
    for row in rows:
        counts = np.bincount(row, minlength=instance.num_experts)
        assert (least <= counts).all()
        assert (counts <= most).all()


@examples(30)
@given(instances())
def test_replica_range_is_not_empty_at_the_optimum_and_within_what_is_possible(instance):
    least, most = replica_range(instance, brute_force(instance))
    assert least.min() >= 1
    assert most.max() <= instance.max_replicas
    assert least.sum() <= instance.deployment.num_slots <= most.sum()


def test_replica_range_by_hand():
    # 12, 4, 4 on 4 GPUs x 2 slots at 7: 5 slots to spare, so 4s carry at least 4 / 4 = 1 each (at most 4 replicas),
    # and 12 needs 12 / (7 - 1) = 2 replicas, a 4 only one; then 4 slots to spare, and the ranges end at 4 GPUs.
    instance = Instance.from_loads([12, 4, 4], Deployment(4, 8))
    least, most = replica_range(instance, Fraction(7))
    assert (least.tolist(), most.tolist()) == ([2, 1, 1], [4, 4, 4])
    # Below the mean of 5 there is no plan. Loads are multiples of 4, so with up to 4 replicas those of GPUs are
    # multiples of 1/3: at most 49/10 is at most 14/3.
    assert [array.size for array in replica_range(instance, Fraction(9, 2))] == [0, 0]
    assert [array.size for array in replica_range(instance, Fraction(49, 10))] == [0, 0]


@pytest.mark.parametrize("loads", [[0.1, 0.2, 0.3], [1e-300, 1e300, 1.0], [5e-324, 5e-324, 1e-323]])
@pytest.mark.parametrize("distinct", [True, False])
def test_bounds_are_exact_for_floats(loads, distinct):
    instance = Instance.from_loads(loads, Deployment(3, 6, distinct=distinct))
    assert bounds(instance)["mean"] == sum(map(Fraction, loads)) / 3
    assert max(bounds(instance).values()) <= brute_force(instance)
    single = Instance.from_loads(loads, Deployment(3, 3, distinct=distinct))
    assert bounds(single)["adams"] == max(map(Fraction, loads)) == brute_force(single)


@examples(40)
@given(st.data())
def test_renaming_changes_no_bound(data):
    deployment, experts = data.draw(deployments_and_experts(max_experts=8, max_gpus=4, max_slots=12))
    loads = np.array(data.draw(st.lists(st.integers(0, 1000), min_size=experts, max_size=experts)))
    groups = loads.reshape(deployment.binding_groups, -1)[data.draw(st.permutations(range(deployment.binding_groups)))]
    renamed = np.array([data.draw(st.permutations(group)) for group in groups.tolist()]).ravel()
    assert bounds(Instance.from_loads(loads, deployment)) == bounds(Instance.from_loads(renamed, deployment))


@examples(40)
@given(st.data())
def test_tripled_loads_have_tripled_bounds(data):
    deployment, experts = data.draw(deployments_and_experts())
    loads = data.draw(st.lists(st.integers(0, 10**12), min_size=experts, max_size=experts))
    tripled = bounds(Instance.from_loads([3 * load for load in loads], deployment))
    assert tripled == {name: 3 * bound for name, bound in bounds(Instance.from_loads(loads, deployment)).items()}


@examples(25)
@given(instances())
def test_another_split_into_weights_and_unit_changes_bounds_by_rounding_only(instance):
    # Node sums are rounded up to the next whole weight, scaled loads of the slack bound down to 2**40 steps.
    other = replace(instance, weights=(tuple(3 * w for w in instance.weights[0]),), unit=instance.unit / 3)
    optimum = brute_force(instance)
    ours, theirs = bounds(instance), bounds(other)
    assert (ours["mean"], ours["adams"]) == (theirs["mean"], theirs["adams"])
    assert max(theirs.values()) <= optimum
    close = instance.deployment.num_nodes * instance.unit
    assert abs(ours["slack"] - theirs["slack"]) <= close + optimum / 2**30


@given(deployments_and_experts())
def test_a_layer_without_load_has_bounds_of_zero(pair):
    deployment, experts = pair
    assert set(bounds(Instance.from_loads([0] * experts, deployment)).values()) == {0}


@examples(25)
@given(instances(max_experts=24, max_gpus=8, max_slots=32, max_nodes=4))
def test_bounds_are_at_most_greedy_on_larger_deployments(instance):
    assert max(bounds(instance).values()) <= value(greedy(instance), instance)


@pytest.mark.parametrize(("row", "known"), [(0, 151), (1, Fraction("179.5"))])
def test_bounds_are_at_most_the_known_hierarchical_optima_of_the_readme_example(row, known):
    # Heaviest group with lightest: 330 + 116 and 325 + 262 = 587 in layer 0, 516 + 129 = 645 and 280 + 231 in layer 1.
    instance = Instance.from_loads(README_LAYERS[row], Deployment(8, 16, num_nodes=2, num_groups=4))
    assert bounds(instance)["nodes"] == Fraction((587, 645)[row], 4)
    assert max(bounds(instance).values()) <= known


@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(32, 288),
        Deployment(72, 288),
        Deployment(144, 288),
        Deployment(32, 288, num_nodes=4, num_groups=8),
        Deployment(288, 288),
        Deployment(32, 288, distinct=False),
    ],
    ids=str,
)
def test_recorded_layers_have_valid_greedy_plans_above_their_bounds(shared_data, deployment):
    recorded = json.loads((shared_data / "deepseek-v3" / "decode_in2000out100.json").read_text())
    layers = [row for row in recorded["logical_count"] if any(row)]
    assert len(layers) == 58
    instances = [Instance.from_loads(row, deployment) for row in layers]
    rows = [greedy(instance) for instance in instances]
    assert verify(Plan(np.array(rows), deployment, 256)) == []
    for instance, row in zip(instances, rows, strict=True):
        top = max(bounds(instance).values())
        assert instance.mean_loads[0] <= top <= value(row, instance)
        if deployment.slots_per_gpu == 1:
            assert top == value(row, instance)
