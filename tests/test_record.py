"""LayerRecord: keeps what is better, refuses what is wrong, and never hides a contradiction."""

from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import SolverError
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof
from eplb_opt.record import LayerRecord

# Distinct replicas on 3 GPUs of 2 slots: 65 is optimal, reached by the first row. In the second, GPU 0 carries 20 and
# 69, so 89; in the third GPU 0 carries 21 and 69, so 90.
BEST, MIDDLE, WORST = [0, 3, 2, 1, 2, 3], [0, 2, 1, 3, 1, 3], [1, 2, 0, 3, 0, 3]


@pytest.fixture
def record():
    return LayerRecord(7, Instance.from_loads([20, 21, 69, 61], Deployment(3, 6)))


def value(row):
    shares = [Fraction(load, row.count(expert)) for expert, load in enumerate([20, 21, 69, 61])]
    return max(shares[a] + shares[b] for a, b in zip(row[::2], row[1::2], strict=True))


def claim(bound):
    return Proof("program", Fraction(bound), checked=False, by="cpsat")


def test_only_better_plans_are_kept(record):
    assert record.offer_plan(np.array(MIDDLE), "first")
    assert not record.offer_plan(np.array(WORST), "worse")
    assert not record.offer_plan(np.array(MIDDLE), "same")
    assert record.objective == value(MIDDLE)
    assert record.offer_plan(np.array(BEST), "better")
    assert record.objective == value(BEST) < value(MIDDLE) < value(WORST)
    assert [point.source for point in record.to_solution("time").trace] == ["first", "better"]


def test_an_invalid_plan_is_refused_and_reported(record, caplog):
    record.offer_plan(np.array(MIDDLE), "first")
    assert not record.offer_plan(np.array([2, 2, 0, 1, 3, 3]), "a broken solver")
    assert record.objective == value(MIDDLE)
    assert "a broken solver is not valid: layer 0: GPU 0 holds expert 2 more than once" in caplog.text
    assert "refused" in record.to_solution("time").trace[-1].source


def test_the_strongest_bound_is_kept_and_a_checked_one_among_equals(record):
    record.offer_plan(np.array(MIDDLE), "first")
    assert record.offer_proof(claim(60))
    assert not record.offer_proof(claim(59))
    assert record.offer_proof(Proof("mean", Fraction(60), checked=True))
    assert record.proof.checked
    assert record.offer_proof(claim(61))
    assert not record.proof.checked and record.proof.bound == 61


def test_a_claimed_bound_above_a_plan_is_refused_and_reported(record, caplog):
    record.offer_proof(Proof("mean", Fraction(57), checked=True))
    record.offer_plan(np.array(BEST), "search")
    assert not record.offer_proof(claim(value(BEST) + 1))
    assert record.proof == Proof("mean", Fraction(57), checked=True)
    assert "refused: bound" in caplog.text
    assert "refused: bound" in record.to_solution("time").trace[-1].source


def test_a_claimed_bound_is_taken_back_when_a_plan_beats_it(record, caplog):
    record.offer_proof(Proof("mean", Fraction(57), checked=True))
    record.offer_plan(np.array(MIDDLE), "first")
    record.offer_proof(claim(value(MIDDLE)))
    assert record.gap == 0
    record.offer_plan(np.array(BEST), "search")
    assert record.proof == Proof("mean", Fraction(57), checked=True)
    assert "taken back" in caplog.text


def test_a_plan_below_a_checked_bound_is_an_error_and_not_a_result(record):
    record.offer_proof(Proof("wrong", Fraction(1000), checked=True))
    with pytest.raises(SolverError, match="one of them is wrong"):
        record.offer_plan(np.array(BEST), "search")


def test_seconds_are_added_up_by_step(record):
    record.offer_plan(np.array(BEST), "search")
    for step, seconds in (("start", 0.5), ("search", 1.0), ("search", 2.0)):
        record.add_work(step, seconds)
    solution = record.to_solution("time")
    assert (solution.work, solution.runtime) == ({"start": 0.5, "search": 3.0}, 3.5)


def test_optimal_has_no_reason_to_stop(record):
    record.offer_plan(np.array(BEST), "search")
    record.offer_proof(claim(value(BEST)))
    solution = record.to_solution("time")
    assert (solution.status, solution.stopped_by, solution.gap) == ("optimal", None, 0)
