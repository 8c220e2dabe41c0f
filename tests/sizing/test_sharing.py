"""Sharing: rows and bounds go where they hold, and are what exact arithmetic says of them."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads, Plan
from eplb_opt.evaluate import objective_values
from eplb_opt.sizing.extension import extended_row
from eplb_opt.sizing.points import Point
from eplb_opt.sizing.sharing import shared
from tests.oracle import brute_force, row_is_valid
from tests.random_instances import random_instance

LOADS = Loads(np.array([[[40, 3, 2, 1], [1, 1, 1, 1]]]))


def point(deployment, rows, bounds=(0, 0)):
    plan = Plan(np.array(rows), deployment, 4)
    values = objective_values(plan, LOADS, "total")
    means = tuple(Fraction(int(row.sum()), deployment.num_gpus) for row in LOADS.values[0])
    return Point(plan, values, tuple(map(Fraction, bounds)), means, "total", float("nan"), 0.0)


def test_what_a_stricter_policy_allows_is_a_plan_of_the_laxer_and_its_bound_goes_the_other_way():
    strict = Deployment(4, 8, 2, 2, "hierarchical")
    kept = point(strict, [[0, 1, 0, 1, 2, 3, 2, 3]] * 2, bounds=(15, 1))
    # Without groups somebody has put the hot expert on one GPU.
    free = point(replace(strict, policy="global"), [[0, 1, 1, 2, 2, 3, 1, 3]] * 2, bounds=(12, 2))
    assert (kept.values, free.values) == ((Fraction(43, 2), 1), (41, Fraction(4, 3)))
    got_kept, got_free = shared([kept, free], LOADS)
    assert got_kept.bounds == (15, 2)
    assert got_free.bounds == (12, 2)
    assert got_free.values == (Fraction(43, 2), 1)
    assert got_free.values == objective_values(got_free.plan, LOADS, "total")
    assert eplb_opt.verify(got_free.plan) == []
    assert got_kept.plan is kept.plan


def test_a_plan_with_fewer_slots_becomes_one_with_more_where_that_is_better():
    small = point(Deployment(2, 4), [[0, 3, 0, 1], [0, 1, 2, 3]])
    small = replace(small, plan=replace(small.plan, physical_to_logical=np.array([[0, 1, 2, 3], [0, 1, 2, 3]])))
    small = replace(small, values=objective_values(small.plan, LOADS, "total"))
    # The hot expert has one replica, and those of the others are of no use.
    large = point(Deployment(2, 6), [[0, 1, 2, 1, 2, 3], [0, 1, 2, 1, 2, 3]])
    _, got = shared([small, large], LOADS)
    assert got.values[1] <= large.values[1]
    assert got.bounds == large.bounds
    assert eplb_opt.verify(got.plan) == []


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_extended_rows_are_valid_and_keep_what_was_there(extra):
    random = np.random.default_rng(6)
    tried = 0
    while tried < 60:
        instance = random_instance(random, max_slots=6)
        deployment = instance.deployment
        wider = deployment.num_gpus * (deployment.slots_per_gpu + extra)
        if wider not in deployment.possible_slots(instance.num_experts):
            continue
        tried += 1
        larger = replace(instance, deployment=replace(deployment, num_slots=wider))
        row = np.array(
            eplb_opt.solve(instance.tokens[:, None], deployment, method="greedy").plan.physical_to_logical[0]
        )
        got = extended_row(row, instance.tokens, larger.deployment)
        assert row_is_valid(tuple(got.tolist()), larger)
        before, after = (table.reshape(deployment.num_gpus, -1) for table in (row, got))
        assert (after[:, : before.shape[1]] == before).all()


def test_the_new_replica_is_the_one_that_helps_most():
    # GPU 0 has the hot expert. Only a replica of it on GPU 1 helps, and GPU 0 takes what harms least.
    row = extended_row(np.array([0, 1, 2, 3]), np.array([[40, 3, 2, 1]]), Deployment(2, 6))
    assert row.reshape(2, 3).tolist() == [[0, 1, 3], [2, 3, 0]]
    worth = max(sum([40 / 2, 3, 1 / 2]), sum([2, 1 / 2, 40 / 2]))
    assert float(brute_force(eplb_opt.Instance.from_loads([40, 3, 2, 1], Deployment(2, 6)))) <= worth
