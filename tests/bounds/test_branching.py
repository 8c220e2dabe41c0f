"""Splits: they refute what is refuted for all counts one by one, and their certificates hold."""

from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eplb_opt.bounds import decomposition
from eplb_opt.bounds.branching import refute_by_branching
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.decomposition import prove_by_dual_functions
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from tests.examples import examples
from tests.oracle import brute_force, count_vectors
from tests.strategies import instances
from tests.watch import Watch

GLOBAL = {"hierarchical": False, "max_experts": 5, "max_gpus": 4, "max_slots": 12}
# Half of one count and half of another of these fit below the optimum, so no single dual refutes it.
MIXED = Instance.from_loads([1, 3, 1, 1, 2, 3], Deployment(3, 9, distinct=False))


# Max loads are multiples of 1 / 60, so that what is not reached at this one is the optimum.
NEARLY = Fraction(22999, 6000)
PLENTY = Limits(60)


def refute(buckets, most_parts=1000, limits=PLENTY):
    return refute_by_branching(ConfigurationLP(buckets), most_parts, Meter(limits))


def proven(evidence, bound, instance):
    tokens = [weight * instance.unit for weight in instance.weights[0]]
    return check({**evidence, "bound": str(bound)}, [tokens], asdict(instance.deployment)) == bound


@examples(30)
@given(instances(**GLOBAL), st.sampled_from([Fraction(k, 10) for k in range(1, 12)]))
def test_all_counts_are_refuted_exactly_if_each_by_itself_is(instance, part):
    optimum, bound = brute_force(instance), max(proof.bound for proof in quick_bounds(instance))
    assume(optimum > 0)
    max_load, below = bound + part * (optimum - bound), part == 1
    buckets = Buckets(instance, max_load, below)
    assume(buckets.ranges[0].size)
    verdict = refute(buckets)
    program, (least, most) = ConfigurationLP(buckets), buckets.ranges
    each = [
        np.array(counts)
        for counts in count_vectors(instance.num_experts, instance.deployment.num_slots, instance.max_replicas)
        if (least <= counts).all() and (counts <= most).all()
    ]
    alone = [program.solve(Meter(PLENTY), (counts, counts))[0] is not None for counts in each]
    assert (verdict.evidence is not None) == all(alone)
    if verdict.evidence is not None:
        assert part <= 1
        assert proven(verdict.evidence, max_load if below else instance.next_max_load(max_load), instance)
    else:
        assert sum(verdict.counts) == instance.deployment.num_slots
        assert (least <= verdict.counts).all() and (verdict.counts <= most).all()


def test_parts_are_refuted_where_the_whole_is_not():
    optimum = brute_force(MIXED)
    assert optimum == MIXED.next_max_load(NEARLY)
    evidence = refute(Buckets(MIXED, NEARLY, below=False)).evidence
    assert evidence["argument"] == "weightings"
    assert sum(len(part) == 1 for part in evidence["parts"]) == sum(len(part) == 2 for part in evidence["parts"]) + 1
    assert proven(evidence, optimum, MIXED)


def test_too_few_parts_or_no_time_are_no_verdict():
    buckets = Buckets(MIXED, NEARLY, below=False)
    for options in ({"most_parts": 1}, {"limits": Limits(0.0)}, {"limits": Limits(60, work=0.0)}):
        verdict = refute(buckets, **options)
        assert (verdict.counts, verdict.evidence) == (None, None)


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_certificate_without_one_of_its_parts_is_refused(place):
    evidence = dict(refute(Buckets(MIXED, NEARLY, below=False)).evidence)
    parts = list(evidence["parts"])
    del parts[place]
    with pytest.raises(CertificateError):
        proven({**evidence, "parts": parts}, brute_force(MIXED), MIXED)


@pytest.mark.parametrize(
    ("work", "gap"), [(4.0, Fraction(17, 10000)), pytest.param(12.0, Fraction(13, 10000), marks=pytest.mark.slow)]
)
def test_parts_of_the_counts_of_hot_experts_take_the_bound_far_above_one_weighting(work, gap):
    loads = generate_loads(num_experts=32, num_layers=1, skew=1.6, seed=48).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(16, 48))
    watch = Watch(instance, None)
    watch.run(prove_by_dual_functions, Fraction(0), Limits(600, work=work))
    # By one dual function for all counts it is 2.0e-3.
    assert watch.gap < gap
    assert any(proof.argument == "weightings" and proof.certified for proof in watch.proofs)


def test_a_linear_program_that_was_cut_off_says_nothing():
    loads = generate_loads(num_experts=32, num_layers=1, skew=1.6, seed=48).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(16, 48))
    bound = max(proof.bound for proof in quick_bounds(instance))
    # In a tenth of a second one dual refutes it.
    assert refute(Buckets(instance, bound, below=True), limits=Limits(0.01)).counts is None


@pytest.mark.parametrize("seed", range(3))
def test_what_is_refuted_is_not_asked_again_where_questions_are_given_up(seed, monkeypatch):
    random = np.random.default_rng(seed)
    loads = [18, 78, 18, 9, 4, 20, 3, 22, 6, 6, 7, 8, 4, 1, 43, 8, 166, 8, 14]
    instance = Instance.from_loads(loads, Deployment(8, 24))
    watch = Watch(instance, None)

    def often(program, most_parts, meter):
        assert program.buckets.max_load > watch.lower_bound
        meter.spend(0.01)
        return Feasibility() if random.random() < 0.3 else refute_by_branching(program, most_parts, meter)

    monkeypatch.setattr(decomposition, "refute_by_branching", often)
    monkeypatch.setattr(decomposition, "enumerate_patterns", lambda incumbent, meter: None)
    watch.run(prove_by_dual_functions, Fraction(0), Limits(60, work=1.0))
