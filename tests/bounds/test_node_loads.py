"""Many groups: the best partition by node loads."""

from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.node_loads import NodeLoads, prove_by_node_loads
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from tests.examples import examples
from tests.watch import Watch


def coolest_hottest_node(totals, nodes):
    """The smallest largest sum over all deals of the groups, by enumeration."""
    if not totals:
        return 0
    share, first, best = len(totals) // nodes, totals[0], None
    for others in combinations(range(1, len(totals)), share - 1):
        rest = [total for i, total in enumerate(totals) if i and i not in others]
        value = max(first + sum(totals[i] for i in others), coolest_hottest_node(rest, nodes - 1) if rest else 0)
        best = value if best is None else min(best, value)
    return best


@examples(20)
@given(st.lists(st.integers(0, 40), min_size=6, max_size=6), st.sampled_from([2, 3]))
def test_the_bound_is_the_hottest_node_of_the_best_partition(totals, nodes):
    # Groups of one expert on nodes of two GPUs.
    deployment = Deployment(2 * nodes, 12, nodes, 6)
    instance = Instance.from_loads(totals, deployment)
    bound, node_of_group, _ = NodeLoads(instance).solve(Limits(30))
    best = coolest_hottest_node(totals, nodes)
    assert bound == Fraction(best, 2)
    assert np.bincount(node_of_group).tolist() == [6 // nodes] * nodes
    assert max(np.bincount(node_of_group, weights=totals)) == best


def test_the_hottest_node_of_any_window_counts():
    # Groups of one expert, two a node: each partition has two hot groups on one node in some window.
    loads = [[3, 3, 1, 1], [3, 1, 3, 1], [3, 1, 1, 2]]
    instance = Instance.from_loads(loads, Deployment(4, 8, 2, 4))
    bound, node_of_group, _ = NodeLoads(instance).solve(Limits(30))
    assert bound == Fraction(5, 2)
    assert node_of_group[0] == node_of_group[3]


def test_forty_groups_of_three_windows_are_planned_for_the_hottest():
    random = np.random.default_rng(4)
    loads = random.integers(1, 10**6, 160) * random.lognormal(0, 0.2, (3, 160))
    instance = Instance.from_loads(loads, Deployment(32, 192, 8, 40)).in_mean_loads()
    watch = Watch(instance, optimum=None)
    before = watch.gap
    watch.run(prove_by_node_loads, Fraction(1, 200), Limits(600, work=2.0))
    assert watch.gap < before / 2


def test_huge_loads_are_rounded_down_to_a_valid_bound():
    totals = [2**61 + 12345, 2**60 + 777, 2**59 + 1, 2**58, 3, 1]
    instance = Instance.from_loads(np.array(totals), Deployment(2, 6, 2, 6))
    bound, *_ = NodeLoads(instance).solve(Limits(30))
    best = coolest_hottest_node(totals, 2)
    assert best * (1 - Fraction(1, 10**6)) <= bound <= best


def test_forty_groups_are_closed_from_greedy():
    loads = np.random.default_rng(3).integers(1, 10**6, 160)
    instance = Instance.from_loads(loads, Deployment(32, 192, 8, 40))
    watch = Watch(instance, optimum=None)
    assert watch.run(prove_by_node_loads, Fraction(1, 200), Limits(600, work=3.0))
    assert watch.gap <= Fraction(1, 200)
