"""Certificates: what is none is refused, and soon, and none proves more than the optimum."""

from dataclasses import asdict
from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from tests.certificates.proving import proves
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import instances


@examples(60)
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
@examples(60)
@given(data=st.data())
def test_nothing_proves_more_than_the_optimum(slots_per_gpu, data):
    instance = data.draw(instances(slots_per_gpu=slots_per_gpu))
    argument = data.draw(arguments(instance))
    optimum = brute_force(instance)
    above = optimum * Fraction(1001, 1000) + Fraction(1, 10**6)
    assert not proves(argument, above, instance)


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


@pytest.mark.parametrize("change", [{"num_gpus": -2}, {"distinct": "no"}, {"num_slots": "4"}, {"policy": "none"}])
def test_rules_that_are_none_are_refused(change):
    with pytest.raises(CertificateError):
        check({"argument": "mean", "bound": "1"}, [[3, 2, 1, 1]], asdict(Deployment(2, 4)) | change)


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
