"""Certificates: genuine ones are accepted, tampered ones are not, and none proves more than the optimum."""

import copy
import json
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import combinations_with_replacement
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.bounds.decomposition import Decomposition
from eplb_opt.bounds.pair_evidence import decide_pairs
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.weighting import heaviest_pattern
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.heuristics.folding import fold
from eplb_opt.heuristics.pipeline import greedy_plus_swap
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.io import read_solution
from eplb_opt.limits import Limits, Meter
from eplb_opt.proof import strongest
from eplb_opt.verify import max_loads
from tests.oracle import brute_force
from tests.strategies import SMALL, TOKENS, instances


def tokens(instance):
    return [weight * instance.unit for weight in instance.weights[0]]


def proves(argument, bound, instance):
    """Whether the checker takes an argument for a bound; it may only ever refuse by its own error."""
    try:
        return check({**argument, "bound": str(bound)}, [tokens(instance)], asdict(instance.deployment)) == bound
    except CertificateError:
        return False


@settings(max_examples=300, deadline=None)
@given(instances(max_experts=8, max_gpus=6, max_slots=16, max_nodes=3))
def test_every_instant_bound_has_a_certificate(instance):
    known = Fraction(0)
    for proof in quick_bounds(instance):
        if proof.argument != "slack" or proof.bound > known:
            assert proves(proof.certified, proof.bound, instance)
        known = max(known, proof.bound)


NUMBERS = st.integers(0, 40)


@st.composite
def trees(draw, instance, weightings, depth=3):
    """A tree of parts of the counts, mostly whole."""
    if not depth or draw(st.booleans()):
        return [[draw(st.integers(0, weightings - 1))]]
    node = [draw(st.integers(0, instance.num_experts - 1)), draw(st.integers(0, 4))]
    below = [draw(trees(instance, weightings, depth - 1)) for _ in range(draw(st.sampled_from([2, 2, 2, 1, 3])))]
    return [node, *(part for some in below for part in some)]


@st.composite
def arguments(draw, instance, depth=2):
    """Any argument of the right form, whether or not it proves anything."""
    kinds = ["mean", "nodes", "counts", "weighting", "pairs", "weightings", "partition"]
    kind = draw(st.sampled_from(kinds if depth else kinds[:5]))
    deeper = arguments(instance, depth - 1) if depth else st.nothing()
    if kind.startswith("weighting"):
        scale = brute_force(instance) * draw(st.sampled_from([Fraction(1), Fraction(9, 10), Fraction(11, 10)]))
        numbers = {"argument": kind, "buckets": 30, "scale": str(scale or 1)}
        weightings = []
        for _ in range(draw(st.integers(1, 3))):
            starts = sorted(draw(st.sets(st.integers(0, 30), max_size=4)))
            weightings.append([starts, sorted(draw(st.lists(NUMBERS, min_size=len(starts), max_size=len(starts))))])
        if kind == "weighting":
            return numbers | dict(zip(("starts", "weights"), weightings[0], strict=True))
        return numbers | {"weightings": weightings, "parts": draw(trees(instance, len(weightings)))}
    if kind == "pairs":
        item = st.integers(0, instance.num_experts - 1), st.integers(1, instance.max_replicas)
        rows = st.lists(st.tuples(*item, st.integers(0, 3)), max_size=4)
        bases = st.lists(st.tuples(*item), max_size=3)
        rounded: list[dict[str, object]] = []
        for _ in range(draw(st.integers(0, 3))):
            cuts = st.lists(st.tuples(st.integers(0, len(rounded)), st.integers(0, 3)), max_size=2)
            parts = {"rows": rows, "cuts": cuts, "slots": st.integers(-3, 3), "bases": bases}
            rounded.append({key: draw(part) for key, part in parts.items()})
        divided = {"divisor": draw(st.integers(1, 6)), "margin": draw(st.integers(0, 1))}
        cuts = [[number, draw(st.integers(0, 3))] for number in range(len(rounded))]
        return {"argument": kind, "rows": draw(rows), "cuts": cuts, "rounded": rounded, **divided}
    if kind == "partition":
        groups = draw(st.lists(st.integers(0, instance.deployment.num_groups - 1), min_size=1, max_size=3))
        return {"argument": kind, "sets": [[groups, draw(deeper)]]}
    return {"argument": kind}


