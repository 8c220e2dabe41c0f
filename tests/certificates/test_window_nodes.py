"""Nodes and several windows at once: what is proven of a node is what the layer has to be at least, and no more."""

from dataclasses import asdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.groups import group_sets, node_instance
from eplb_opt.certificates.check import check, proves_of_windows
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.windows import RecordedWindows
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.verify import objective_value
from tests.examples import examples
from tests.oracle import enumerate_rows, row_max_load
from tests.strategies import SMALL, TOKENS, instances

ABOVE = Fraction(10**12 + 1, 10**12)
SEARCH = {"argument": "search"}
# Loads below 2 of a node with one GPU of two slots are impossible where its experts carry more.
IMPOSSIBLE = {"argument": "window weightings", "weightings": [{"starts": [], "weights": [], "carried": 0}]}
TINY = {"min_windows": 2, "max_windows": 3, "kinds": (SMALL, TOKENS), "max_experts": 4, "max_slots": 6}


def accepted(certificate, bound, windows, deployment, objective="worst", weights=None):
    try:
        check(
            {**certificate, "bound": str(bound)},
            windows,
            asdict(deployment),
            objective=objective,
            window_weights=weights,
        )
    except CertificateError:
        return False
    return True


def loads_of(instance):
    return [[load * instance.unit for load in window] for window in instance.weights]


def hottest(instance):
    return loads_of(instance), instance.deployment, "hottest"


def partition(*nodes):
    return {"argument": "window partition", "nodes": [[list(groups), said] for groups, said in nodes]}


@examples(60)
@given(instances(**TINY), st.sampled_from(["mean", "worst"]), st.data())
def test_a_search_of_all_windows_proves_the_optimum_and_nothing_above_it(instance, objective, data):
    instance = instance.loaded()
    if instance.num_windows == 1:
        return
    weights = [Fraction(data.draw(st.integers(0, 3)) + (k == 0)) for k in range(instance.num_windows)]
    weights = weights if objective == "mean" else None
    best = min(objective_value(row, instance, objective, weights) for row in enumerate_rows(instance))
    layer = loads_of(instance), instance.deployment, objective, weights
    assert accepted(SEARCH, best, *layer)
    assert accepted(SEARCH, best * Fraction(9, 10), *layer)
    assert not accepted(SEARCH, best * ABOVE, *layer)


@examples(40)
@given(instances(min_windows=2, max_windows=3, kinds=(SMALL, TOKENS), max_experts=5, max_slots=6))
def test_a_search_of_the_hottest_window_is_in_tokens(instance):
    best = min(
        max(row_max_load(row, instance, k) for k in range(instance.num_windows)) for row in enumerate_rows(instance)
    )
    assert accepted(SEARCH, best, *hottest(instance))
    assert not accepted(SEARCH, best * ABOVE or Fraction(1), *hottest(instance))


@examples(40)
@given(instances(hierarchical=True, **TINY))
def test_searches_of_nodes_prove_the_largest_imbalance_and_nothing_above_it(instance):
    instance, deployment = instance.loaded(), instance.deployment
    if instance.num_windows == 1 or deployment.binding_nodes == 1:
        return
    best = min(objective_value(row, instance, "worst") for row in enumerate_rows(instance))
    layer = loads_of(instance), deployment
    nodes = {groups: node_instance(instance.in_mean_loads(), groups) for groups in group_sets(instance)}
    for bound in (best, best * ABOVE):
        said = {**SEARCH, "bound": str(bound)}
        true = [groups for groups, node in nodes.items() if accepted(SEARCH, bound, *hottest(node))]
        assert accepted(partition(*((groups, said) for groups in true)), bound, *layer) == (bound == best)
        for groups in set(nodes) - set(true):
            assert not accepted(partition(*((groups, said) for groups in (*true, groups))), bound, *layer)


# Two groups of three experts, one on each of two nodes of two GPUs with two slots each. The second is hot in the first
# window: 36 of 48 on two GPUs, which is 3/2 of the mean load of four.
HOT = Instance.from_loads([[5, 4, 3, 12, 12, 12], [11, 10, 3, 8, 8, 8]], Deployment(4, 8, 2, 2))
FIRST = Instance.from_loads([[5, 4, 3], [11, 10, 3]], Deployment(2, 4))
LISTS = partition(
    ([0], [{"argument": "mean", "bound": "1/2"}, {"argument": "mean", "bound": "1"}]),
    ([1], [{"argument": "mean", "bound": "3/2"}, {"argument": "mean", "bound": "1"}]),
)["nodes"]


