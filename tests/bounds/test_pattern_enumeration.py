"""PatternEnumeration, against brute force: what it refutes is below the optimum, and what it finds is a plan."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.bounds import pattern_enumeration
from eplb_opt.bounds.pattern_enumeration import PatternEnumeration, enumerate_patterns, filling_evidence
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import DYADIC, HUGE, SMALL, TOKENS, instances
from tests.watch import Watch

LITTLE = Fraction(1, 10**8)


@examples(80)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS, HUGE, DYADIC)))
def test_there_is_a_plan_within_the_optimum_and_none_below(instance):
    if instance.deployment.slots_per_gpu == 1:
        return
    optimum = brute_force(instance)
    within = PatternEnumeration.within(instance, optimum)
    assert within is not None
    slots, left = within.plan(10**6)
    assert slots is not None and left > 0
    assert verify(Plan(slots[np.newaxis], instance.deployment, instance.num_experts)) == []
    assert max_loads(slots.tolist(), instance)[0] <= optimum * (1 + LITTLE)
    if optimum:
        below = PatternEnumeration.within(instance, optimum * (1 - LITTLE))
        assert below is not None
        slots, left = below.plan(10**6)
        assert slots is None and left > 0


@examples(30)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS)))
def test_plan_and_bound_meet_on_small_layers(instance):
    if instance.deployment.slots_per_gpu == 1:
        return
    watch = Watch(instance, None)
    watch.run(enumerate_patterns, Fraction(1, 10**6), Limits(600, work=20.0))
    optimum = brute_force(instance)
    assert watch.lower_bound <= optimum <= watch.best
    assert watch.best - watch.lower_bound <= watch.best * Fraction(1, 10**6)


@pytest.mark.parametrize("distinct", [True, False])
def test_a_layer_of_some_size_is_closed(distinct):
    loads = np.random.default_rng(3).lognormal(0, 1, 12).round(3)
    watch = Watch(Instance.from_loads(loads, Deployment(6, 18, distinct=distinct)), None)
    assert (watch.best - watch.lower_bound) / watch.best > Fraction(1, 1000)
    watch.run(enumerate_patterns, Fraction(1, 10**6), Limits(600, work=60.0))
    assert (watch.best - watch.lower_bound) / watch.best <= Fraction(1, 10**6)
    assert str(watch.proofs[-1]) == "fillings (checked)"


def test_limits_end_it_and_what_is_too_large_is_left_alone():
    large = Instance.from_loads(np.random.default_rng(2).lognormal(0, 1, 256), Deployment(32, 288))
    assert PatternEnumeration.within(large, 2 * large.mean_loads[0]) is None
    for instance, limits in (
        (large, Limits(60, work=1.0)),
        (Instance.from_loads([5, 3, 2, 1], Deployment(2, 6)), Limits(0.0)),
    ):
        watch = Watch(instance, None)
        before = watch.lower_bound
        watch.run(enumerate_patterns, Fraction(0), limits)
        assert watch.lower_bound == before


def test_work_is_counted_where_it_is_limited():
    instance = Instance.from_loads(np.random.default_rng(2).lognormal(0, 1, 24), Deployment(12, 36))
    watch = Watch(instance, None)
    meter = Meter(Limits(600, work=0.2))
    watch.run(lambda incumbent, _: enumerate_patterns(incumbent, meter), Fraction(0), Limits(600))
    assert meter.left().work < 0.2


def test_plan_and_bound_meet_exactly_where_floats_cannot_tell_them_apart():
    loads = np.random.default_rng(3).lognormal(0, 1, 12).round(3)
    watch = Watch(Instance.from_loads(loads, Deployment(6, 18)), None)
    meter = Meter(Limits(600, work=60.0))
    watch.run(lambda incumbent, _: enumerate_patterns(incumbent, meter), Fraction(0), Limits(600))
    assert not meter.exhausted
    assert watch.gap == 0


def test_what_the_checker_would_not_list_rests_on_the_word_of_the_search(monkeypatch):
    instance = Instance.from_loads(np.random.default_rng(3).lognormal(0, 1, 12).round(3), Deployment(6, 18))
    monkeypatch.setattr(pattern_enumeration, "_MOST_HALVES", 0)
    monkeypatch.setattr(pattern_enumeration, "check_proof", _not_called)
    watch = Watch(instance, None)
    watch.run(enumerate_patterns, Fraction(1, 10**6), Limits(600, work=60.0))
    assert str(watch.proofs[-1]) == "fillings by search (not checked)"
    assert filling_evidence(instance, watch.lower_bound, Meter(Limits(600))) is None


def test_where_limits_are_short_neither_a_program_nor_the_checker_takes_them(monkeypatch):
    monkeypatch.setattr(pattern_enumeration, "filling_weights", _not_called)
    monkeypatch.setattr(pattern_enumeration, "check_proof", _not_called)
    loads = np.random.default_rng(3).lognormal(0, 0.5, 24).round(3)
    watch = Watch(Instance.from_loads(loads, Deployment(12, 36)), None)
    watch.run(enumerate_patterns, Fraction(0), Limits(600, work=0.02))
    assert {str(proof) for proof in watch.proofs} == {"fillings by search (not checked)"}


def _not_called(*_: object) -> None:
    raise AssertionError("it was called")
