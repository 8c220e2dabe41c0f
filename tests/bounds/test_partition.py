"""Hierarchies: the best partition of the groups, between bounds and plans of single nodes."""

from fractions import Fraction
from itertools import combinations, count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bench.skewed_groups import skewed_groups
from eplb_opt.bounds.groups import best_partition, node_instance
from eplb_opt.bounds.partition import Partition, partition_applies
from eplb_opt.bounds.prove import prove
from eplb_opt.bounds.quick import nodes_bound
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.proof import Proof
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force, enumerate_rows
from tests.random_instances import random_instance
from tests.strategies import SMALL, TOKENS, instances
from tests.watch import Watch

PLENTY = Limits(60, work=1.0)


def run(watch, target_gap=Fraction(0), limits=PLENTY, prove=prove):
    return watch.run(lambda incumbent, meter: Partition(incumbent, meter, prove).run(), target_gap, limits)


def all_partitions(sets, num_groups):
    """Every way to cover the groups with disjoint ones of the sets, by trying all choices."""
    for number in range(1, num_groups + 1):
        for chosen in combinations(sets, number):
            if sorted(group for groups in chosen for group in groups) == list(range(num_groups)):
                yield chosen


@st.composite
def valued_sets(draw: st.DrawFn):
    """Some of the sets of groups of one size, with values that tie often."""
    share, num_groups = draw(st.sampled_from([(1, 1), (1, 3), (2, 2), (2, 4), (2, 6), (3, 3), (3, 6), (4, 4)]))
    sets = list(combinations(range(num_groups), share))
    kept = draw(st.lists(st.sampled_from(sets), unique=True))
    return {groups: Fraction(draw(st.integers(0, 9)), 3) for groups in kept}, num_groups


@examples(60)
@given(valued_sets())
def test_the_best_partition_is_the_best_of_all(case):
    values, num_groups = case
    partitions = list(all_partitions(list(values), num_groups))
    value, partition = best_partition(values, num_groups)
    if not partitions:
        assert (value, partition) == (0, [])
        return
    assert tuple(sorted(partition)) in [tuple(sorted(other)) for other in partitions]
    assert value == max(values[groups] for groups in partition)
    assert value == min(max(values[groups] for groups in other) for other in partitions)


def test_without_a_partition_there_is_no_value():
    assert best_partition({}, 4) == (0, [])
    # Each pair holds group 0; three groups in pairs leave one.
    assert best_partition({(0, 1): Fraction(1), (0, 2): Fraction(2), (0, 3): Fraction(3)}, 4) == (0, [])
    assert best_partition({(0, 1): Fraction(1), (1, 2): Fraction(1), (0, 2): Fraction(1)}, 3) == (0, [])


def test_a_value_of_zero_is_a_value():
    assert best_partition({(0,): Fraction(0), (1,): Fraction(0)}, 2) == (0, [(0,), (1,)])


def test_one_group_per_node_is_the_only_partition_of_any_number_of_nodes():
    values = {(group,): Fraction(group) for group in range(2000)}
    value, partition = best_partition(values, 2000)
    assert (value, sorted(partition)) == (1999, sorted(values))


@pytest.mark.parametrize(("share", "num_groups"), [(2, 18), (3, 18), (4, 16)])
def test_dead_ends_are_not_entered_twice(share, num_groups):
    # One hot group more than there are nodes: two of them meet somewhere. That the sets of value 1 hold no partition
    # is seen from some thousand sets of groups that can be left, or from millions of ways to get there.
    hot = set(range(0, num_groups, share)) | {1}
    values = {groups: Fraction(max(1, len(hot & {*groups}))) for groups in combinations(range(num_groups), share)}
    assert best_partition(values, num_groups)[0] == 2


@pytest.mark.parametrize(
    ("num_nodes", "num_groups", "applies"),
    # 16 groups in fours: 1,820 sets. Of 16 groups half: 12,870. 32 groups in pairs are few sets, but can be left in
    # too many combinations; one by one there is nothing to choose.
    [(1, 8, False), (4, 8, True), (4, 16, True), (2, 16, False), (16, 32, False), (32, 32, True)],
)
def test_it_applies_where_sets_and_partitions_are_few(num_nodes, num_groups, applies):
    deployment = Deployment(num_nodes, 64, num_nodes, num_groups, "hierarchical", distinct=False)
    assert partition_applies(Instance.from_loads(range(64), deployment)) is applies


def test_the_global_policy_has_nothing_to_partition():
    assert not partition_applies(Instance.from_loads(range(8), Deployment(4, 8, 4, 4, "global")))


