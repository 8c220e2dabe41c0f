"""Re-planning by a solver: the exact frontier of brute force, and moves that are counted one by one."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.objective import Objective
from eplb_opt.run.exact_moves import Replanning, coolest_within, fewest_moves
from tests import different_gpus, moves_different_gpus, moves_oracle
from tests.oracle import enumerate_rows, row_is_valid
from tests.random_replans import random_replans

# What rounding of loads, and the tolerances of HiGHS, may leave open of an optimum.
OPEN = Fraction(1, 10**5)
LIMITS = Limits(60.0)


def is_right(answer, layer):
    """Whether the row, its value and its moves are what the problem statement says."""
    gpus = layer.instance.deployment.num_gpus
    return row_is_valid(answer.slots, layer.instance) and answer.moves == moves_oracle.row_moves(
        answer.slots, layer.old, gpus
    )


def cases(seed, number):
    """Layers of few slots with their curves, and the old row where that is a plan."""
    replans = (replan for replan in random_replans(seed, each=1) if len(replan.old) < 9)
    for replan in islice(replans, number):
        layer = Replanning(replan.instance, replan.old, Objective(replan.objective))
        start = layer.old if row_is_valid(layer.old, layer.instance) else None
        yield layer, start, moves_oracle.frontier(layer.instance, layer.old, replan.objective)


@pytest.mark.parametrize(("method", "number"), [("cpsat", 20), ("pulp:HiGHS", 15), ("pulp:COIN_CMD", 4)])
def test_the_least_value_of_so_many_moves_is_that_of_brute_force(method, number):
    random = np.random.default_rng(1)
    for layer, start, curve in cases(2, number):
        moves = int(random.integers(0, min(max(curve), 6) + 1))
        answer = coolest_within(layer, moves, method, LIMITS, start)
        assert answer.complete
        if moves not in curve:
            assert (answer.slots, answer.bound) == (None, None)
            continue
        assert is_right(answer, layer) and answer.moves <= moves
        assert answer.bound <= curve[moves] <= answer.value <= curve[moves] * (1 + OPEN)
        assert curve[moves] - answer.bound <= OPEN * curve[moves]


@pytest.mark.parametrize(("method", "number"), [("cpsat", 20), ("pulp:HiGHS", 15), ("pulp:COIN_CMD", 4)])
def test_the_fewest_moves_to_a_limit_are_those_of_brute_force(method, number):
    random = np.random.default_rng(2)
    for layer, start, curve in cases(3, number):
        value = curve[int(random.choice(list(curve)))]
        for limit in (value * (1 + OPEN), value * (1 - OPEN)):
            fewest = moves_oracle.fewest_moves(curve, limit)
            fits = start is not None and layer.value(start) <= limit
            answer = fewest_moves(layer, limit, method, LIMITS, start if fits else None)
            assert answer.complete
            if fewest is None:
                assert answer.slots is None
                continue
            assert is_right(answer, layer) and answer.value <= limit
            assert answer.bound == fewest == answer.moves


@pytest.mark.parametrize(("method", "number"), [("cpsat", 3), ("pulp:HiGHS", 5)])
def test_where_gpus_differ_it_is_brute_force_too(method, number):
    random = np.random.default_rng(5)
    for replan in islice(moves_different_gpus.random_replans(4, each=1), number):
        layer = Replanning(replan.instance, replan.old, Objective(replan.objective))
        curve = moves_different_gpus.frontier(layer.instance, layer.old, replan.objective)
        moves = int(random.choice(list(curve)))
        answer = coolest_within(layer, moves, method, LIMITS)
        deployment = layer.instance.deployment
        assert answer.complete and different_gpus.is_valid(answer.slots, deployment, layer.instance.num_experts)
        assert answer.moves == moves_different_gpus.row_moves(answer.slots, layer.old, deployment) <= moves
        assert answer.bound <= curve[moves] <= answer.value <= curve[moves] * (1 + OPEN)
        answer = fewest_moves(layer, curve[moves] * (1 + OPEN), method, LIMITS)
        assert answer.complete and answer.bound == answer.moves
        assert answer.moves == moves_oracle.fewest_moves(curve, curve[moves] * (1 + OPEN))


def test_rounded_loads_prove_bounds_and_no_plan_above_the_limit():
    # 5 tokens against 3 on top of 2**60 each; experts 3 and 5 exchanged, 4 against 4: no solver sees the difference.
    instance = Instance.from_loads([2**60, 2**60, 3, 2, 2, 1], Deployment(2, 6))
    layer = Replanning(instance, (0, 2, 3, 1, 4, 5), Objective("total"))
    curve = moves_oracle.frontier(layer.instance, layer.old, "total")
    assert curve == dict.fromkeys((0, 1), 2**60 + 5) | dict.fromkeys(range(2, 7), 2**60 + 4)
    answer = fewest_moves(layer, curve[2], "cpsat", LIMITS)
    assert (answer.slots, answer.bound, answer.complete) == (None, 0, True)


def test_windows_weigh_in_the_mean():
    random = np.random.default_rng(4)
    deployment, weights = Deployment(2, 4, distinct=False), (Fraction(5, 2), Fraction(1, 3))
    for _ in range(5):
        instance = Instance.from_loads(random.integers(1, 50, (2, 3)), deployment)
        layer = Replanning(instance, (0, 1, 2, 2), Objective("mean", weights))
        values = [layer.value(row) for row in enumerate_rows(instance) if layer.moves(row) <= 1]
        answer = coolest_within(layer, 1, "cpsat", LIMITS)
        assert answer.bound <= min(values) <= answer.value <= min(values) * (1 + OPEN)


def test_a_layer_without_load_needs_the_moves_that_make_it_a_plan():
    layer = Replanning(Instance.from_loads([[0, 0, 0]], Deployment(2, 4)), (0, 1, -1, -1), Objective("worst"))
    answer = fewest_moves(layer, Fraction(1), "cpsat", LIMITS)
    assert (answer.moves, answer.value, answer.bound) == (2, 1, 2)
    assert coolest_within(layer, 2, "cpsat", LIMITS).bound == 1
    assert fewest_moves(layer, Fraction(99, 100), "cpsat", LIMITS).slots is None


def test_what_cannot_be_asked_is_refused():
    instance = Instance.from_loads([[6, 2, 2], [1, 5, 1]], Deployment(2, 4))
    layer = Replanning(instance, (0, 1, 2, 1), Objective("worst"))
    with pytest.raises(InvalidArgumentError, match="the start has 2 moves, more than 1"):
        coolest_within(layer, 1, "cpsat", LIMITS, (2, 1, 0, 1))
    with pytest.raises(InvalidArgumentError, match=r"the start is worth 1\.4, more than 1\.0"):
        fewest_moves(layer, Fraction(1), "cpsat", LIMITS, layer.old)
    fine = Objective("mean", (Fraction(1, 3**20), Fraction(1)))
    with pytest.raises(InvalidArgumentError, match="the window weights sum to more than"):
        coolest_within(replace(layer, objective=fine), 1, "cpsat", LIMITS)
    nearest = replace(instance, deployment=replace(instance.deployment, dispatch="nearest"))
    with pytest.raises(InvalidArgumentError, match="not of dispatch='nearest'"):
        replace(layer, instance=nearest)
