"""Certificates under a dispatch: arguments about an even split are refused, and the others prove no more than holds."""

from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.branching import refute_by_branching
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.search_evidence import search_evidence
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.certificates.arguments import ARGUMENTS, OF_ANY_DISPATCH
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from tests.certificates.proving import proves, tokens
from tests.dispatch.strategies import layers_under
from tests.examples import examples
from tests.placements import Placements, TooManyError
from tests.strategies import DYADIC, SMALL, TOKENS

DISPATCHES = ("nearest", "sglang-static", "by-rank", "optimal")
# A little: more than rounding in any unit, less than a unit of any layer here.
LITTLE = Fraction(10**40 + 1, 10**40)
# Mean 34. With one spare slot a GPU has 35 at least: 28/2 + 21 on two of them, 24 + 8 on the third.
PAIRED, OPTIMUM = Instance.from_loads([28, 21, 21, 24, 8], Deployment(3, 6)), Fraction(35)
GROUPED = Instance.from_loads([10, 9, 2, 1], Deployment(2, 4, 2, 4, "hierarchical"))


def meter():
    return Meter(Limits(10.0, 1, 0))


def even_arguments():
    """A layer with an even split, a bound, and an argument that proves it and is about the even split."""
    yield PAIRED, OPTIMUM, search_evidence(PAIRED, OPTIMUM)
    yield PAIRED, OPTIMUM, PairTree(PAIRED, OPTIMUM).decide(meter()).evidence
    yield PAIRED, OPTIMUM, {"argument": "fillings"}
    buckets = Buckets(PAIRED, OPTIMUM, True)
    yield PAIRED, OPTIMUM, refute_by_branching(ConfigurationLP(buckets), 200, meter()).evidence
    sets = [[list(pair), {"argument": "mean"}] for pair in ((0, 1), (0, 2), (0, 3), (1, 2))]
    yield GROUPED, Fraction(11), {"argument": "partition", "sets": sets}


def test_arguments_about_an_even_split_are_refused_under_other_rules():
    seen = set()
    for instance, bound, argument in even_arguments():
        assert argument is not None and proves(argument, bound, instance), argument
        seen.add(argument["argument"])
        for dispatch in DISPATCHES:
            deployment = asdict(instance.deployment) | {"dispatch": dispatch}
            with pytest.raises(CertificateError, match=f"the argument {argument['argument']} is about an even split"):
                check({**argument, "bound": str(bound)}, [tokens(instance)], deployment)
    # What is about moves needs an old plan: it is refused within windows and nodes below.
    assert seen | {"weighting", "weightings", "touched"} == set(ARGUMENTS) - set(OF_ANY_DISPATCH)
    assert seen & {"weighting", "weightings"}


@pytest.mark.parametrize("dispatch", DISPATCHES)
@pytest.mark.parametrize("kind", sorted(set(ARGUMENTS) - set(OF_ANY_DISPATCH)))
def test_they_are_refused_within_windows_and_nodes_too(dispatch, kind):
    deployment = asdict(GROUPED.deployment) | {"dispatch": dispatch}
    inner = {"argument": kind, "bound": "1"}
    windows = [tokens(GROUPED)] * 2
    with pytest.raises(CertificateError, match="about an even split"):
        check({"argument": "windows", "windows": [inner] * 2, "bound": "1"}, windows, deployment, objective="worst")
    nodes = [[[0, 1], [inner] * 2]]
    certificate = {"argument": "window partition", "nodes": nodes, "bound": "1"}
    with pytest.raises(CertificateError, match="about an even split"):
        check(certificate, windows, deployment, objective="mean")


@pytest.mark.parametrize("dispatch", ["Even", "even ", "", "lp", None, 0, 1, True, [], ["even"], {}])
def test_a_dispatch_that_is_not_known_is_refused(dispatch):
    deployment = asdict(PAIRED.deployment) | {"dispatch": dispatch}
    for bound in ("34", "1"):
        with pytest.raises(CertificateError, match="the dispatch is not known"):
            check({"argument": "mean", "bound": bound}, [tokens(PAIRED)], deployment)


def test_what_says_nothing_of_a_dispatch_is_split_evenly():
    deployment = asdict(PAIRED.deployment)
    del deployment["dispatch"]
    argument = search_evidence(PAIRED, OPTIMUM)
    assert check({**argument, "bound": "35"}, [tokens(PAIRED)], deployment) == 35


def test_fillers_hold_for_the_even_split_alone():
    # Mean 67/3. Two spare slots: next to a replica of the first is another expert's, which carries 8/3 or more.
    instance = Instance.from_loads([25, 19, 15, 8], Deployment(3, 6))
    bound = quick_bounds(instance)[-1].bound
    assert bound > max(proof.bound for proof in quick_bounds(instance)[:-1])
    assert proves({"argument": "counts"}, bound, instance)
    for dispatch in DISPATCHES:
        other = replace(instance, deployment=replace(instance.deployment, dispatch=dispatch))
        assert not proves({"argument": "counts"}, bound, other)
        assert [proof.argument for proof in quick_bounds(other)] == ["mean", "adams"]


@pytest.mark.parametrize("dispatch", DISPATCHES)
@given(data=st.data())
def test_just_above_the_mean_and_the_counts_nothing_is_proven(dispatch, data):
    """Loads of GPUs can be any fractions: the even split would have a next possible max load."""
    instance, _ = data.draw(layers_under(dispatch, max_windows=1, hierarchical=False, kinds=(SMALL, TOKENS, DYADIC)))
    mean, adams = quick_bounds(instance)
    assert proves({"argument": "mean"}, mean.bound, instance)
    best = max(mean.bound, adams.bound)
    assert proves({"argument": "counts"}, best, instance)
    if best:
        assert not proves({"argument": "mean"}, mean.bound * LITTLE, instance)
        assert not proves({"argument": "nodes"}, mean.bound * LITTLE, instance)
        assert not proves({"argument": "counts"}, best * LITTLE, instance)
    # And the next numbers with few digits, between which loads of GPUs lie.
    for parts in range(1, 9):
        grid = instance.unit / parts
        assert not proves({"argument": "mean"}, (mean.bound // grid + 1) * grid, instance)
        assert not proves({"argument": "counts"}, (best // grid + 1) * grid, instance)


@pytest.mark.parametrize("dispatch", DISPATCHES)
@examples(30)
@given(data=st.data())
def test_bounds_have_certificates_and_stay_below_the_optimum(dispatch, data):
    limits = {"max_experts": 5, "max_gpus": 4, "max_slots": 8, "max_nodes": 2}
    instance, _ = data.draw(layers_under(dispatch, kinds=(SMALL, TOKENS), **limits))
    if not all(map(any, instance.weights)):
        return
    try:
        placements = Placements(instance.deployment, instance.num_experts, 200)
    except TooManyError:
        return
    loads = [[weight * instance.unit for weight in window] for window in instance.weights]
    deployment = asdict(instance.deployment)
    for objective in ("mean", "worst") if instance.num_windows > 1 else ("total",):
        (optimum,) = placements.optima([np.array(loads, dtype=object)], objective)
        found = quick_bounds(instance) if objective == "total" else window_bounds(instance, objective)
        for proof in found:
            assert proof.bound <= optimum
            certificate = {**(proof.certified or {}), "bound": str(proof.bound)}
            assert check(certificate, loads, deployment, objective=objective) == proof.bound
            with pytest.raises(CertificateError):
                certificate["bound"] = str(optimum * LITTLE or Fraction(1, 10**40))
                check(certificate, loads, deployment, objective=objective)