@examples(40)
@given(instances(kinds=(SMALL, TOKENS), hierarchical=True, max_gpus=4, max_slots=8), st.integers(0, 3))
def test_every_step_on_tiny_layers_is_valid_and_forward_and_what_is_called_closed_is(instance, seed):
    optimum = brute_force(instance)
    watch = Watch(instance, optimum)
    # Rounding loses less than slots per GPU / 100,000, here at most 4.
    gap = Fraction(1, 10**4)
    assert run(watch, gap, Limits(60, seed=seed, work=0.5)) == (watch.gap <= gap)


def test_seeded_layers_of_every_kind_are_bounded_and_nearly_always_closed():
    random = np.random.default_rng(5)
    closed = 0
    for seed in range(60):
        instance = random_instance(random, max_experts=8, max_slots=12)
        while instance.deployment.binding_nodes == 1:
            instance = random_instance(random, max_experts=8, max_slots=12)
        watch = Watch(instance, brute_force(instance), Fraction(0) if seed % 2 else None)
        met = run(watch, limits=Limits(60, seed=seed, work=0.3))
        assert met == (watch.gap == 0)
        closed += met
    assert closed >= 50


@examples(30)
@given(
    instances(
        min_windows=2, max_windows=3, kinds=(SMALL, TOKENS), hierarchical=True, max_experts=4, max_gpus=4, max_slots=6
    )
)
def test_the_hottest_of_several_windows_is_bounded(instance):
    instance = instance.loaded().in_mean_loads() if any(map(any, instance.weights)) else instance
    optimum = min(max(max_loads(row, instance)) for row in enumerate_rows(instance))
    watch = Watch(instance, optimum)
    assert run(watch, Fraction(1, 10**4), Limits(60, work=0.3)) == (watch.gap <= Fraction(1, 10**4))
    assert watch.lower_bound <= optimum == watch.best


def test_nodes_that_warm_annealing_cannot_leave_are_searched_hot():
    deployment = Deployment(3, 6, 1, 1, "hierarchical", distinct=False)
    instance = Instance.from_loads([[4, 0, 0, 1], [6170, 1825, 0, 0]], deployment).in_mean_loads()
    optimum = min(max(max_loads(row, instance)) for row in enumerate_rows(instance))
    watch = Watch(instance, optimum)
    run(watch, Fraction(1, 10**4), Limits(60, work=0.3))
    assert watch.best == optimum == Fraction(6, 5)


