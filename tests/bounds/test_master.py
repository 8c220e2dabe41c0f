"""The master program: counts that all weightings allow, and never a plan's counts cut off."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eplb_opt.backends.limits import Limits, Meter
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.configuration import ConfigurationProgram
from eplb_opt.bounds.fillings import Fillings
from eplb_opt.bounds.master import MasterProgram
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.oracle import brute_force
from tests.strategies import instances

GLOBAL = {"hierarchical": False, "max_experts": 5, "max_gpus": 4, "max_slots": 9}


def solve(buckets, weightings):
    return MasterProgram(buckets, weightings).solve(Meter(Limits(60)))


def random_weightings(random, buckets, number):
    """Weightings from any duals, of this max load or of others: they hold for all."""
    size, found = buckets.instance.deployment.slots_per_gpu, []
    for _ in range(number):
        capacity = buckets.capacity + int(random.integers(-1, 2))
        loads = np.unique(random.integers(0, capacity + 1, 12))
        duals = random.choice([0.0, 0.3, 0.5, 1.0], loads.size) * random.choice([1.0, 1 / 3])
        found.append(Fillings.of(size, capacity, loads, duals).weighting)
    return found


@settings(max_examples=200)
@given(
    instances(**GLOBAL),
    st.sampled_from([Fraction(1), 1 + Fraction(1, 10**9), Fraction(6, 5)]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_a_max_load_that_a_plan_has_is_never_infeasible_and_counts_obey_all_rows(instance, factor, below, seed):
    optimum = brute_force(instance)
    assume(optimum > 0 and (factor > 1 or not below))
    deployment = instance.deployment
    buckets = Buckets(instance, optimum * factor, below)
    weightings = random_weightings(np.random.default_rng(seed), buckets, seed % 4)
    verdict, counts = solve(buckets, weightings)
    assert verdict == "feasible"
    least, most = buckets.ranges
    assert sum(counts) == deployment.num_slots
    assert (least <= counts).all() and (counts <= most).all()
    for weighting in weightings:
        # Rows are rounded, down: in units of 2^-20 of a filling each slot may weigh one more than its row says.
        rounded = weighting.rounded(buckets.capacity, 2**20)
        slots = [buckets.bucket(item) for item in enumerate(counts)]
        weight = (rounded.of(np.array(slots)) * counts).sum()
        assert weight <= rounded.limit * deployment.num_gpus + deployment.num_slots


@pytest.mark.parametrize(
    ("loads", "deployment"),
    [
        ([161, 0, 121], Deployment(4, 8, distinct=False)),
        ([0, 4, 4, 3, 4, 4], Deployment(4, 8, distinct=False)),
        ([116, 156, 48, 47, 0], Deployment(2, 6)),
        ([161, 24, 135, 7, 74], Deployment(3, 12)),
    ],
)
def test_counts_are_cut_off_one_by_one_until_none_are_left(loads, deployment):
    instance = Instance.from_loads(loads, deployment)
    optimum, bound = brute_force(instance), max(proof.bound for proof in quick_bounds(instance))
    buckets = Buckets(instance, (optimum + bound) / 2, below=False)
    weightings, refuted = [], set()
    while True:
        verdict, counts = solve(buckets, weightings)
        if verdict == "infeasible":
            break
        assert counts not in refuted
        refuted.add(counts)
        weighting, _ = ConfigurationProgram(replace(buckets, counts=counts)).solve(Meter(Limits(60)))
        assert weighting is not None
        weightings.append(weighting)
    assert len(refuted) > 1
    # The same weightings leave the counts of the optimum.
    assert solve(Buckets(instance, optimum, below=False), weightings)[0] == "feasible"


def test_all_counts_cut_off_is_infeasible():
    # At 20 experts have one replica each; three 12s weigh 2 and two 8s 1: 8, and three GPUs carry 6.
    instance = Instance.from_loads([12, 12, 12, 8, 8, 1], Deployment(3, 6))
    buckets = Buckets(instance, Fraction(20), below=True)
    weighting = Fillings.of_weights(2, buckets.capacity, np.array([40_000, 60_000]), np.array([1, 2])).weighting
    assert weighting.limit == 2
    assert solve(buckets, []) == ("feasible", (1, 1, 1, 1, 1, 1))
    assert solve(buckets, [weighting]) == ("infeasible", None)
    # At 20 itself a 12 and an 8 weigh 3: the weights are the same, and their limit is found anew.
    assert solve(Buckets(instance, Fraction(20), below=False), [weighting])[0] == "feasible"


def test_no_ranges_are_infeasible():
    # Strictly below 10 expert 0 needs 7 replicas, and 8 slots hold two more experts.
    buckets = Buckets(Instance.from_loads([60, 1, 1], Deployment(8, 8)), Fraction(10), below=True)
    assert solve(buckets, []) == ("infeasible", None)


def test_it_counts_its_work():
    buckets = Buckets(Instance.from_loads([32, 16, 16, 16], Deployment(3, 6)), Fraction(40), below=True)
    meter = Meter(Limits(60, work=5.0))
    assert MasterProgram(buckets, []).solve(meter)[0] == "feasible"
    assert meter.left().work < 5
