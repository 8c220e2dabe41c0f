"""The same plan with fewer moves: properties, and all permutations of tiny cases."""

from collections import Counter
from dataclasses import replace
from itertools import permutations, product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.moves import count_moves, keep_slots, moves_between
from eplb_opt.plan import Plan
from eplb_opt.renumbering import assignment, renumber, renumbered
from eplb_opt.verify import max_loads
from tests.dispatch.strategies import layers_under, rows_of
from tests.strategies import SMALL, TOKENS, instances, rows_of_slots


@st.composite
def plans(draw, **limits):
    """An instance, and two plans of some layers of it."""
    instance = draw(instances(**limits))
    number = draw(st.integers(1, 3))
    new, old = (np.array([draw(rows_of_slots(instance)) for _ in range(number)]) for _ in range(2))
    return instance, new, old


def moves(row, old, places):
    """Experts that the GPUs do not hold to which these places bring a row's contents; as sets, GPU by GPU."""
    contents, held = ([set(gpu) for gpu in one.reshape(len(places), -1).tolist()] for one in (row, old))
    return sum(len(contents[gpu] - held[place]) for gpu, place in enumerate(places))


def permitted(deployment):
    """All ways to hand the GPUs' contents on: within nodes, and whole nodes."""
    size = deployment.gpus_per_node
    for nodes in permutations(range(deployment.binding_nodes)):
        for inside in product(permutations(range(size)), repeat=len(nodes)):
            yield [node * size + gpu for node, gpus in zip(nodes, inside, strict=True) for gpu in gpus]


@given(plans(max_experts=6, max_gpus=4, max_slots=10))
def test_no_permutation_moves_fewer_experts(drawn):
    instance, new, old = drawn
    deployment = instance.deployment
    placed = renumber(new, old, deployment)
    for row, kept, before in zip(new, placed, old, strict=True):
        fewest = min(moves(row, before, places) for places in permitted(deployment))
        assert moves(kept, before, range(deployment.num_gpus)) == fewest


@st.composite
def dispatched_plans(draw, dispatch, **limits):
    """An instance of a window under the dispatch, and two plans of its layer."""
    instance = draw(layers_under(dispatch, kinds=(SMALL, TOKENS), **limits))[0]
    new, old = (np.array([draw(rows_of(instance))]) for _ in range(2))
    return instance, new, old


@pytest.mark.parametrize("dispatch", get_args(Dispatch))
@given(st.data())
def test_no_load_changes_but_its_gpu_under_any_dispatch(dispatch, data):
    instance, new, old = data.draw(dispatched_plans(dispatch, max_experts=8, max_gpus=6, max_slots=18))
    deployment, rule = instance.deployment, rule_of(instance.deployment)
    before, after = (Plan(rows, deployment, instance.num_experts) for rows in (old, new))
    placed = renumbered(before, after)
    assert eplb_opt.verify(placed) == []
    assert len(moves_between(before, placed)) <= len(moves_between(before, after))
    # The value of a layer and where it is served; under sglang-static by the draws of the file as it is.
    loads = Loads(np.array(instance.weights)[:, np.newaxis])
    (row, here), (kept, there) = (next(layers_of(plan, loads)) for plan in (after, placed))
    # Several splits can be optimal.
    if dispatch != "optimal":
        assert list(map(sorted, rule.gpu_loads(kept, there))) == list(map(sorted, rule.gpu_loads(row, here)))
    assert rule.max_loads(kept, there) == rule.max_loads(row, here)
    if deployment.ranks_per_node:
        assert rule.cross_node_shares(kept, there) == rule.cross_node_shares(row, here)


@given(st.data())
def test_under_nearest_whole_nodes_change_places_as_well_as_can_be(data):
    instance, new, old = data.draw(dispatched_plans("nearest", max_experts=6, max_gpus=6, max_slots=12))
    deployment = instance.deployment
    size = deployment.ranks_per_node
    nodes = permutations(range(deployment.num_nodes))
    places = [[node * size + gpu for node in order for gpu in range(size)] for order in nodes]
    if deployment.num_nodes == 1:
        places = permutations(range(size))
    placed = renumber(new, old, deployment)
    fewest = min(moves(new[0], old[0], order) for order in map(list, places))
    assert moves(placed[0], old[0], range(deployment.num_gpus)) == fewest


def test_gpus_of_a_node_are_not_alike_under_nearest():
    # Expert 0 is on GPUs 0 and 1 of a node of three, and on the other node: GPU 2 asks the first of the node.
    deployment = Deployment(6, 12, num_nodes=2, policy="global", dispatch="nearest")
    row = [0, 1, 0, 2, 3, 4, 0, 5, 6, 7, 8, 9]
    instance = Instance.from_loads([[6, 2, 0, 0, 0, 0, 0, 0, 0, 0]], deployment)
    swapped = [0, 2, 0, 1, *row[4:]]
    assert (max_loads(row, instance), max_loads(swapped, instance)) == ((2 + 2,), (3,))
    rows, old = np.array([row]), np.array([swapped])
    assert renumber(rows, old, deployment).tolist() == [row]
    assert renumber(rows, old, replace(deployment, dispatch="even")).tolist() == old.tolist()