@pytest.mark.parametrize("slots_per_gpu", [None, 2])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_nothing_proves_more_than_the_optimum(slots_per_gpu, data):
    instance = data.draw(instances(slots_per_gpu=slots_per_gpu))
    argument = data.draw(arguments(instance))
    optimum = brute_force(instance)
    above = optimum * Fraction(1001, 1000) + Fraction(1, 10**6)
    assert not proves(argument, above, instance)


def solved(values, deployment, objective="auto", seconds=20.0, gap=1e-3):
    return eplb_opt.solve(values, deployment, objective=objective, time_limit=seconds, target_gap=gap)


@pytest.fixture(scope="module")
def weighting():
    """A layer, and a weighting that proves a bound above the instant ones, in its certificate."""
    for seed in range(50):
        loads = np.random.default_rng(seed).lognormal(4, 1.2, 10).astype(int) + 1
        instance = Instance.from_loads(loads, Deployment(5, 15))
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


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.integers(0, 14), NUMBERS, max_size=4), st.integers(1, 4), st.integers(0, 12))
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


def test_a_partition_needs_every_set_that_it_rests_on():
    # Two nodes of two groups each: 10 + 1 against 9 + 2 is best, so that one of four sets with less than 11 is missing.
    loads, deployment = [10, 9, 2, 1], Deployment(2, 4, 2, 4, "hierarchical")
    instance = Instance.from_loads(loads, deployment)
    sets = [[list(pair), {"argument": "mean"}] for pair in ((0, 1), (0, 2), (0, 3), (1, 2))]
    argument = {"argument": "partition", "sets": sets}
    assert proves(argument, 11, instance)
    assert not proves(argument, Fraction(111, 10), instance)
    # Any of these two nodes is in a partition of its own.
    assert proves({"argument": "partition", "sets": sets[:3]}, 11, instance)
    assert not proves({"argument": "partition", "sets": sets[:2]}, 11, instance)
    assert not proves({"argument": "partition", "sets": [[[0, 0], {"argument": "mean"}]]}, 11, instance)


def test_files_of_solutions_are_certified(tmp_path):
    values = np.array([[90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86]])
    for deployment in (Deployment(4, 16), Deployment(4, 16, 2, 4), Deployment(12, 12)):
        solved(values, deployment, seconds=1.0).save(tmp_path / "solution.json")
        (layer,) = certify(read_solution(tmp_path / "solution.json"), values)
        assert layer.error is None
    assert layer.checked


def test_other_loads_than_those_of_the_solution_are_told():
    values = np.array([[9, 8, 7, 6]])
    solution = solved(values, Deployment(2, 4), seconds=0.5)
    (layer,) = certify(solution, 2 * values)
    assert "its objective is 30.0, not 15.0" in layer.error
    with pytest.raises(InvalidLoadsError, match="have 1 layers of 3 experts, the solution has 1 of 4"):
        certify(solution, values[:, :3])


MEAN = {"argument": "mean"}
BROKEN = [
    {},
    {"bound": "1"},
    {"bound": "x", "argument": "mean"},
    {"bound": "1/0", "argument": "mean"},
    {"bound": "1", "argument": "magic"},
    {"bound": "1", "argument": ["mean"]},
    {
        "bound": "1",
        "argument": "weightings",
        "buckets": 10,
        "scale": "1",
        "weightings": [[[], []]],
        "parts": [[-1]],
    },
    {"bound": "9", "argument": "weighting", "buckets": 10**12, "scale": "1", "starts": [1], "weights": [1]},
    {"bound": "5", "argument": "weighting", "buckets": 10**12, "scale": "1", "starts": [], "weights": []},
    {"bound": "5", "argument": "weighting", "buckets": 9 * 10**7, "scale": "1", "starts": [1], "weights": [1]},
    {"bound": "9", "argument": "weighting", "buckets": 10, "scale": "9", "starts": [2, 1], "weights": [1, 1]},
    {"bound": "9", "argument": "weighting", "buckets": 10, "scale": "-9", "starts": [1], "weights": [1]},
]


