"""Certificates of several windows at once: what is changed in them proves nothing, and forged ones are refused soon."""

import copy
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest

from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.joint_patterns import Items, Room, none_heavier
from eplb_opt.certificates.limit import WorkLimit
from tests.attack_window_weightings import proven
from tests.bounds.test_window_weightings import DEPLOYMENT, LOADS


def accepted(certificate, bound, objective, loads=LOADS):
    try:
        check(
            {**certificate, "bound": str(bound)},
            loads.tolist(),
            DEPLOYMENT.facts,
            objective=objective,
        )
    except CertificateError:
        return False
    return True


@pytest.fixture(scope="module", params=["mean", "worst"])
def proof(request):
    incumbent, raised = proven(LOADS, DEPLOYMENT, request.param, seed=0)
    assert raised
    return request.param, incumbent.bound, dict(incumbent.proof.evidence)


def test_it_proves_its_bound_and_no_more(proof):
    objective, bound, evidence = proof
    assert accepted(evidence, bound, objective)
    assert not accepted(evidence, bound * Fraction(11, 10), objective)


def test_other_numbers_prove_nothing(proof):
    objective, bound, evidence = proof
    for change in (
        lambda e: e["weightings"][0].update(carried=e["weightings"][0]["carried"] - 2**36),
        lambda e: e["weightings"][0].update(carried=-1),
        lambda e: e["weightings"][0].update(weights=[[0] * len(row) for row in e["weightings"][0]["weights"]]),
        lambda e: e["weightings"][0]["weights"][0].append(1),
        lambda e: e["weightings"][0]["starts"][0].__setitem__(0, 9),
        lambda e: e["parts"].pop(),
        lambda e: e["parts"].append([0]),
        lambda e: e["parts"].__setitem__(0, [99]),
        lambda e: e["parts"].__setitem__(0, [-1]),
        lambda e: e["parts"].__setitem__(0, ["0"]),
        lambda e: e["windows"].pop(),
    ):
        changed = copy.deepcopy(evidence)
        change(changed)
        assert not accepted(changed, bound, objective)


def test_it_is_about_its_own_loads(proof):
    objective, bound, evidence = proof
    # All the same: every window can be balanced better than these can together.
    assert not accepted(evidence, bound, objective, np.ones_like(LOADS))


def test_loads_whose_sum_over_windows_is_no_number_of_64_bits():
    # Each replica weighs 1 and a GPU may carry nothing: no plan is worth 2 x 2**27, if every pattern were too hot.
    load = 2**27 - 3
    deployment = {"num_gpus": 2, "num_slots": 2, "num_nodes": 1, "num_groups": 1, "policy": "global", "distinct": True}
    weighting = {"starts": [[1], [1]], "weights": [[1], [1]], "carried": 0}
    evidence = {"argument": "window weightings", "weightings": [weighting], "parts": [[0]], "bound": str(2 * load - 1)}
    with pytest.raises(CertificateError, match="does not prove its bound"):
        check(evidence, [[load, load]] * 3, deployment, objective="hottest")


@pytest.mark.parametrize("windows", [1, 2, 3, 16])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_heaviest_pattern_of_the_largest_loads_that_are_read(size, windows):
    high = (2**62 - 1) // size
    random = np.random.default_rng(windows)
    loads = high - random.integers(0, 1000, (windows, 8))
    weights, experts = random.integers(1, 100, 8), np.arange(8)
    nothing = np.zeros(windows, dtype=np.int64)
    items = Items(loads, weights, experts, Room(np.full(windows, size * high), nothing, nothing, 0))
    best = int(np.sort(weights)[-size:].sum())
    assert none_heavier(items, size, True, best, WorkLimit())
    assert not none_heavier(items, size, True, best - 1, WorkLimit())


def test_what_takes_long_or_much_memory_is_refused_for_many_windows_and_long_halves():
    random = np.random.default_rng(0)
    for windows, number, size in ((24, 285, 6), (2, 5, 140)):
        upper = np.full(windows, 10**6)
        items = Items(
            random.integers(0, 10, (windows, number)),
            np.ones(number, dtype=np.int64),
            np.arange(number),
            Room(upper, np.zeros_like(upper), np.zeros_like(upper), 0),
        )
        with pytest.raises(CertificateError, match=r"too many patterns|too long"):
            none_heavier(items, size, False, 10**6, WorkLimit(4 * 10**10))


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("shares", "most"), [([1, 2], 230), ([0, 0], 0)])
def test_the_heaviest_pattern_is_that_of_all_sets(size, distinct, shares, most):
    random = np.random.default_rng(size)
    loads, weights = random.integers(1, 30, (9, 2)), random.integers(0, 100, 9)
    experts = np.array([0, 0, 1, 2, 2, 3, 4, 5, 6])
    room = Room(np.array([80, 90]), np.array([10, 20]), np.array(shares), most)
    items = Items(loads.T, weights, experts, room)
    best = -1
    for pattern in combinations_with_replacement(range(9), size):
        if distinct and len(set(experts[list(pattern)])) < size:
            continue
        if room.fits(loads[list(pattern)].sum(axis=0)[:, np.newaxis])[0]:
            best = max(best, int(weights[list(pattern)].sum()))
    assert best > 0
    assert none_heavier(items, size, distinct, best, WorkLimit())
    assert not none_heavier(items, size, distinct, best - 1, WorkLimit())
