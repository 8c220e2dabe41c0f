"""Weightings: genuine ones are accepted, tampered ones are not, and every part of the counts needs one."""

import copy
import json
from dataclasses import asdict
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.decomposition import Decomposition
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.weighting import heaviest_pattern
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.proof import strongest
from tests.certificates.proving import proves, tokens
from tests.examples import examples
from tests.oracle import brute_force


@pytest.fixture(scope="module")
def weighting():
    """A layer, and a weighting that proves a bound above the instant ones, in its certificate."""
    for seed in range(50):
        loads = np.random.default_rng(seed).lognormal(4, 1.2, 8).astype(int) + 1
        instance = Instance.from_loads(loads, Deployment(4, 12))
        found = weightings_of(instance)
        if found:
            return instance, found[-1]
    raise AssertionError("no weighting was found")


def weightings_of(instance):
    proofs = []
    known = strongest(*quick_bounds(instance))
    slots = greedy_plus_swap(instance, 10_000)
    incumbent = Incumbent(instance, tell=lambda found: proofs.append(found.proof))
    incumbent.offer_proof(known)
    incumbent.offer_plan(slots, "start")
    Decomposition(incumbent, Meter(Limits(20.0, 1, 0))).run()
    return [proof for proof in proofs if proof is not None and proof.argument == "weighting"]


@examples(60)
@given(st.dictionaries(st.integers(0, 14), st.integers(0, 40), max_size=4), st.integers(1, 4), st.integers(0, 12))
def test_the_heaviest_pattern_is_that_of_all_patterns(weights, size, capacity):
    starts = sorted(weights)
    patterns = [chosen for used in range(size + 1) for chosen in combinations_with_replacement(starts, used)]
    heaviest = max(sum(weights[start] for start in chosen) for chosen in patterns if sum(chosen) <= capacity)
    assert heaviest_pattern(starts, [weights[start] for start in starts], size, capacity) == heaviest


def test_a_weighting_is_accepted(weighting):
    instance, proof = weighting
    assert proof.bound > max(quick.bound for quick in quick_bounds(instance))
    evidence = json.loads(json.dumps(proof.evidence))
    assert proves(evidence, proof.bound, instance)
    assert proof.bound <= brute_force(instance)


def test_a_tampered_weighting_is_refused(weighting):
    instance, proof = weighting
    higher = proof.bound * Fraction(1002, 1000)
    assert not proves(proof.evidence, higher, instance)
    heavy = copy.deepcopy(dict(proof.evidence))
    # The lightest bucket weighs a hundred times as much: patterns of it are the heaviest then.
    heavy["weights"] = [100 * heavy["weights"][-1]] * len(heavy["weights"])
    assert not proves(heavy, proof.bound, instance)
    light = copy.deepcopy(dict(proof.evidence))
    light["weights"] = [0] * len(light["weights"])
    assert not proves(light, proof.bound, instance)
    for key in proof.evidence:
        assert not proves({name: value for name, value in proof.evidence.items() if name != key}, proof.bound, instance)


def test_other_loads_are_refused(weighting):
    instance, proof = weighting
    cooler = [load * Fraction(99, 100) for load in tokens(instance)]
    with pytest.raises(CertificateError, match="does not prove"):
        check({**proof.evidence, "bound": str(proof.bound)}, [cooler], asdict(instance.deployment))


def test_all_parts_of_the_counts_need_weightings(weighting):
    instance, proof = weighting
    evidence = dict(proof.evidence)
    # The second has no weights, and excludes nothing.
    weightings = [[evidence.pop("starts"), evidence.pop("weights")], [[], []]]

    def holds(*parts):
        whole = {**evidence, "argument": "weightings", "weightings": weightings, "parts": list(parts)}
        return proves(whole, proof.bound, instance)

    assert holds([0])
    assert holds([0, 2], [0], [0])
    assert holds([0, 2], [0], [1, 1], [0], [0])
    for wrong in ([], [[0, 2]], [[0, 2], [0]], [[0], [0]], [[0, 2], [0], [0], [0]]):
        assert not holds(*wrong)
    for refused in ([[0, 2], [0], [1]], [[0, 2], [1], [0]], [[-1, 2], [0], [0]], [[0, 2, 1], [0], [0]], [[2]], [["x"]]):
        assert not holds(*refused)


def test_a_certificate_has_natural_numbers_for_parts(weighting):
    instance, proof = weighting
    numbers = {key: proof.evidence[key] for key in ("buckets", "scale")}
    weightings = [[proof.evidence["starts"], proof.evidence["weights"]]]
    for place in (-1, 0.0, "0", True, None):
        argument = {"argument": "weightings", **numbers, "weightings": weightings, "parts": [[place]]}
        assert not proves(argument, proof.bound, instance)