def test_the_partition_of_several_windows_is_not_the_best_of_each():
    # On two nodes of two GPUs each window has two partitions with nodes alike, and only the first is one of both.
    loads = [[4, 2, 2, 4], [6, 1, 1, 6]]
    instance = Instance.from_loads(np.repeat(loads, 2, axis=1), Deployment(4, 8, 2, 4)).in_mean_loads()
    watch = Watch(instance, Fraction(1))
    assert run(watch)
    assert watch.best == 1
    assert {frozenset((part // 2).tolist()) for part in watch.slots.reshape(2, 4)} in (
        {frozenset({0, 1}), frozenset({2, 3})},
        {frozenset({0, 2}), frozenset({1, 3})},
    )


def test_windows_without_a_common_optimum_stay_open():
    # Each of the three ways to pair the experts of a node joins two that are hot in some window.
    loads = [[3, 3, 1, 1], [3, 1, 3, 1], [3, 1, 1, 3]]
    instance = Instance.from_loads(np.tile(loads, 2), Deployment(4, 8, 2, 2)).in_mean_loads()
    alone = node_instance(instance, (0,))
    watch = Watch(instance, min(max(max_loads(row, alone)) for row in enumerate_rows(alone)))
    assert not run(watch, limits=Limits(60, work=0.2))
    assert (watch.best, watch.lower_bound) == (Fraction(3, 2), 1)


# Six slots for four experts on a node, three GPUs. Sums of the groups: 19, 18, 6, 20.
GROUPS = [(18, 1), (17, 1), (5, 1), (8, 12)]


def node(*groups):
    return Instance.from_loads([load for group in groups for load in GROUPS[group]], Deployment(3, 6))


def layer():
    return Instance.from_loads([load for group in GROUPS for load in group], Deployment(6, 12, 2, 4))


def test_the_best_partition_is_not_the_one_by_sums():
    # By sums the groups 0 and 1 share a node: 37 against 38 and 39. But two hot experts with two spare slots leave
    # 18 / 2 + 17 / 2 = 17.5 somewhere. Apart, each has the spare slots to itself, and 13 is enough.
    values = {groups: brute_force(node(*groups)) for groups in combinations(range(4), 2)}
    assert max(values[0, 1], values[2, 3]) == Fraction(35, 2)
    assert max(values[0, 2], values[1, 3]) == 13
    watch = Watch(layer(), brute_force(layer()))
    assert run(watch)
    assert watch.best == watch.lower_bound == 13
    assert {frozenset((part // 2).tolist()) for part in watch.slots.reshape(2, 6)} == {
        frozenset({0, 2}),
        frozenset({1, 3}),
    }


def test_skewed_groups_are_proven_above_the_bound_of_equal_sums():
    # Two nodes of 8 GPUs x 5 slots; no partition has sums more equal than the one that is bad.
    instance = Instance.from_loads(skewed_groups(2).values[0, 0], Deployment(16, 80, 2, 4))
    watch = Watch(instance, None)
    assert run(watch, Fraction(1, 100), Limits(300))
    assert watch.lower_bound > nodes_bound(instance)


def test_zero_limits_end_it_at_once():
    watch = Watch(layer(), Fraction(13))
    for limits in (Limits(0.0), Limits(60, work=0.0)):
        assert not run(watch, limits=limits, prove=None)
    assert watch.plans == []


def test_a_gap_that_is_enough_needs_no_work():
    watch = Watch(layer(), Fraction(13))
    assert run(watch, watch.gap, Limits(0.0), prove=None)


def test_no_load_is_closed_at_once():
    watch = Watch(Instance.from_loads([0] * 8, Deployment(6, 12, 2, 4)), Fraction(0))
    assert run(watch, limits=Limits(0.0), prove=None)


def claim(bound_of, checked):
    """A `Prove` that finds no plans, and says of every node what its bound is."""

    def claims(incumbent, meter):
        said = {"evidence": {"argument": "search"}} if checked else {"by": "somebody"}
        incumbent.prove("search", bound_of(incumbent.instance), **said)
        meter.spend(0.01)

    return claims


@pytest.mark.parametrize(("checked", "by"), [(True, ""), (False, "somebody")])
def test_a_partition_is_as_credible_as_the_bounds_of_its_nodes(checked, by):
    watch = Watch(layer(), brute_force(layer()))
    assert run(watch, prove=claim(brute_force, checked))
    assert watch.proofs[-1] == Proof("partition", Fraction(13), checked, by)


def test_work_runs_out_where_nodes_are_not_proven():
    watch = Watch(layer(), brute_force(layer()))
    assert not run(watch, prove=claim(lambda _: Fraction(0), True))
    assert watch.lower_bound < 13 <= watch.best
    assert watch.proofs == []


def test_the_same_work_gives_the_same_reports_on_a_slow_machine(monkeypatch):
    loads = np.random.default_rng(2).lognormal(0, 1.5, 16).round(2)
    watches = [Watch(Instance.from_loads(loads, Deployment(8, 24, 2, 4)), None) for _ in range(2)]
    first, second = watches
    run(first, limits=Limits(1e6, seed=1, work=0.5))
    # Each look at the clock takes a second.
    monkeypatch.setattr("eplb_opt.limits.monotonic", count(start=1000).__next__)
    run(second, limits=Limits(1e6, seed=1, work=0.5))
    assert first.proofs == second.proofs != []
    assert first.plans == second.plans and (first.slots == second.slots).all()


def test_searches_take_no_more_than_is_left(monkeypatch):
    random, given = np.random.default_rng(0), []

    def recorded(instance, slots, target, seconds, seed):
        given.append(seconds)
        return slots

    monkeypatch.setattr("eplb_opt.bounds.partition.better_plan", recorded)
    monkeypatch.setattr("eplb_opt.bounds.partition.prove_all_windows", lambda *_: None)
    loads = (random.lognormal(4, 0.8, 32) * random.lognormal(0, 0.4, (3, 32))).astype(int) + 1
    instance = Instance.from_loads(loads, Deployment(16, 48, 2, 4)).in_mean_loads()
    assert not run(Watch(instance, None), prove=lambda *_: None, limits=Limits(60, work=1.0))
    assert len(given) > 5
    assert sum(given) == pytest.approx(1.0)


def test_a_word_for_more_than_is_needed_does_not_keep_a_partition_from_a_certificate():
    loads = np.random.default_rng(3).lognormal(3, 0.8, 8).astype(int) + 1
    instance = Instance.from_loads(loads, Deployment(4, 12, 2, 4))

    def claim(incumbent, _meter):
        # A search knows how hot the node is at least, which may be far above any plan of the layer.
        incumbent.offer_proof(Proof("fillings", brute_force(incumbent.instance), checked=False, by="search"))

    watch = Watch(instance, None)
    assert run(watch, prove=claim)
    assert watch.best == watch.lower_bound == brute_force(instance)
    assert watch.proofs[-1].argument == "partition"
    assert watch.proofs[-1].checked
