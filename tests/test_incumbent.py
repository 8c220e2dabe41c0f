"""Incumbent: keeps what is better, refuses what is wrong, and never hides a contradiction."""

from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import SolverError
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof

# Distinct replicas on 3 GPUs of 2 slots: 65 is optimal, reached by the first row. In the second, GPU 0 carries 20 and
# 69, so 89; in the third GPU 0 carries 21 and 69, so 90.
BEST, MIDDLE, WORST = [0, 3, 2, 1, 2, 3], [0, 2, 1, 3, 1, 3], [1, 2, 0, 3, 0, 3]


@pytest.fixture
def incumbent():
    return Incumbent(Instance.from_loads([20, 21, 69, 61], Deployment(3, 6)), name="layer 7")


def value(row):
    shares = [Fraction(load, row.count(expert)) for expert, load in enumerate([20, 21, 69, 61])]
    return max(shares[a] + shares[b] for a, b in zip(row[::2], row[1::2], strict=True))


def claim(bound):
    return Proof("program", Fraction(bound), checked=False, by="cpsat")


def test_only_better_plans_are_kept(incumbent):
    assert incumbent.offer_plan(np.array(MIDDLE), "first")
    assert not incumbent.offer_plan(np.array(WORST), "worse")
    assert not incumbent.offer_plan(np.array(MIDDLE), "same")
    assert incumbent.value == value(MIDDLE)
    assert incumbent.offer_plan(np.array(BEST), "better")
    assert incumbent.value == value(BEST) < value(MIDDLE) < value(WORST)
    assert [point.source for point in incumbent.trace] == ["first", "better"]


def test_an_invalid_plan_is_refused_and_reported(incumbent, caplog):
    incumbent.offer_plan(np.array(MIDDLE), "first")
    assert not incumbent.offer_plan(np.array([2, 2, 0, 1, 3, 3]), "a broken solver")
    assert incumbent.value == value(MIDDLE)
    assert "a broken solver is not valid: layer 0: GPU 0 holds expert 2 more than once" in caplog.text
    assert "refused" in incumbent.trace[-1].source


def test_the_strongest_bound_is_kept_and_a_checked_one_among_equals(incumbent):
    incumbent.offer_plan(np.array(MIDDLE), "first")
    assert incumbent.offer_proof(claim(60))
    assert not incumbent.offer_proof(claim(59))
    assert incumbent.offer_proof(Proof("mean", Fraction(60), checked=True))
    assert incumbent.proof.checked
    assert incumbent.offer_proof(claim(61))
    assert not incumbent.proof.checked and incumbent.proof.bound == 61


def test_a_claimed_bound_above_a_plan_is_refused_and_reported(incumbent, caplog):
    incumbent.offer_proof(Proof("mean", Fraction(57), checked=True))
    incumbent.offer_plan(np.array(BEST), "search")
    assert not incumbent.offer_proof(claim(value(BEST) + 1))
    assert incumbent.proof == Proof("mean", Fraction(57), checked=True)
    assert "refused: bound" in caplog.text
    assert "refused: bound" in incumbent.trace[-1].source


def test_a_claimed_bound_is_taken_back_when_a_plan_beats_it(incumbent, caplog):
    incumbent.offer_proof(Proof("mean", Fraction(57), checked=True))
    incumbent.offer_plan(np.array(MIDDLE), "first")
    incumbent.offer_proof(claim(value(MIDDLE)))
    assert incumbent.gap == 0
    incumbent.offer_plan(np.array(BEST), "search")
    assert incumbent.proof == Proof("mean", Fraction(57), checked=True)
    assert "taken back" in caplog.text


def test_a_plan_below_a_checked_bound_is_an_error_and_not_a_result(incumbent):
    incumbent.offer_proof(Proof("wrong", Fraction(1000), checked=True))
    with pytest.raises(SolverError, match="one of them is wrong"):
        incumbent.offer_plan(np.array(BEST), "search")


def test_improvements_are_told_once_and_in_order(incumbent):
    told = []
    incumbent.tell = told.append
    incumbent.offer(Improvement("first", slots=np.array(MIDDLE)))
    incumbent.offer(Improvement("worse", slots=np.array(WORST)))
    incumbent.offer(Improvement("mean", proof=Proof("mean", Fraction(57), checked=True)))
    incumbent.offer(Improvement("mean", proof=Proof("mean", Fraction(57), checked=True)))
    incumbent.offer(Improvement("a solver failed"))
    kinds = [(item.slots is not None, item.proof is not None) for item in told]
    assert kinds == [(True, False), (False, True), (False, False)]
    assert told[-1].by == "a solver failed"


def test_a_better_bound_with_evidence_is_kept_below_a_claim(incumbent):
    incumbent.offer_proof(claim(64))
    assert not incumbent.offer_proof(Proof("mean", Fraction(57), checked=True))
    assert (incumbent.bound, incumbent.checked.bound) == (64, 57)


def test_a_claim_taken_back_leaves_the_best_checked_bound(incumbent):
    incumbent.offer_plan(np.array(MIDDLE), "first")
    incumbent.offer_proof(claim(value(MIDDLE)))
    incumbent.offer_proof(Proof("mean", Fraction(57), checked=True))
    incumbent.offer_plan(np.array(BEST), "search")
    assert incumbent.proof == Proof("mean", Fraction(57), checked=True)


@pytest.mark.parametrize(("target_gap", "closed"), [(Fraction(0), False), (Fraction(8, 65), True)])
def test_closed_is_a_plan_within_the_target_gap(incumbent, target_gap, closed):
    incumbent.target_gap = target_gap
    incumbent.offer_proof(Proof("mean", Fraction(57), checked=True))
    assert not incumbent.closed
    incumbent.offer_plan(np.array(BEST), "search")
    assert (incumbent.value, incumbent.gap, incumbent.closed) == (65, Fraction(8, 65), closed)


def test_the_bound_of_the_hottest_window_is_told_in_the_unit_of_the_search():
    # Mean loads of 2 and 3 tokens: plans are searched in parts of the larger one.
    incumbent = Incumbent(Instance.from_loads([[1, 1, 1, 1], [3, 1, 1, 1]], Deployment(2, 4)))
    incumbent.offer_proof(Proof("mean", Fraction(4), checked=True))
    slots = np.array([0, 1, 2, 3])
    assert incumbent.windows.value(slots, incumbent.instance) == pytest.approx(4 / 3) == incumbent.imbalance_bound
