"""Pairs: they prove optima and nothing above, and rows that make no sense are refused."""

import json
from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.bounds import pair_branching
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.two_slots import pair_slots
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.verify import max_loads
from tests.certificates.proving import proves, tokens
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import SMALL, TOKENS, instances


@examples(25)
@given(instances(kinds=(SMALL, TOKENS), max_experts=6, max_gpus=5, max_slots=10, slots_per_gpu=2, hierarchical=False))
def test_pairs_prove_optima_and_nothing_above_them(instance):
    optimum = brute_force(instance)
    if not optimum:
        return
    verdict = PairTree(instance, optimum).decide(Meter(Limits(20.0, 1, 0)))
    assert verdict.counts is None
    if verdict.evidence is not None:
        evidence = json.loads(json.dumps(verdict.evidence))
        assert proves(evidence, optimum, instance)
        assert not proves(evidence, optimum * Fraction(1001, 1000), instance)
    above = PairTree(instance, optimum * Fraction(1001, 1000)).decide(Meter(Limits(20.0, 1, 0)))
    assert above.evidence is None
    if above.counts is not None:
        assert (
            optimum
            <= max_loads(pair_slots(instance, above.counts).tolist(), instance)[0]
            < optimum * Fraction(1001, 1000)
        )


# Loads, and a max load below which there is no plan, at which evidence spoke of counts that the checker excludes before
# it looks: a slot would be left with the lightest possible partner exactly at this max load, and not below it.
EXCLUDED_COUNTS = [
    # 29 on five GPUs, so that 6 is the first whole max load.
    ([5, 5, 9, 10], Fraction(6)),
    ([673589, 355872, 709141, 113373], Fraction(1892733, 5)),
]


@pytest.mark.parametrize(("loads", "max_load"), EXCLUDED_COUNTS)
def test_evidence_of_pairs_speaks_of_counts_that_the_checker_knows(loads, max_load):
    instance = Instance.from_loads(loads, Deployment(5, 10, distinct=False))
    verdict = PairTree(instance, max_load).decide(Meter(Limits(20.0, 1, 0)))
    assert max_load <= brute_force(instance)
    assert proves(verdict.evidence, max_load, instance)


@examples(30)
@given(
    instances(kinds=(SMALL, TOKENS), max_experts=6, max_gpus=5, max_slots=10, slots_per_gpu=2, hierarchical=False),
    st.data(),
)
def test_evidence_of_pairs_is_accepted_at_whatever_max_load(instance, data):
    item = st.tuples(st.sampled_from(tokens(instance)), st.integers(1, instance.max_replicas))
    # What two slots can carry, at which strictly below and at most are not the same.
    max_load = sum(load / count for load, count in data.draw(st.tuples(item, item))) or Fraction(1)
    verdict = PairTree(instance, max_load).decide(Meter(Limits(20.0, 1, 0)))
    if verdict.evidence is not None:
        assert proves(json.loads(json.dumps(verdict.evidence)), max_load, instance)
        assert max_load <= brute_force(instance)
    elif verdict.counts is not None:
        assert max_loads(pair_slots(instance, verdict.counts).tolist(), instance)[0] < max_load


@examples(25)
@given(
    instances(kinds=(SMALL, TOKENS), max_experts=6, max_gpus=5, max_slots=10, slots_per_gpu=2, hierarchical=False),
    st.integers(0, 1),
)
def test_parts_of_counts_prove_what_brute_force_says(instance, rounds):
    optimum = brute_force(instance)
    if not optimum:
        return
    # With few cuts, or none, counts have to be divided.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_branching, "_ROUNDS", rounds)
        patch.setattr(pair_branching, "_ROUNDS_OF_PART", rounds)
        evidence = PairTree(instance, optimum).decide(Meter(Limits(20.0, 1, 0))).evidence
        above = PairTree(instance, optimum * Fraction(1001, 1000)).decide(Meter(Limits(20.0, 1, 0)))
    assert proves(json.loads(json.dumps(evidence)), optimum, instance)
    assert not proves(evidence, optimum * Fraction(1001, 1000), instance)
    assert max_loads(pair_slots(instance, above.counts).tolist(), instance)[0] < optimum * Fraction(1001, 1000)


