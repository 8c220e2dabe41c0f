"""Fillings as a certificate: they refute what is below the optimum and nothing else, by a search and by weights."""

from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.filling_weights import filling_weights
from eplb_opt.bounds.pattern_enumeration import PatternEnumeration, filling_evidence
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.fillings import refutes_by_fillings
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import DYADIC, HUGE, SMALL, TOKENS, instances

ABOVE = Fraction(10**12 + 1, 10**12)
TENS = Instance.from_loads([10] * 7, Deployment(3, 9))


def checked(instance, bound, **certificate):
    loads = [weight * instance.unit for weight in instance.weights[0]]
    certificate = {"argument": "fillings", **certificate, "bound": str(bound)}
    return check(certificate, [loads], asdict(instance.deployment))


@examples(60)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS, HUGE, DYADIC)))
def test_a_search_through_fillings_proves_the_optimum_and_nothing_above_it(instance):
    optimum = brute_force(instance)
    assert checked(instance, optimum) == optimum
    with pytest.raises(CertificateError, match="does not prove its bound"):
        checked(instance, optimum * ABOVE or Fraction(1, 10**12))


@examples(60)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS)), st.data())
def test_no_weights_prove_more_than_the_optimum(instance, data):
    above = brute_force(instance) * ABOVE or Fraction(1, 10**12)
    counts = range(1, instance.max_replicas + 1)
    rows = [[e, r, data.draw(st.integers(-3, 9))] for e in range(instance.num_experts) for r in counts]
    with pytest.raises(CertificateError, match="does not prove its bound"):
        checked(instance, above, weights=rows)


@examples(40)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS)), st.sampled_from([Fraction(99, 100), Fraction(9, 10)]))
def test_weights_that_are_found_are_accepted(instance, part):
    if instance.deployment.slots_per_gpu == 1 or not any(instance.weights[0]):
        return
    bound = brute_force(instance) * part
    patterns = PatternEnumeration.within(instance, bound)
    if patterns is None or not len(patterns.patterns):
        return
    meter = Meter(Limits(60.0))
    weights = filling_weights(patterns.experts, patterns.replicas, patterns.patterns, meter)
    if weights is not None:
        assert checked(instance, bound, weights=weights) == bound


@examples(25)
@given(instances(hierarchical=False))
def test_evidence_is_found_for_the_optimum_and_for_nothing_above_it(instance):
    if instance.deployment.slots_per_gpu == 1:
        return
    optimum = brute_force(instance)
    evidence = filling_evidence(instance, optimum, Meter(Limits(60.0))) if optimum else None
    if evidence is not None:
        assert checked(instance, optimum, **evidence) == optimum
    assert not optimum or filling_evidence(instance, optimum * Fraction(101, 100), Meter(Limits(60.0))) is None


def test_a_layer_is_refuted_by_weights():
    # All 18 slots are taken. Of 13 heavy experts three are on some one of the six GPUs: at least 300.
    loads = [100 + k for k in range(13)] + [1 + k for k in range(5)]
    instance = Instance.from_loads(loads, Deployment(6, 18))
    optimum = Fraction(300)
    patterns = PatternEnumeration.within(instance, optimum)
    weights = filling_weights(patterns.experts, patterns.replicas, patterns.patterns, Meter(Limits(60.0)))
    assert weights is not None
    assert checked(instance, optimum, weights=weights) == optimum


@pytest.mark.parametrize(
    "weights", [[[0, 1, 0.5]], [[0, 1, 2**50]], [[0, 1]], [["0", 1, 1]], [[0, True, 1]], 5, None, [5], "weights"]
)
def test_forged_weights_are_no_certificate(weights):
    with pytest.raises(CertificateError):
        checked(TENS, Fraction(25), weights=weights)


def test_fillings_are_of_one_node_and_not_too_many():
    with pytest.raises(CertificateError, match="of one node"):
        checked(Instance.from_loads([3, 5, 2, 4], Deployment(4, 8, 2, 4)), Fraction(4))
    loads = np.random.default_rng(0).lognormal(0, 1, 256).round(3)
    many = Instance.from_loads(loads, Deployment(32, 288))
    with pytest.raises(CertificateError, match=r"too (many patterns|long to check)"):
        checked(many, many.mean_loads[0] * Fraction(1001, 1000))
    hard = Instance.from_loads((loads[:64] * 100).round(), Deployment(32, 96))
    layer = Layer.of(hard.weights[0], hard.deployment.facts, hard.unit)
    with pytest.raises(CertificateError, match="too long to check"):
        refutes_by_fillings({}, layer, layer.below(slightly_above(hard)), WorkLimit(10**8))


def slightly_above(instance):
    """A little above what counts and mean allow."""
    return max(proof.bound for proof in quick_bounds(instance)) * Fraction(10001, 10000)
