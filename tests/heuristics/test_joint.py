"""Joint greedy: valid plans, LPT where there is one window, and better than greedy on the mean where there are more."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.joint import exchange_jointly, joint_greedy, pack_jointly
from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.verify import verify
from tests.examples import examples
from tests.strategies import SMALL, TOKENS, instances


@examples(30)
@given(instances(min_windows=1, max_windows=4, kinds=(SMALL, TOKENS)), st.sampled_from(["mean", "worst"]))
def test_plans_obey_the_rules(instance, objective):
    searched = instance.loaded()
    if any(map(any, searched.weights)):
        row = joint_greedy(searched, Objective(objective).windows(searched))
        assert verify(Plan(row[np.newaxis], instance.deployment, instance.num_experts)) == []


@examples(30)
@given(st.data())
def test_one_window_and_one_table_at_a_time_is_lpt(data):
    num_gpus, size = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    experts = data.draw(st.integers(1, num_gpus * size))
    counts = np.bincount(np.arange(num_gpus * size) % experts)
    w = np.array(data.draw(st.lists(st.integers(1, 50), min_size=experts, max_size=experts)), dtype=np.float64)
    table = pack_jointly(w[:, np.newaxis], w, counts, np.ones(1), num_gpus, size, False, 1)
    assert np.array_equal(table, pack(w, counts, num_gpus, size, False))


def test_a_table_that_gets_stuck_is_empty():
    # Two GPUs of three slots: the last free ones are on one GPU, and both replicas of expert 0 are left for them.
    w, counts = np.array([1.0, 7.0, 22.0, 13.0, 3.0]), np.array([2, 1, 1, 1, 1])
    one, four = (pack_jointly(w[:, np.newaxis], w, counts, np.ones(1), 2, 3, True, width) for width in (1, 4))
    assert one.shape == (0, 3)
    # Of more tables, one leaves a slot free on each.
    assert sorted(four.ravel().tolist()) == [0, 0, 1, 2, 3, 4]
    assert all(0 in gpu for gpu in four.tolist())


def test_windows_that_differ_are_better_planned_together():
    random = np.random.default_rng(0)
    better = 0
    for _ in range(20):
        windows = (1e5 * random.lognormal(0, 1, 64) * random.lognormal(0, 0.6, (4, 64))).astype(np.int64)
        instance = Instance.from_loads(windows, Deployment(16, 80))
        windows = Objective("mean").windows(instance)
        of_mean = greedy(Instance.from_loads(windows.mean, instance.deployment))
        better += windows.value(joint_greedy(instance, windows), instance) < windows.value(of_mean, instance)
    assert better == 20


def test_groups_go_where_the_nodes_of_all_windows_are_cool():
    """The best of a few starts is the best of all 105 partitions of 8 groups into pairs, nearly always."""
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(30):
        totals = random.lognormal(0, 1, (8, 3))
        shares = np.full(3, 1 / 3)

        def value(nodes, totals=totals):
            return np.mean([np.bincount(nodes, totals[:, k]).max() for k in range(3)])

        starts = [random.permutation(np.repeat(np.arange(4), 2)) for _ in range(11)]
        found, nodes = min((exchange_jointly(totals, shares, start, 4) for start in starts), key=lambda pair: pair[0])
        assert found == pytest.approx(value(nodes))
        assert sorted(nodes.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]
        best = min(value(np.array(nodes)) for nodes in set(permutations([0, 0, 1, 1, 2, 2, 3, 3])))
        assert found >= best * (1 - 1e-12)
        hits += found <= best * (1 + 1e-9)
    assert hits >= 27


def exchanged_one_by_one(totals, shares, nodes):
    """Exchanges of groups, each the first of the best ones, each valued from all node loads."""

    def value(nodes):
        loads = np.zeros((nodes.max() + 1, totals.shape[1]))
        np.add.at(loads, nodes, totals)
        return loads.max() if not shares.any() else shares @ loads.max(axis=0)

    nodes = nodes.copy()
    while True:
        best, pair = value(nodes), None
        for a in range(nodes.size):
            for b in range(a):
                nodes[[a, b]] = nodes[[b, a]]
                if (new := value(nodes)) < best:
                    best, pair = new, [a, b]
                nodes[[a, b]] = nodes[[b, a]]
        if pair is None:
            return best, nodes
        nodes[pair] = nodes[pair[::-1]]


@pytest.mark.parametrize("worst", [False, True])
def test_exchanges_of_groups_are_those_that_all_node_loads_say(worst):
    random = np.random.default_rng(1)
    for largest in (4, 1000):
        for _ in range(15):
            num_nodes, windows = random.integers(2, 5), random.integers(1, 5)
            start = np.repeat(np.arange(num_nodes), random.integers(1, 4))
            # Integers and quarters, which floats add up exactly.
            totals = random.integers(0, largest, (start.size, windows)).astype(float)
            shares = np.full(windows, 0.0 if worst else 0.25)
            value, nodes = exchange_jointly(totals, shares, start, int(num_nodes))
            expected, others = exchanged_one_by_one(totals, shares, start)
            assert value == expected
            np.testing.assert_array_equal(nodes, others)
