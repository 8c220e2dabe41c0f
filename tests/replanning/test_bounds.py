"""Bounds for few moves: never above the best of all placements, and nothing else than the checker accepts."""

from collections import Counter
from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.bounds.few_moves import OldRow
from eplb_opt.bounds.tolls import TollProgram, toll_proofs
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from tests.attack_replans import attack
from tests.random_replans import random_replans

# In order, the first GPU has the largest loads.
SKEWED = -np.sort(-np.random.default_rng(3).lognormal(8, 0.8, 64).astype(int))
EIGHT = Instance.from_loads(SKEWED, Deployment(8, 64))
IN_ORDER = np.arange(64)


@pytest.mark.parametrize("dispatch", [False, True])
def test_no_bound_is_above_the_best_placement(dispatch):
    seen = Counter()
    for _, case in zip(range(60), random_replans(11, dispatch, each=2), strict=False):
        seen += attack(case)
    assert seen["tight"] > 30 and seen["tolls"] > 30


def test_touched_gpus_are_proven_where_replicas_are_distinct():
    seen = Counter()
    for case in random_replans(5):
        if case.instance.deployment.distinct and min(case.old) >= 0:
            seen += attack(case)
        if seen["touched"] > 10:
            break
    assert seen["layers"] < 600


def test_without_moves_nothing_is_better_than_what_runs():
    (window,) = OldRow(EIGHT, Objective(), IN_ORDER).windows
    assert window.instant(0).bound == Objective().value(IN_ORDER.tolist(), EIGHT)


def proven(moves, enough, nodes=40):
    tree = TollProgram(EIGHT, IN_ORDER).tree(moves, enough, nodes, lambda: False)
    return list(toll_proofs(EIGHT, tree))


def checked(proof, evidence, moves, **changes):
    rules = asdict(EIGHT.deployment) | {"before": IN_ORDER.tolist(), "moves": moves} | changes
    return check({**evidence, "bound": str(proof.bound)}, EIGHT.weights, rules, unit=EIGHT.unit)


def test_branching_proves_more_than_the_root_and_the_checker_follows():
    root, tree = proven(3, 10.0, nodes=1)[0], proven(3, 10.0)[0]
    assert EIGHT.mean_loads[0] < root.bound < tree.bound
    assert len(tree.evidence["parts"]) > 1
    assert checked(tree, tree.evidence, 3) == tree.bound


@pytest.mark.parametrize("moves", [4, 5, 8])
def test_what_is_proven_for_few_moves_is_not_for_more(moves):
    tree = proven(3, 10.0)[0]
    with pytest.raises(CertificateError):
        checked(tree, tree.evidence, moves)


def test_forged_tolls_are_refused():
    tree = proven(3, 10.0)[0]
    evidence = tree.evidence
    higher = {**evidence, "bound": str(tree.bound * Fraction(101, 100))}
    rules = asdict(EIGHT.deployment) | {"before": IN_ORDER.tolist(), "moves": 3}
    forged = [
        higher,
        {**evidence, "parts": evidence["parts"][:-1]},
        {**evidence, "parts": [[0]]},
        {**evidence, "prices": [[loads, slots, [-1] * 8] for loads, slots, _ in evidence["prices"]]},
        {**evidence, "prices": [[[2**30] * 8, slots, arrivals] for _, slots, arrivals in evidence["prices"]]},
        {**evidence, "step": "0"},
        {**evidence, "step": "1/1000000000000000000000"},
    ]
    for certificate in forged:
        with pytest.raises(CertificateError):
            check({"bound": str(tree.bound), **certificate}, EIGHT.weights, rules, unit=EIGHT.unit)
    with pytest.raises(CertificateError):
        checked(tree, evidence, 3, before=[*IN_ORDER[:-1].tolist(), 64])
    with pytest.raises(CertificateError):
        checked(tree, evidence, 3, before=IN_ORDER[:-1].tolist())
    # Whoever says nothing of moves speaks of all plans.
    with pytest.raises(CertificateError):
        check({**evidence, "bound": str(tree.bound)}, EIGHT.weights, asdict(EIGHT.deployment), unit=EIGHT.unit)
