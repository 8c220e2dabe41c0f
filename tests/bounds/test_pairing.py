"""Two slots per GPU: rows of pairs agree with brute force, and their counts become plans."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.bounds import pairing
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.pair_model import PairModel, pairing_applies
from eplb_opt.bounds.pairing import prove_by_pairs
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.two_slots import pair_slots, two_slots_apply
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.verify import max_loads, verify
from tests.examples import examples
from tests.oracle import brute_force, count_vectors, fold_optimum
from tests.pair_cpsat import ask_cpsat
from tests.strategies import instances
from tests.watch import Watch

TWO = {"slots_per_gpu": 2, "hierarchical": False, "max_experts": 6, "max_gpus": 5, "max_slots": 10}


def value(slots, instance):
    return max_loads(list(slots), instance)[0]


def closed(instance, target_gap=Fraction(0)):
    """Value and bound after closing from greedy."""
    watch = Watch(instance, None)
    met = watch.run(prove_by_pairs, target_gap, Limits(60))
    return met, watch.best, watch.lower_bound


@examples(50)
@given(instances(**TWO))
def test_the_optimum_is_that_of_brute_force(instance):
    optimum = brute_force(instance)
    assert closed(instance) == (True, optimum, optimum)


@examples(30)
@given(instances(**TWO, distinct=False))
def test_copies_may_share_a_gpu_as_folding_says(instance):
    optimum = fold_optimum(instance)
    assert closed(instance) == (True, optimum, optimum)


def by_cpsat(instance, max_load):
    """Counts of a plan below a max load; ``None`` if there are none."""
    pair_model = PairModel.below(instance, Fraction(max_load))
    verdict, counts, _ = ask_cpsat(pair_model, Limits(60)) if pair_model else ("infeasible", None, 0.0)
    assert verdict == ("infeasible" if counts is None else "feasible")
    return counts


def test_distinct_replicas_need_the_spread_rows():
    # Folding gives 61: 61 alone against nothing above it; parting the two copies of an expert costs 4.
    loads = [20, 21, 69, 61]
    for distinct, optimum in ((False, 61), (True, 65)):
        instance = Instance.from_loads(loads, Deployment(3, 6, distinct=distinct))
        assert closed(instance) == (True, optimum, optimum)
        assert by_cpsat(instance, optimum) is None
        assert by_cpsat(instance, optimum + Fraction(1, 100)) is not None


@examples(60)
@given(instances(**TWO), st.data())
def test_counts_are_feasible_exactly_if_a_plan_with_them_stays_below(instance, data):
    optimum = brute_force(instance)
    top = optimum * data.draw(st.sampled_from([Fraction(9, 10), Fraction(1), Fraction(1001, 1000), Fraction(11, 10)]))
    counts = by_cpsat(instance, top) if top else None
    assert (counts is not None) == (optimum < top)
    if counts:
        slots = pair_slots(instance, counts)
        assert np.bincount(slots, minlength=instance.num_experts).tolist() == counts
        assert value(slots, instance) < top


def test_pairs_of_one_expert_are_parted_wherever_they_meet():
    # Equal loads: in the sorted list copies of one expert stand next to each other, in the middle with themselves.
    for num_experts in range(2, 6):
        for counts in count_vectors(num_experts, 10, 5):
            loads = [count * 6 for count in counts]
            instance = Instance.from_loads(loads, Deployment(5, 10))
            slots = pair_slots(instance, counts)
            assert verify(Plan(slots[np.newaxis], instance.deployment, num_experts)) == []


def test_a_gap_that_is_enough_ends_it():
    # Optimum 65, bound 57: a gap of 8 / 65, less than a seventh and more than a ninth.
    instance = Instance.from_loads([20, 21, 69, 61], Deployment(3, 6))
    best = value(greedy(instance), instance)
    assert closed(instance, target_gap=Fraction(1, 7)) == (True, best, Fraction(57))
    assert closed(instance, target_gap=Fraction(1, 9)) == (True, 65, 65)


def test_no_time_keeps_what_is_known():
    instance = Instance.from_loads(np.random.default_rng(0).integers(1, 10**6, 200), Deployment(120, 240))
    watch = Watch(instance, None)
    assert not watch.run(prove_by_pairs, Fraction(0), Limits(0.0))
    assert (watch.plans, watch.proofs) == ([], [])


def test_it_applies_to_two_slots_on_one_node():
    for deployment, applies in (
        (Deployment(4, 8), True),
        (Deployment(4, 12), False),
        (Deployment(4, 8, 2, 2), False),
        (Deployment(4, 8, 2, 2, policy="global"), True),
    ):
        assert two_slots_apply(Instance.from_loads([1] * 6, deployment)) is applies


def test_solve_closes_layers_of_two_slots_and_names_the_argument():
    loads = np.random.default_rng(1).lognormal(0, 0.8, (2, 48)).round(3)
    solution = eplb_opt.solve(loads, Deployment(32, 64), time_limit=60)
    assert solution.worst_gap <= Fraction(1, 10**4)
    assert {layer.proof.argument for layer in solution.layers} <= {"pairing", "slack", "adams", "mean"}
    assert {layer.proof.by for layer in solution.layers} == {""}
    assert any(layer.proof.argument == "pairing" for layer in solution.layers)


def test_a_deterministic_pairing_is_the_same_twice():
    loads = np.random.default_rng(2).lognormal(0, 1.0, (2, 64))
    options = {"target_gap": 0, "deterministic": True, "time_limit": 2.0}
    plans = [eplb_opt.solve(loads, Deployment(48, 96), workers=workers, **options).plan for workers in (1, 2)]
    assert plans[0] == plans[1]


def test_recorded_layers_are_closed(shared_data):
    loads = eplb_opt.read_loads(shared_data / "deepseek-v3" / "decode_in2000out100.json")
    few = eplb_opt.Loads(loads.values[:, ::10], loads.layer_ids[::10])
    solution = eplb_opt.solve(few, Deployment(144, 288), time_limit=30)
    assert solution.worst_gap <= Fraction(1, 1000)


@pytest.mark.slow
def test_every_recorded_layer_is_closed(shared_data):
    loads = eplb_opt.read_loads(shared_data / "deepseek-v3" / "decode_in2000out100.json")
    assert eplb_opt.solve(loads, Deployment(144, 288), time_limit=100).worst_gap <= Fraction(1, 1000)


def test_counts_that_are_too_many_for_programs_are_searched():
    # 512 experts, each with up to about 250 replicas: 130,000 counts.
    loads = generate_loads(num_experts=512, num_layers=1, skew=0.8, seed=1).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(512, 1024))
    before = value(greedy(instance), instance)
    assert not pairing_applies(instance, before)
    watch = Watch(instance, None)
    watch.run(prove_by_pairs, Fraction(0), Limits(60.0, work=1.0))
    assert watch.best < before


@pytest.mark.parametrize(("experts", "share"), [(128, 0.5), (64, 0.0)])
def test_a_search_of_counts_has_half_of_the_time_where_counts_can_be_many(experts, share, monkeypatch):
    spent = []

    class Search:
        def __init__(self, incumbent, seed):
            pass

        def run(self, meter):
            spent.append(meter.left().work)
            meter.spend(spent[-1])

    class Tree:
        given_up = False

        def __init__(self, instance, max_load):
            self.max_load = max_load

        def decide(self, meter):
            meter.spend(meter.left().work)
            return Feasibility()

    monkeypatch.setattr(pairing, "CountSearch", Search)
    monkeypatch.setattr(pairing, "PairTree", Tree)
    loads = generate_loads(num_experts=experts, num_layers=1, skew=1, seed=1).values[0, 0]
    instance = Instance.from_loads(loads, Deployment(experts, 2 * experts))
    assert pairing_applies(instance, value(greedy(instance), instance))
    incumbent = Incumbent(instance)
    incumbent.offer_proof(Proof("mean", instance.mean_loads[0], checked=True))
    incumbent.offer_plan(greedy(instance), "greedy")
    prove_by_pairs(incumbent, Meter(Limits(600.0, work=20.0)))
    assert sum(spent) == pytest.approx(20.0 * share, rel=0.3)


def test_layers_of_too_many_counts_go_from_annealing_to_a_search_of_counts():
    loads = generate_loads(num_experts=512, num_layers=1, skew=0.8, seed=1)
    solution = eplb_opt.solve(loads, Deployment(512, 1024), time_limit=4.0, target_gap=0, deterministic=True)
    assert set(solution.layers[0].work) == {"start", "search", "pairing"}