@pytest.mark.parametrize("certificate", BROKEN)
def test_what_is_no_certificate_is_refused(certificate):
    with pytest.raises(CertificateError):
        check(certificate, [[3, 2, 1, 1]], asdict(Deployment(2, 4)))


def accepted(argument, bound, windows, deployment, weights):
    try:
        check(
            {**argument, "bound": str(bound)},
            windows,
            asdict(deployment),
            objective="mean" if weights else "worst",
            window_weights=weights,
        )
    except CertificateError:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(instances(min_windows=2, max_windows=3, max_experts=8, max_slots=16), st.sampled_from(["mean", "worst"]))
def test_every_bound_of_several_windows_has_a_certificate(instance, objective):
    loaded = [[load * instance.unit for load in window] for window in instance.weights if any(window)]
    weights = [Fraction(1)] * len(loaded) if objective == "mean" else None
    for proof in window_bounds(instance, objective) if len(loaded) > 1 else ():
        evidence = json.loads(json.dumps(proof.evidence))
        assert accepted(evidence, proof.bound, loaded, instance.deployment, weights)
        # One more in a million: what is claimed is all that is proven, but for what counts leave open.
        if proof.argument != "envelope":
            assert not accepted(
                evidence, proof.bound * Fraction(1000001, 1000000), loaded, instance.deployment, weights
            )


def test_windows_are_weighed_and_none_may_be_missing():
    windows, deployment = [[6, 1, 1], [1, 1, 2]], Deployment(3, 3)
    # One slot each: the hottest expert is the max load, 6 of 8 / 3 and 2 of 4 / 3.
    worth = [Fraction(6 * 3, 8), Fraction(2 * 3, 4)]
    evidence = {"argument": "windows", "windows": [{"argument": "counts", "bound": str(value)} for value in worth]}
    even = (worth[0] + worth[1]) / 2
    assert accepted(evidence, even, windows, deployment, [Fraction(1)] * 2)
    assert not accepted(evidence, even, windows, deployment, [Fraction(1), Fraction(2)])
    assert accepted(evidence, (worth[0] + 2 * worth[1]) / 3, windows, deployment, [Fraction(1), Fraction(2)])
    assert accepted(evidence, worth[0], windows, deployment, None)
    assert not accepted(evidence | {"windows": evidence["windows"][:1]}, even, windows, deployment, [Fraction(1)] * 2)
    assert not accepted({"argument": "envelope"}, even, windows, deployment, [Fraction(1)] * 2)
    assert not accepted({"argument": "magic"}, even, windows, deployment, None)


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_solutions_of_several_windows_are_certified(objective):
    values = np.random.default_rng(0).lognormal(3, 1, (3, 1, 16)).astype(int) + 1
    for deployment in (Deployment(4, 24), Deployment(4, 24, 2, 4), Deployment(16, 16)):
        (layer,) = certify(solved(values, deployment, objective, seconds=0.5), values)
        assert layer.error is None
        assert layer.checked


@settings(max_examples=100, deadline=None)
@given(instances(kinds=(SMALL, TOKENS), max_experts=6, max_gpus=5, max_slots=10, slots_per_gpu=2, hierarchical=False))
def test_pairs_prove_optima_and_nothing_above_them(instance):
    optimum = brute_force(instance)
    if not optimum:
        return
    verdict = decide_pairs(instance, optimum, Meter(Limits(20.0, 1, 0)))
    assert verdict.counts is None
    if verdict.evidence is not None:
        evidence = json.loads(json.dumps(verdict.evidence))
        assert proves(evidence, optimum, instance)
        assert not proves(evidence, optimum * Fraction(1001, 1000), instance)
    above = decide_pairs(instance, optimum * Fraction(1001, 1000), Meter(Limits(20.0, 1, 0)))
    assert above.evidence is None
    if above.counts is not None:
        assert optimum <= max_loads(fold(instance, above.counts).tolist(), instance)[0] < optimum * Fraction(1001, 1000)


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
    verdict = decide_pairs(instance, max_load, Meter(Limits(20.0, 1, 0)))
    assert max_load <= brute_force(instance)
    assert proves(verdict.evidence, max_load, instance)