def of_first_node(lower):
    """The least mean of imbalances in both windows that are at least `lower`, over all plans of the first node."""
    rows = enumerate_rows(FIRST)
    # The mean loads of four GPUs are 12.
    both = [[max(low, row_max_load(row, FIRST, k) / 12) for k, low in enumerate(lower)] for row in rows]
    return min(sum(row) / 2 for row in both)


def test_a_node_counts_with_what_other_nodes_have_in_the_mean():
    layer = loads_of(HOT), HOT.deployment, "mean"
    lower = [Fraction(3, 2), Fraction(1)]
    bound = of_first_node(lower)
    assert bound > (lower[0] + lower[1]) / 2 > of_first_node([1, 1])

    def proves(value, said, lists=LISTS):
        node = {**SEARCH, "bound": str(value), "lower": list(map(str, said))}
        return accepted({"argument": "window partition", "nodes": [*lists, [[0], node]]}, value, *layer)

    assert bound <= min(objective_value(row, HOT, "mean") for row in enumerate_rows(HOT))
    assert proves(bound, lower)
    assert not proves(bound * ABOVE, lower)
    # What is said of the other node has to be proven: by its list, or by the mean load of all.
    assert not proves(bound, lower, LISTS[:1])
    assert proves(of_first_node([1, 1]), [1, 1], [])
    assert not proves(bound, [1, 1])
    hotter = [Fraction(2), Fraction(1)]
    assert not proves(of_first_node(hotter), hotter)
    assert not proves(bound, lower[:1]) and not proves(bound, [*lower, 1]) and not proves(bound, [-2, 1])


def test_what_others_have_is_not_for_the_largest_imbalance():
    node = {**SEARCH, "bound": "3", "lower": ["3", "3"]}
    assert not accepted(partition(([0], node)), 3, loads_of(HOT), HOT.deployment)
    assert not accepted(partition(([0], node)), 1, loads_of(HOT), HOT.deployment)


def test_a_node_can_be_hotter_than_all_its_gpus_at_the_mean_load():
    # One GPU per node: the first carries 32 of 40 tokens, 16/5 of the mean load.
    windows, deployment = [[16, 16, 1, 1, 1, 1, 2, 2]] * 2, Deployment(4, 8, 4, 4, distinct=False)

    def proves(bound):
        node = {**IMPOSSIBLE, "bound": str(bound), "parts": [[0]]}
        return accepted(partition(([0], node)), bound, windows, deployment)

    assert proves(Fraction(16, 5))
    assert not proves(Fraction(16, 5) * ABOVE)
    assert not proves(Fraction(39, 10))


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_nodes_are_not_nested_deeply(objective):
    layer = loads_of(HOT), HOT.deployment, objective
    said = {**SEARCH, "bound": "11/12"}
    assert accepted(partition(([0], said)), Fraction(11, 12), *layer)
    # A node has one group, of which it is the only partition.
    for depth in range(1, 6):
        said = {**partition(([0], said)), "bound": "11/12"}
        assert accepted(said, Fraction(11, 12), *layer) == (depth <= 4)


def test_all_nodes_share_a_limit_of_work():
    units = [Fraction(4) / sum(window) for window in HOT.weights]
    for weights in ([Fraction(1)] * 2, None):
        windows = RecordedWindows.of(HOT.weights, units, weights, asdict(HOT.deployment))

        def work(certificate, windows=windows):
            limit = Counted()
            proves_of_windows(certificate, Fraction(11, 12), windows, limit)
            return limit.spent

        said = {**SEARCH, "bound": "11/12"}
        once, twice = (work(partition(*[([0], said)] * number)) for number in (1, 2))
        assert 1.5 * once < twice
        with pytest.raises(CertificateError, match="too long to check"):
            proves_of_windows(partition(*[([0], said)] * 2), Fraction(11, 12), windows, WorkLimit(once + 1_000))
    # What is said of a node is looked at in each partition that has it.
    even = RecordedWindows.of([[1] * 8] * 2, [Fraction(1)] * 2, [Fraction(1)] * 2, asdict(Deployment(8, 16, 2, 8)))
    mean = {"argument": "mean", "bound": "1"}
    said = {"argument": "windows", "windows": [mean, mean], "bound": "1", "lower": ["2", "2"]}
    assert proves_of_windows(partition(([0, 1, 2, 3], said)), Fraction(1), even, WorkLimit(200_000))
    with pytest.raises(CertificateError, match="too long to check"):
        proves_of_windows(partition(*[([0, 1, 2, 3], said)] * 50), Fraction(1), even, WorkLimit(200_000))


class Counted(WorkLimit):
    spent = 0

    def spend(self, nanoseconds):
        self.spent += nanoseconds
        super().spend(nanoseconds)
