"""Rounded rows: all plans below the max load obey them, and averages of counts that are cut off do not."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.bounds.gomory_cuts import gomory_cuts
from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.pair_evidence import refuting_sum
from eplb_opt.bounds.pair_lp import PairLP
from eplb_opt.bounds.pair_model import PairModel, Row
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.two_slots import pair_slots
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force, count_vectors
from tests.strategies import instances


def obeys(counts, row, pair_model):
    items = [
        int(np.flatnonzero((pair_model.experts == e) & (pair_model.replicas == r))[0]) for e, r in enumerate(counts)
    ]
    return int(row.weights[items].sum()) <= row.right


@examples(40)
@given(instances(slots_per_gpu=2, hierarchical=False, max_experts=6, max_gpus=5, max_slots=10))
def test_counts_of_plans_below_the_max_load_obey_every_row(instance):
    optimum = brute_force(instance)
    if not optimum:
        return
    max_load = optimum * Fraction(6, 5)
    pair_model = PairModel.below(instance, max_load)
    program, meter = PairLP(pair_model), Meter(Limits(60))
    for _ in range(4):
        assert program.run(meter) is None
        rows = gomory_cuts(program, meter)
        for row in rows:
            assert row.weights @ program.values > row.right
            program.add(row)
        if not rows:
            break
    deployment = instance.deployment
    possible = 0
    for counts in count_vectors(instance.num_experts, deployment.num_slots, instance.max_replicas):
        if max_loads(pair_slots(instance, counts).tolist(), instance)[0] < max_load:
            possible += 1
            assert all(obeys(counts, row, pair_model) for row in program.rows)
    assert possible


@pytest.mark.parametrize("seed", range(6))
def test_layers_are_decided_without_a_solver_of_whole_numbers(seed):
    loads = np.random.default_rng(seed).lognormal(5, 1.0, 64).astype(int) + 1
    instance = Instance.from_loads(loads, Deployment(40, 80))
    above, below = Fraction(int(loads.sum())), Fraction(int(loads.sum()), 40)
    while True:
        verdict = PairTree(instance, above).decide(Meter(Limits(60)))
        if verdict.counts is None:
            break
        value = max_loads(pair_slots(instance, verdict.counts).tolist(), instance)[0]
        assert below <= value < above
        above = value
    assert verdict.evidence is not None


def test_no_time_is_no_verdict():
    loads = np.random.default_rng(0).lognormal(5, 1.0, 64).astype(int) + 1
    verdict = PairTree(Instance.from_loads(loads, Deployment(40, 80)), Fraction(10**6)).decide(Meter(Limits(0.0)))
    assert verdict.evidence is None


def test_sums_beyond_64_bits_are_no_evidence():
    # All plans obey the row, as they fill the slots; its sum with a multiplier of 2**30 wraps round to nothing.
    instance = Instance.from_loads([5, 4, 3], Deployment(2, 4))
    pair_model = PairModel.below(instance, Fraction(10))
    program = PairLP(pair_model)
    program.add(Row(-pair_model.replicas << 34, -pair_model.slots << 34, {"multipliers": [], "slots": 0, "bases": []}))
    multipliers = np.zeros(len(program.rows))
    multipliers[-1] = 1.0
    assert refuting_sum(program, multipliers, pair_model.ranges) is None