@settings(max_examples=150, deadline=None)
@given(
    instances(kinds=(SMALL, TOKENS), max_experts=6, max_gpus=5, max_slots=10, slots_per_gpu=2, hierarchical=False),
    st.data(),
)
def test_evidence_of_pairs_is_accepted_at_whatever_max_load(instance, data):
    item = st.tuples(st.sampled_from(tokens(instance)), st.integers(1, instance.max_replicas))
    # What two slots can carry, at which strictly below and at most are not the same.
    max_load = sum(load / count for load, count in data.draw(st.tuples(item, item))) or Fraction(1)
    verdict = decide_pairs(instance, max_load, Meter(Limits(20.0, 1, 0)))
    if verdict.evidence is not None:
        assert proves(json.loads(json.dumps(verdict.evidence)), max_load, instance)
        assert max_load <= brute_force(instance)
    elif verdict.counts is not None:
        assert max_loads(fold(instance, verdict.counts).tolist(), instance)[0] < max_load


def test_a_base_that_is_none_of_the_counts_is_told():
    row = {"rows": [[0, 1, 1]], "cuts": [], "slots": 0, "bases": [[0, 5]]}
    argument = {"argument": "pairs", "rows": [], "cuts": [[0, 1]], "rounded": [row], "divisor": 2, "margin": 0}
    with pytest.raises(CertificateError, match="the base of expert 0, 5 replicas, is none of its counts"):
        check({**argument, "bound": "6"}, [[5, 5, 9, 10]], asdict(Deployment(5, 10, distinct=False)))


def test_an_argument_about_a_higher_bound_of_a_node_holds_for_a_lower_one():
    # Two nodes of one GPU with two slots each: 6 + 5 on one of them, or 6 + 1 or 5 + 1 with the third on the other.
    instance = Instance.from_loads([6, 5, 1, 1], Deployment(2, 4, 2, 4, "hierarchical"))
    sets = [[[0, other], {"argument": "mean"}] for other in (1, 2, 3)]
    assert proves({"argument": "partition", "sets": sets}, 7, instance)

    def about(bound):
        return proves({"argument": "partition", "sets": [[s, a | {"bound": bound}] for s, a in sets]}, 7, instance)

    assert about("7")
    # More than the nodes carry, less than is to be shown, and no number.
    assert not about("8") and not about("6") and not about("x")


@pytest.fixture(scope="module")
def paired():
    """A layer of two slots per GPU, its optimum above the instant bounds, and what proves it, with rounded rows."""
    for seed in range(50):
        loads = np.random.default_rng(seed).lognormal(5, 1.0, 48).astype(int) + 1
        instance = Instance.from_loads(loads, Deployment(32, 64))
        (layer,) = solved([loads], Deployment(32, 64), seconds=5.0, gap=0).layers
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
        assert not proves({**evidence, **change}, proof.bound, instance)
    first = evidence["rounded"][0]
    for change in ({"cuts": [[0, 1]]}, {"rows": []}, {"bases": [[0, 0]]}, {"bases": [[0, 10**6]]}, {"slots": 2**62}):
        changed = [{**first, **change}, *evidence["rounded"][1:]]
        assert not proves({**evidence, "rounded": changed}, proof.bound, instance)


def test_pairs_are_for_two_slots_that_take_any_expert():
    argument = {"argument": "pairs", "rows": [[0, 1, 1]], "cuts": [], "rounded": [], "divisor": 1, "margin": 0}
    for deployment in (Deployment(2, 6), Deployment(2, 4, 2, 2)):
        assert not proves(argument, Fraction(10**6), Instance.from_loads([6, 5, 4, 3], deployment))


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


HEAVY = {
    "many nodes": ({"argument": "partition", "bound": "1", "sets": []}, [1] * 512, Deployment(512, 512, 256, 512)),
    "many parts": (
        {
            "argument": "partition",
            "bound": "4",
            "sets": [[[a, b], MEAN] for a in range(21) for b in range(a)],
        },
        [2] * 21 + [1] * 19,
        Deployment(20, 40, 20, 40),
    ),
    "a set twice": (
        {"argument": "partition", "bound": "4", "sets": [[[0], MEAN], [[0], MEAN]]},
        [4, 1],
        Deployment(2, 2, 2, 2),
    ),
    "many counts": (
        {"argument": "weighting", "bound": "9", "buckets": 1, "scale": "9", "starts": [], "weights": []},
        [1] * 256,
        Deployment(32, 2048, distinct=False),
    ),
    "many replicas": ({"argument": "mean", "bound": "1"}, [3, 2, 1], Deployment(1, 100_000, distinct=False)),
    "nested": ({"argument": nested(990), "bound": "9"}, [3, 2, 1, 1], Deployment(2, 4)),
}


