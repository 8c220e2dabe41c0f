"""The configuration program: what it refutes has no plan, and what it covers, it covers by patterns."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import instances

GLOBAL = {"hierarchical": False, "max_experts": 5, "max_gpus": 4, "max_slots": 9}
PLENTY = Limits(60)


def solve(buckets, patterns=()):
    return ConfigurationLP(buckets, list(patterns)).solve(Meter(PLENTY))


@examples(60)
@given(instances(**GLOBAL), st.sampled_from([Fraction(1), 1 + Fraction(1, 10**9), Fraction(6, 5)]))
def test_the_max_load_of_a_plan_is_not_refuted(instance, factor):
    optimum = brute_force(instance)
    assume(optimum > 0)
    assert solve(Buckets(instance, optimum * factor, below=False)) == (None, True)
    if factor > 1:
        assert solve(Buckets(instance, optimum * factor, below=True)) == (None, True)


@examples(60)
@given(instances(**GLOBAL), st.sampled_from([Fraction(k, 10) for k in range(1, 11)]))
def test_what_is_refuted_is_below_the_optimum_and_every_other_max_load_is_covered(instance, part):
    optimum, bound = brute_force(instance), max(proof.bound for proof in quick_bounds(instance))
    assume(optimum > 0)
    # From the instant bound to the optimum, where only what is strictly below it can be refuted.
    buckets = Buckets(instance, bound + part * (optimum - bound), below=part == 1)
    assume(buckets.ranges[0].size)
    dual, solved = solve(buckets)
    assert (dual is None) == solved
    if dual is not None:
        assert buckets.excludes(dual)
    else:
        check_cover(buckets)


def check_cover(buckets):
    """The solution of a program that has one: counts within the ranges, patterns within the capacity."""
    program = ConfigurationLP(buckets)
    program.solve(Meter(PLENTY))
    least, most = buckets.ranges
    counts = program.counts()
    assert (counts >= least - 1e-6).all() and (counts <= most + 1e-6).all()
    assert counts.sum() == pytest.approx(buckets.instance.deployment.num_slots)
    for pattern in program.used():
        assert len(pattern) <= buckets.instance.deployment.slots_per_gpu
        assert sum(buckets.bucket(item) for item in pattern) <= buckets.capacity


# Both with as many slots as experts, so all counts are 1, and with optima that divide the capacity. Two of three GPUs
# pair a 12 with an 8: 20, where the mean is 53 / 3. With three slots one of three GPUs has two of the four 9s, and a 2:
# 20 again, where the mean is 46 / 3.
PAIRS = Instance.from_loads([12, 12, 12, 8, 8, 1], Deployment(3, 6))
TRIPLES = Instance.from_loads([9, 9, 9, 9, 2, 2, 2, 2, 2], Deployment(3, 9))


@pytest.mark.parametrize("instance", [PAIRS, TRIPLES])
def test_all_below_the_optimum_is_refuted_where_no_mixture_helps(instance):
    assert brute_force(instance) == 20
    for max_load, below in ((20, True), (19, False), (18, False)):
        dual, solved = solve(Buckets(instance, Fraction(max_load), below))
        assert dual is not None and not solved
    assert solve(Buckets(instance, Fraction(20), below=False)) == (None, True)


def test_counts_are_refuted_where_other_counts_would_do():
    # One replica of 32 meets at least one of 8: 40. Two replicas of it leave 32 = 16 + 16 on each GPU.
    instance = Instance.from_loads([32, 16, 16, 16], Deployment(3, 6))
    one, two = np.array([1, 2, 2, 1]), np.array([2, 2, 1, 1])

    def alone(counts, max_load, below=False):
        return ConfigurationLP(Buckets(instance, Fraction(max_load), below)).solve(Meter(PLENTY), (counts, counts))

    assert alone(one, 40) == (None, True)
    assert alone(one, 40, below=True)[0] is not None
    assert alone(two, 32) == (None, True)
    assert solve(Buckets(instance, Fraction(32), False)) == (None, True)
    # One program is asked about one part after the other.
    program = ConfigurationLP(Buckets(instance, Fraction(40), below=True))
    for counts, refuted in ((two, False), (one, True), (two, False), (one, True)):
        assert (program.solve(Meter(PLENTY), (counts, counts))[0] is not None) == refuted


@examples(30)
@given(instances(**GLOBAL), st.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(2)]))
def test_patterns_of_another_max_load_change_nothing(instance, factor):
    optimum = brute_force(instance)
    assume(optimum > 0)
    other = Buckets(instance, optimum * factor, below=False)
    assume(other.ranges[0].size)
    program = ConfigurationLP(other)
    program.solve(Meter(PLENTY))
    assert solve(Buckets(instance, optimum, below=False), program.used()) == (None, True)
    again = ConfigurationLP(other, program.used())
    assert (again.solve(Meter(PLENTY))[0] is None) == (program.solve(Meter(PLENTY))[0] is None)


def test_patterns_that_do_not_fit_are_not_taken_up():
    # Three GPUs with the loads of the optimum, two of them at 20, and one pattern of an expert that is not there twice.
    optimal = [((0, 1), (3, 1)), ((1, 1), (4, 1)), ((2, 1), (5, 1)), ((0, 2), (1, 2))]
    dual, _ = solve(Buckets(PAIRS, Fraction(20), below=True), optimal)
    assert dual is not None
    program = ConfigurationLP(Buckets(PAIRS, Fraction(20), below=False), optimal)
    assert program.solve(Meter(PLENTY)) == (None, True)
    assert set(optimal[:2]) <= {tuple(sorted(pattern)) for pattern in program.used()} | set(optimal[:2])


def test_an_exhausted_meter_says_nothing():
    for limits in (Limits(0.0), Limits(60, work=0.0)):
        assert ConfigurationLP(Buckets(PAIRS, Fraction(19), False)).solve(Meter(limits)) == (None, False)


def test_it_counts_its_work():
    meter = Meter(Limits(60, work=10.0))
    ConfigurationLP(Buckets(PAIRS, Fraction(20), below=True)).solve(meter)
    assert 0 < meter.left().work < 10


@given(instances(hierarchical=False), st.integers(0, 2**32 - 1))
def test_whole_counts_fill_the_slots_within_the_ranges_however_wrong_the_shares_are(instance, seed):
    (worst,) = max_loads(greedy(instance).tolist(), instance)
    assume(worst > 0)
    program = ConfigurationLP(Buckets(instance, worst, below=False))
    least, most = program.buckets.ranges
    program.values[:] = np.random.default_rng(seed).uniform(0, 1, program.values.size)
    counts = program.whole_counts()
    assert counts.sum() == instance.deployment.num_slots
    assert (counts >= least).all() and (counts <= most).all()
