"""Several windows: every bound has a certificate, and none proves more than its windows and nodes do."""

import json
from dataclasses import asdict
from fractions import Fraction
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from tests.examples import examples
from tests.strategies import instances


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


@examples(25)
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
        solution = eplb_opt.solve(values, deployment, objective=objective, time_limit=0.2, deterministic=True)
        (layer,) = certify(solution, values)
        assert layer.error is None
        assert layer.checked


def test_window_certificates_that_would_take_all_time_are_refused_soon():
    begin = process_time()
    many = {"argument": "window partition", "nodes": []}
    assert not accepted(many, 1, [[1] * 16] * 40, Deployment(8, 16, 8, 16), [Fraction(1)] * 40)
    assert not accepted({"argument": "envelope"}, "1" + "0" * 400, [[3, 2, 1, 1]] * 2, Deployment(2, 4), None)
    assert not accepted({"argument": "windows", "windows": []}, 1, [[3, 2, 1, 1]], Deployment(2, 4), [Fraction(-1)])
    assert process_time() - begin < 20.0


def test_windows_without_load_count_for_nothing_and_a_single_one_is_read_in_tokens():
    rules, none = asdict(Deployment(2, 4)), [0, 0, 0, 0]
    # 12 tokens on 2 GPUs: the mean load is 6, and an imbalance of 1 is proven by it.
    mean = {"argument": "mean", "bound": "1"}
    for objective in ("mean", "worst"):
        for windows in ([[3, 6, 2, 1]], [none, [3, 6, 2, 1], none]):
            weights = [Fraction(window + 1) for window in range(len(windows))]
            assert check(mean, windows, rules, objective=objective, window_weights=weights) == 1
            with pytest.raises(CertificateError, match="does not prove"):
                check(mean | {"bound": "1001/1000"}, windows, rules, objective=objective)
        # Without any load the imbalance is 1, whatever is said.
        assert check({"bound": "1"}, [none, none], rules, objective=objective) == 1
        with pytest.raises(CertificateError, match="does not prove"):
            check({"bound": "1001/1000"}, [none, none], rules, objective=objective)


def test_the_total_is_that_of_all_windows_in_tokens():
    rules, windows = asdict(Deployment(2, 4)), [[3, 6, 2, 1], [0, 0, 0, 0], [1, 1, 1, 0.5]]
    assert check({"argument": "mean", "bound": "31/4"}, windows, rules) == Fraction(31, 4)
    assert check({"argument": "mean", "bound": "31"}, windows, rules, unit=Fraction(4)) == 31
    with pytest.raises(CertificateError, match="does not prove"):
        check({"argument": "mean", "bound": "17/2"}, windows, rules)


@pytest.mark.parametrize(
    ("windows", "options", "words"),
    [
        ([[3, 2, 1, 1], [1, 1]], {}, "different experts"),
        ([[3, 2, 1, 1], [9, -1, 1, 1]], {}, "negative loads"),
        ([[3, 2, 1, "1e999999999"]], {}, "no number"),
        ([], {}, "no certificate"),
        ([[3, 2, 1, 1]], {"objective": "best"}, "objective 'best' is not known"),
        ([[3, 2, 1, 1]] * 2, {"objective": "mean", "window_weights": [Fraction(1)]}, "not as many"),
        ([[3, 2, 1, 1]] * 2, {"objective": "mean", "window_weights": [Fraction(0)] * 2}, "no certificate"),
    ],
)
def test_what_is_no_recording_is_refused(windows, options, words):
    certificate = {"argument": "windows", "windows": [{"argument": "mean", "bound": "1"}] * 2, "bound": "1"}
    with pytest.raises(CertificateError, match=words):
        check(certificate, windows, asdict(Deployment(2, 4)), **options)
