"""The frontier of moves and value, against every valid row one by one, and by hand."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.verify import objective_value
from tests.moves_oracle import fewest_moves, frontier, row_moves
from tests.oracle import enumerate_rows, row_is_valid
from tests.random_instances import dispatched, random_instance
from tests.random_replans import random_replan, random_replans, random_row


def by_enumeration(replan):
    """The frontier by the package's own values of all candidates that satisfy the problem statement."""
    instance, old = replan.instance, replan.old
    gpus, found = instance.deployment.num_gpus, {}
    for row in enumerate_rows(instance):
        moves = row_moves(row, old, gpus)
        value = objective_value(row, instance, replan.objective)
        found[moves] = min(value, found.get(moves, value))
    return {
        most: min(value for moves, value in found.items() if moves <= most)
        for most in range(min(found), instance.deployment.num_slots + 1)
    }


@pytest.mark.parametrize("dispatch", [False, True])
def test_the_frontier_is_that_of_all_valid_rows(dispatch):
    random = np.random.default_rng(7)
    for _ in range(40):
        like = random_instance(random, 4, 4, 6, 3)
        replan = random_replan(random, dispatched(random, like) if dispatch else like)
        assert frontier(replan.instance, replan.old, replan.objective) == by_enumeration(replan)


def test_random_old_rows_are_valid_before_they_wear():
    random = np.random.default_rng(8)
    for _ in range(100):
        like = random_instance(random, 6, 4, 12, 3)
        assert row_is_valid(tuple(random_row(random, like.deployment, like.num_experts).tolist()), like)


def test_replans_are_the_same_for_a_seed_and_have_a_curve_to_bound():
    replans = list(islice(random_replans(1, each=3), 60))
    assert replans == list(islice(random_replans(1, each=3), 60))
    curves = [frontier(replan.instance, replan.old, replan.objective) for replan in replans]
    assert sum(len(set(curve.values())) > 2 for curve in curves) > 10
    assert {replan.objective for replan in replans} == {"total", "mean", "worst"}
    assert any(-1 in replan.old for replan in replans)
    assert {replan.instance.deployment.hierarchical for replan in replans} == {True, False}


def test_a_frontier_by_hand():
    # Loads 6 2 2 2 on 2 GPUs x 2 slots: 6 + 2 against 2 + 2 whatever is moved.
    instance = Instance.from_loads([6, 2, 2, 2], Deployment(2, 4))
    assert frontier(instance, (0, 1, 2, 3), "total") == dict.fromkeys(range(5), Fraction(8))
    # 3 experts leave a slot: 6 + 2 against 2 + 2; with half of 6 in the place of the second copy of 1, 5 against 5.
    instance = Instance.from_loads([6, 2, 2], Deployment(2, 4))
    curve = frontier(instance, (0, 1, 2, 1), "total")
    assert curve == {0: 7, 1: 5, 2: 5, 3: 5, 4: 5}
    assert (fewest_moves(curve, Fraction(6)), fewest_moves(curve, Fraction(4))) == (1, None)
    # A GPU that lost its weights has to copy both of its experts.
    assert frontier(instance, (0, 1, -1, -1), "total") == {2: 5, 3: 5, 4: 5}


def test_moves_are_counted_in_sets():
    assert row_moves((0, 0, 1, 2), (0, 1, 2, 1), 2) == 0
    assert row_moves((0, 0, 2, 2), (1, 1, -1, -1), 2) == 2