@pytest.mark.parametrize("dispatch", ["by-rank", "sglang-static"])
def test_gpus_are_not_renumbered_where_their_numbers_decide(dispatch):
    deployment = Deployment(3, 6, dispatch=dispatch)
    new, old = np.array([[0, 1, 2, 0, 3, 2]]), np.array([[2, 3, 1, 0, 0, 2]])
    assert renumber(new, old, deployment).tolist() == new.tolist()
    assert renumber(new, old, replace(deployment, dispatch="even")).tolist() == old.tolist()


@given(plans(max_experts=12, max_gpus=8, max_slots=32, max_nodes=4))
def test_a_renumbered_plan_is_the_same_plan(drawn):
    instance, new, old = drawn
    deployment = instance.deployment
    placed = renumber(new, old, deployment)
    assert eplb_opt.verify(Plan(placed, deployment, instance.num_experts)) == []
    for row, kept in zip(new, placed, strict=True):
        assert max_loads(kept.tolist(), instance) == max_loads(row.tolist(), instance)
        contents = [sorted(map(sorted, one.reshape(deployment.num_gpus, -1).tolist())) for one in (row, kept)]
        assert contents[0] == contents[1]
    gpus = deployment.num_gpus
    assert (count_moves(placed, old, gpus) <= count_moves(new, old, gpus)).all()


@given(plans(max_experts=12, max_gpus=8, max_slots=32))
def test_what_stays_on_a_gpu_stays_in_its_slot(drawn):
    instance, new, old = drawn
    placed = renumber(new, old, instance.deployment)
    shape = (-1, instance.deployment.slots_per_gpu)
    for kept, before in zip(placed.reshape(shape).tolist(), old.reshape(shape).tolist(), strict=True):
        in_place = Counter(now for now, was in zip(kept, before, strict=True) if now == was)
        assert in_place == Counter(kept) & Counter(before)


def test_a_plan_that_is_there_already_does_not_move():
    old = np.array([[0, 1, 2, 3], [1, 0, 3, 2]])
    swapped = np.array([[3, 2, 1, 0], [2, 3, 0, 1]])
    assert renumber(swapped, old, Deployment(2, 4)).tolist() == old.tolist()


def test_gpus_do_not_leave_their_nodes_but_nodes_change_places():
    # Nodes hold {0 1 | 2 3} and {4 5 | 6 7}; two groups for each node.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=4)
    old = np.arange(8)[np.newaxis]
    nodes_exchanged = np.array([[4, 5, 6, 7, 0, 1, 2, 3]])
    assert renumber(nodes_exchanged, old, deployment).tolist() == old.tolist()
    # Groups 1 and 2 have changed their nodes: half of each node moves, whichever node takes which.
    regrouped = np.array([[0, 1, 4, 5, 2, 3, 6, 7]])
    assert count_moves(renumber(regrouped, old, deployment), old, 4).tolist() == [4]
    assert renumber(regrouped, old, Deployment(4, 8)).tolist() == old.tolist()


def test_copies_on_one_gpu_count_once():
    # As they are, four slots need not change and four experts move; exchanged, three slots and three experts.
    old, new = np.array([[0, 0, 0, 1, 2, 3, 4, 5]]), np.array([[0, 0, 0, 2, 0, 1, 5, 6]])
    assert count_moves(new, old, 2).tolist() == [4]
    placed = renumber(new, old, Deployment(2, 8, distinct=False))
    assert placed.tolist() == [[0, 5, 6, 1, 2, 0, 0, 0]]
    assert count_moves(placed, old, 2).tolist() == [3]


def test_empty_slots_match_nothing():
    placed = renumber(np.array([[0, 1, 2, 3]]), np.array([[-1, 3, -1, -1]]), Deployment(2, 4))
    assert placed.tolist() == [[2, 3, 0, 1]]


def test_newcomers_fill_the_other_slots_in_order():
    kept = keep_slots(np.array([[5, 2, 7, 0]]), np.array([[0, 1, 2, 3]]), num_gpus=1)
    assert kept.tolist() == [[0, 5, 2, 7]]


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_the_assignment_is_worth_the_most(worth):
    chosen = assignment(np.array(worth))
    size = range(len(worth))
    assert sorted(chosen) == list(size)
    best = max(sum(worth[i][p[i]] for i in size) for p in permutations(size))
    assert sum(worth[i][chosen[i]] for i in size) == best