@pytest.mark.parametrize(("certificate", "loads", "deployment"), HEAVY.values(), ids=HEAVY)
def test_what_would_take_all_time_or_memory_is_refused_soon(certificate, loads, deployment):
    begin = process_time()
    with pytest.raises(CertificateError):
        check(certificate, [loads], asdict(deployment))
    assert process_time() - begin < 20.0


def test_window_certificates_that_would_take_all_time_are_refused_soon():
    begin = process_time()
    many = {"argument": "window partition", "nodes": []}
    assert not accepted(many, 1, [[1] * 16] * 40, Deployment(8, 16, 8, 16), [Fraction(1)] * 40)
    assert not accepted({"argument": "envelope"}, "1" + "0" * 400, [[3, 2, 1, 1]] * 2, Deployment(2, 4), None)
    assert not accepted({"argument": "windows", "windows": []}, 1, [[3, 2, 1, 1]], Deployment(2, 4), [Fraction(-1)])
    assert process_time() - begin < 20.0


@pytest.mark.parametrize("change", [{"num_gpus": -2}, {"distinct": "no"}, {"num_slots": "4"}, {"policy": "none"}])
def test_rules_that_are_none_are_refused(change):
    with pytest.raises(CertificateError):
        check({"argument": "mean", "bound": "1"}, [[3, 2, 1, 1]], asdict(Deployment(2, 4)) | change)


def test_values_of_a_file_that_are_not_those_of_the_plan_are_told():
    values = np.array([[[9, 8, 7, 6]], [[1, 2, 3, 4]]])
    solution = solved(values, Deployment(2, 4), seconds=0.5)
    layer = solution.layers[0]
    changes = {
        "max load": {"layers": (replace(layer, max_load=Fraction(1)),)},
        "above its objective": {"layers": (replace(layer, proof=replace(layer.proof, bound=Fraction(9))),)},
        "window weights": {"window_weights": (Fraction(1),)},
        "not positive": {"window_weights": (Fraction(0), Fraction(0))},
    }
    for words, change in changes.items():
        (told,) = certify(replace(solution, **change), values)
        assert words in told.error
    assert certify(solution, values)[0].error is None


# Small files that would keep a checker busy for minutes, or take all memory, if each step had limits of its own.
ENDLESS = {
    "weightings": {
        "weightings": [[list(range(1, 90, 9)), list(range(1, 11))]] * 10**4,
        "parts": [[0, 0], [0], [0]] * 10,
    },
    "parts": {"weightings": [[[6], [1]]], "parts": [[0, 1], [1, 1], [2, 1], *([[3, k] for k in range(1, 400)]), [0]]},
    "leaves": {"buckets": 1, "weightings": [[[], []]], "parts": [[0, 0], [0]] * 10**5},
    "depth": {"weightings": [[[], []]], "parts": [[0, 0]] * 10**5},
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_certificate_that_would_take_long_to_check_is_refused_soon(kind):
    argument = {"bound": "10", "argument": "weightings", "buckets": 10**5, "scale": "10", **ENDLESS[kind]}
    loads, deployment = [6, 6, 6] + [0] * 150, Deployment(2, 704, distinct=False)
    begin = process_time()
    with pytest.raises(CertificateError):
        check(argument, [loads], asdict(deployment))
    assert process_time() - begin < 60


def test_a_certificate_has_natural_numbers_for_parts(weighting):
    instance, proof = weighting
    numbers = {key: proof.evidence[key] for key in ("buckets", "scale")}
    weightings = [[proof.evidence["starts"], proof.evidence["weights"]]]
    for place in (-1, 0.0, "0", True, None):
        argument = {"argument": "weightings", **numbers, "weightings": weightings, "parts": [[place]]}
        assert not proves(argument, proof.bound, instance)
