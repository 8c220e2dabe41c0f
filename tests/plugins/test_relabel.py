"""The same plan with fewer moves: properties, and all permutations of tiny cases."""

from collections import Counter
from itertools import permutations, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.plan import Plan
from eplb_opt.plugins.relabel import assignment, keep_slots, moved_slots, relabel
from eplb_opt.verify import max_loads
from tests.strategies import instances, rows_of_slots


@st.composite
def plans(draw, **limits):
    """An instance, and two plans of some layers of it."""
    instance = draw(instances(**limits))
    number = draw(st.integers(1, 3))
    new, old = (np.array([draw(rows_of_slots(instance)) for _ in range(number)]) for _ in range(2))
    return instance, new, old


def permitted(deployment):
    """All ways to hand the GPUs' contents on: within nodes, and whole nodes."""
    size = deployment.gpus_per_node
    for nodes in permutations(range(deployment.binding_nodes)):
        for inside in product(permutations(range(size)), repeat=len(nodes)):
            yield [node * size + gpu for node, gpus in zip(nodes, inside, strict=True) for gpu in gpus]


def fewest_moves(row, old, deployment):
    """Slots in common of GPUs as multisets, over all permitted permutations."""
    contents, held = ([Counter(gpu) for gpu in one.reshape(deployment.num_gpus, -1).tolist()] for one in (row, old))
    common = max(
        sum((contents[gpu] & held[place]).total() for gpu, place in enumerate(places))
        for places in permitted(deployment)
    )
    return deployment.num_slots - common


@given(plans(max_experts=6, max_gpus=4, max_slots=10))
def test_no_permutation_moves_fewer_slots(drawn):
    instance, new, old = drawn
    placed = relabel(new, old, instance.deployment)
    for row, kept, before in zip(new, placed, old, strict=True):
        assert moved_slots(kept, before) == fewest_moves(row, before, instance.deployment)


@given(plans(max_experts=12, max_gpus=8, max_slots=32, max_nodes=4))
def test_a_relabelled_plan_is_the_same_plan(drawn):
    instance, new, old = drawn
    deployment = instance.deployment
    placed = relabel(new, old, deployment)
    assert eplb_opt.verify(Plan(placed, deployment, instance.num_experts)) == []
    for row, kept in zip(new, placed, strict=True):
        assert max_loads(kept.tolist(), instance) == max_loads(row.tolist(), instance)
        contents = [sorted(map(sorted, one.reshape(deployment.num_gpus, -1).tolist())) for one in (row, kept)]
        assert contents[0] == contents[1]
    assert moved_slots(placed, old) <= moved_slots(new, old)


@given(plans(max_experts=12, max_gpus=8, max_slots=32))
def test_what_stays_on_a_gpu_stays_in_its_slot(drawn):
    instance, new, old = drawn
    placed = relabel(new, old, instance.deployment)
    shape = (-1, instance.deployment.slots_per_gpu)
    for kept, before in zip(placed.reshape(shape).tolist(), old.reshape(shape).tolist(), strict=True):
        in_place = Counter(now for now, was in zip(kept, before, strict=True) if now == was)
        assert in_place == Counter(kept) & Counter(before)


def test_a_plan_that_is_there_already_does_not_move():
    old = np.array([[0, 1, 2, 3], [1, 0, 3, 2]])
    swapped = np.array([[3, 2, 1, 0], [2, 3, 0, 1]])
    assert relabel(swapped, old, Deployment(2, 4)).tolist() == old.tolist()


def test_gpus_do_not_leave_their_nodes_but_nodes_change_places():
    # Nodes hold {0 1 | 2 3} and {4 5 | 6 7}; two groups for each node.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=4)
    old = np.arange(8)[np.newaxis]
    nodes_exchanged = np.array([[4, 5, 6, 7, 0, 1, 2, 3]])
    assert relabel(nodes_exchanged, old, deployment).tolist() == old.tolist()
    # Groups 1 and 2 have changed their nodes: half of each node moves, whichever node takes which.
    regrouped = np.array([[0, 1, 4, 5, 2, 3, 6, 7]])
    assert moved_slots(relabel(regrouped, old, deployment), old) == 4
    assert moved_slots(relabel(regrouped, old, Deployment(4, 8)), old) == 0


def test_empty_slots_match_nothing():
    placed = relabel(np.array([[0, 1, 2, 3]]), np.array([[-1, 3, -1, -1]]), Deployment(2, 4))
    assert placed.tolist() == [[2, 3, 0, 1]]


def test_newcomers_fill_the_other_slots_in_order():
    kept = keep_slots(np.array([[[5, 2, 7, 0]]]), np.array([[[0, 1, 2, 3]]]))
    assert kept.tolist() == [[[0, 5, 2, 7]]]


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