@pytest.fixture(scope="module")
def divided():
    """A layer whose counts have to be divided, its optimum, and the evidence for that."""
    loads = np.random.default_rng(4).lognormal(5, 0.5, 24).astype(int) + 1
    instance = Instance.from_loads(loads, Deployment(16, 32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_branching, "_ROUNDS", 0)
        patch.setattr(pair_branching, "_ROUNDS_OF_PART", 0)
        optimum = eplb_opt.solve(loads[None], Deployment(16, 32), target_gap=0).layers[0].max_load
        evidence = PairTree(instance, optimum).decide(Meter(Limits(60.0))).evidence
    assert len(evidence["parts"]) > 2
    return instance, optimum, evidence


def test_without_room_for_cuts_counts_are_divided(divided, monkeypatch):
    instance, optimum, _ = divided
    monkeypatch.setattr(pair_branching, "_MOST_NUMBERS", 0)
    evidence = PairTree(instance, optimum).decide(Meter(Limits(60.0))).evidence
    assert evidence["rounded"] == []
    assert len(evidence["parts"]) > 2
    assert proves(evidence, optimum, instance)


def test_what_takes_too_long_to_check_is_given_up(divided, monkeypatch):
    instance, optimum, _ = divided
    monkeypatch.setattr(pair_branching, "_MOST_NUMBERS", 0)
    monkeypatch.setattr(pair_branching, "_MOST_OPTIONS", 0)
    tree = PairTree(instance, optimum)
    assert tree.decide(Meter(Limits(60.0))) == Feasibility()
    assert tree.given_up


def test_every_part_of_the_counts_needs_its_sum(divided):
    instance, optimum, evidence = divided
    assert proves(evidence, optimum, instance)
    parts = evidence["parts"]
    sums = [place for place, said in enumerate(parts) if isinstance(said, dict) and (said["rows"] or said["cuts"])]
    for place in sums:
        assert not proves({**evidence, "parts": [*parts[:place], *parts[place + 1 :]]}, optimum, instance)
        empty = {"rows": [], "cuts": []}
        assert not proves({**evidence, "parts": [*parts[:place], empty, *parts[place + 1 :]]}, optimum, instance)
    assert not proves({**evidence, "parts": [*parts, parts[-1]]}, optimum, instance)
    assert not proves({**evidence, "parts": []}, optimum, instance)


@pytest.mark.parametrize("split", [[-1, 1], [99, 1], [0, -1], [0, 1.5], ["0", 1], [True, 1]], ids=str)
def test_parts_are_divided_by_an_expert_and_a_number(divided, split):
    instance, optimum, evidence = divided
    with pytest.raises(CertificateError, match="a part is divided by something else than natural numbers"):
        check(
            {**evidence, "parts": [split, *evidence["parts"]], "bound": str(optimum)},
            [tokens(instance)],
            asdict(instance.deployment),
        )


def test_a_base_that_is_none_of_the_counts_is_told():
    row = {"rows": [[0, 1, 1]], "cuts": [], "slots": 0, "bases": [[0, 5]]}
    argument = {"argument": "pairs", "rows": [], "cuts": [[0, 1]], "rounded": [row], "divisor": 2, "margin": 0}
    with pytest.raises(CertificateError, match="the base of expert 0, 5 replicas, is none of its counts"):
        check({**argument, "bound": "6"}, [[5, 5, 9, 10]], asdict(Deployment(5, 10, distinct=False)))


@pytest.fixture(scope="module")
def paired():
    """A layer of two slots per GPU, its optimum above the instant bounds, and what proves it, with rounded rows."""
    for seed in range(50):
        loads = np.random.default_rng(seed).lognormal(5, 1.0, 48).astype(int) + 1
        instance = Instance.from_loads(loads, Deployment(32, 64))
        (layer,) = eplb_opt.solve([loads], Deployment(32, 64), time_limit=5.0, target_gap=0).layers
        if layer.proof.argument == "pairing" and (layer.proof.evidence or {}).get("rounded"):
            return instance, layer.proof
    raise AssertionError("no proof with rounded rows was found")


def test_pairs_are_accepted_and_tampered_ones_refused(paired):
    instance, proof = paired
    assert proof.checked
    assert proof.bound > max(quick.bound for quick in quick_bounds(instance))
    evidence = json.loads(json.dumps(proof.evidence))
    assert proves(evidence, proof.bound, instance)
    assert not proves(evidence, proof.bound * Fraction(1001, 1000), instance)
    rounded = len(evidence["rounded"])
    wrong = [
        {"rows": [], "cuts": []},
        {"rows": [[instance.num_experts, 1, 1]]},
        {"rows": [[0, 1, -1]]},
        {"cuts": [[rounded, 1]]},
        {"cuts": [[0, -1]]},
        {"rounded": []},
        {"divisor": 0},
        {"divisor": -evidence["divisor"]},
        {"margin": -1},
        {"margin": 2**63},
        {"margin": evidence["divisor"]},
    ]
    for change in wrong:
        if change.keys() & {"rows", "cuts"} and "parts" in evidence:
            parts = [{**said, **change} if isinstance(said, dict) else said for said in evidence["parts"]]
            assert not proves({**evidence, "parts": parts}, proof.bound, instance)
        else:
            assert not proves({**evidence, **change}, proof.bound, instance)
    first = evidence["rounded"][0]
    for change in ({"cuts": [[0, 1]]}, {"rows": []}, {"bases": [[0, 0]]}, {"bases": [[0, 10**6]]}, {"slots": 2**62}):
        changed = [{**first, **change}, *evidence["rounded"][1:]]
        assert not proves({**evidence, "rounded": changed}, proof.bound, instance)


def test_pairs_are_for_two_slots_that_take_any_expert():
    argument = {"argument": "pairs", "rows": [[0, 1, 1]], "cuts": [], "rounded": [], "divisor": 1, "margin": 0}
    for deployment in (Deployment(2, 6), Deployment(2, 4, 2, 2)):
        assert not proves(argument, Fraction(10**6), Instance.from_loads([6, 5, 4, 3], deployment))
