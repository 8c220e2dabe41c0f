"""Acceptance: what is called checked was checked, and evidence that does not hold is told and costs nothing else."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

import eplb_opt
from eplb_opt.acceptance import accepted
from eplb_opt.bounds import pairing
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.objective import Objective
from eplb_opt.proof import REFUSED, Proof
from eplb_opt.run.task import ProofTask
from eplb_opt.run.work import run_task
from tests.attack_producers import attack, layers

# Mean load 57 on 3 GPUs of 2 slots; 65 is optimal.
LAYER = Instance.from_loads([20, 21, 69, 61], Deployment(3, 6))


def test_a_bound_is_checked_by_its_certificate():
    assert accepted(Proof("mean", Fraction(57), checked=False), LAYER, Objective()) == Proof(
        "mean", Fraction(57), checked=True
    )
    # Four slots for four experts: the hottest has 4 of 10 on one of four GPUs, 8 / 5 of the mean load, in each window.
    windows = Instance.from_loads([[4, 4, 1, 1], [1, 1, 4, 4]], Deployment(4, 4))
    envelope = Proof("envelope", Fraction(8, 5), checked=True, evidence={"argument": "envelope"})
    assert accepted(envelope, windows, Objective("worst")) == envelope


@pytest.mark.refused_evidence
@pytest.mark.parametrize(
    "proof",
    [
        Proof("mean", Fraction(58), checked=True),
        Proof("pairing", Fraction(65), checked=True, evidence={"argument": "pairs", "rows": []}),
        Proof("magic", Fraction(1), checked=True),
    ],
    ids=str,
)
def test_a_bound_whose_certificate_does_not_hold_is_a_word(proof, caplog):
    seen = accepted(proof, LAYER, Objective())
    assert seen == Proof(proof.argument, proof.bound, checked=False, by=REFUSED)
    assert seen.certified is None
    assert f"{REFUSED}: the certificate of a bound does not hold ({proof.argument})" in caplog.text


@pytest.mark.refused_evidence
def test_a_method_goes_on_with_what_the_checker_refuses(monkeypatch):
    # Evidence that says nothing, for whatever is asked.
    nothing = {"argument": "pairs", "rows": [], "cuts": [], "rounded": [], "divisor": 1, "margin": 0}
    monkeypatch.setattr(pairing.PairTree, "decide", lambda *_: Feasibility(evidence=nothing))
    found = []
    mean = Proof("mean", Fraction(57), checked=True)
    assert run_task(ProofTask(LAYER, tuple(greedy(LAYER).tolist()), mean, "pairing", Limits(20.0)), found.append)
    claims = [item.proof for item in found if item.proof is not None and not item.proof.checked]
    assert [claim.named for claim in claims] == [f"pairing by {REFUSED}"]


@pytest.mark.refused_evidence
def test_a_layer_says_that_its_bound_has_no_certificate_that_holds(caplog):
    incumbent = Incumbent(LAYER, name="layer 7")
    incumbent.offer_plan(np.array([0, 3, 2, 1, 2, 3]), "search")
    assert incumbent.offer_proof(Proof("pairing", Fraction(65), checked=False, by=REFUSED))
    assert not incumbent.proof.checked
    assert any(REFUSED in point.source for point in incumbent.trace)
    assert "layer 7: refused evidence" in caplog.text


def test_a_bound_needs_evidence_or_somebody():
    found = []
    incumbent = Incumbent(LAYER, tell=found.append)
    assert incumbent.prove("mean", Fraction(57), evidence={"argument": "mean"})
    assert incumbent.prove("pairing", Fraction(65), by="cpsat")
    assert [str(item.proof) for item in found] == ["mean (checked)", "pairing by cpsat (not checked)"]
    assert [item.proof.certified for item in found] == [{"argument": "mean"}, None]


@pytest.mark.parametrize("objective", ["total", "mean", "worst"])
@pytest.mark.parametrize("deployment", [Deployment(4, 8), Deployment(4, 12), Deployment(4, 12, 2, 4)], ids=str)
def test_what_solve_calls_checked_is_what_certify_finds(deployment, objective):
    random = np.random.default_rng(3)
    loads = random.integers(0, 50, (3, 4, 8))
    # A layer of one window, and one without any load.
    loads[1:, 2], loads[:, 3] = 0, 0
    solution = eplb_opt.solve(loads, deployment, objective=objective, time_limit=0.5, target_gap=0)
    for layer, certified in zip(solution.layers, certify(solution, loads), strict=True):
        assert certified.error is None
        assert certified.checked == layer.proof.checked == (layer.proof.by == "")


def test_every_producer_has_evidence_that_is_accepted():
    random, found = np.random.default_rng(5), 0
    for layer in islice(layers(random), 240):
        attack(layer, random)
        found += layer.counts.total()
    assert found > 1000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_every_producer_has_evidence_that_is_accepted_for_thousands(seed):
    random = np.random.default_rng((5, seed))
    for layer in islice(layers(random), 4000):
        attack(layer, random)


@pytest.mark.refused_evidence
def test_a_deployment_that_the_checker_does_not_look_at_has_no_checked_bound():
    # 11,997 replicas of an expert are possible, of which the checker takes 5,000.
    solution = eplb_opt.solve([[5, 3, 2, 1]], Deployment(2, 12_000, distinct=False), time_limit=0.5)
    (layer,) = solution.layers
    assert (layer.proof.named, layer.proof.checked) == (f"mean by {REFUSED}", False)
    assert certify(solution, [[5, 3, 2, 1]])[0].error is None
