"""Search as a certificate: it refutes what is below the optimum and nothing else; bounds of small layers have it."""

from dataclasses import asdict
from fractions import Fraction

import pytest
from hypothesis import given

import eplb_opt
from eplb_opt.bounds.search_evidence import search_evidence
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import NO_BOUND
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.run.task import ProofTask
from eplb_opt.run.work import run_task
from tests.examples import examples
from tests.oracle import brute_force
from tests.strategies import instances

ABOVE = Fraction(10**12 + 1, 10**12)


def checked(instance, bound, **certificate):
    loads = [weight * instance.unit for weight in instance.weights[0]]
    return check({**certificate, "bound": str(bound)}, [loads], asdict(instance.deployment))


@examples(30)
@given(instances(max_experts=6, max_gpus=4, max_slots=10, hierarchical=False))
def test_a_search_proves_the_optimum_and_nothing_above_it(instance):
    optimum = brute_force(instance)
    assert checked(instance, optimum, argument="search") == optimum
    with pytest.raises(CertificateError, match="does not prove its bound"):
        checked(instance, optimum * ABOVE or Fraction(1, 10**12), argument="search")


@examples(25)
@given(instances(max_experts=6, max_gpus=4, max_slots=10))
def test_evidence_is_found_for_the_optimum_and_for_nothing_above_it(instance):
    optimum = brute_force(instance)
    evidence = search_evidence(instance, optimum)
    assert checked(instance, optimum, **evidence) == optimum
    assert search_evidence(instance, optimum * ABOVE or Fraction(1, 10**12)) is None


def test_a_search_is_for_one_node_and_for_few_states():
    with pytest.raises(CertificateError, match="a search is for one node"):
        checked(Instance.from_loads([3, 5, 2, 4], Deployment(4, 8, 2, 4)), Fraction(4), argument="search")
    loads = generate_loads(num_experts=24, num_layers=1, skew=0.3).values[0, 0]
    large = Instance.from_loads(loads, Deployment(8, 32))
    with pytest.raises(CertificateError, match="too long to check"):
        checked(large, Fraction(int(loads.sum()), 8) * Fraction(1000001, 1000000), argument="search")
    assert search_evidence(large, Fraction(int(loads.sum()), 8) * Fraction(1000001, 1000000)) is None
    # More slots than it is tried for.
    assert search_evidence(Instance.from_loads([1] * 40, Deployment(40, 80)), Fraction(1)) is None


@pytest.mark.parametrize(
    "deployment", [Deployment(4, 12), Deployment(4, 12, distinct=False), Deployment(4, 12, 2, 4)], ids=str
)
def test_what_a_solver_says_of_a_small_layer_is_checked(deployment):
    loads = [900, 500, 300, 200, 100, 50, 30, 20]
    solution = eplb_opt.solve([loads], deployment, method="cpsat", target_gap=0, time_limit=30)
    (layer,) = solution.layers
    assert (layer.status, layer.proof.checked) == ("optimal", True)
    assert certify(solution, [loads])[0].checked


def test_the_word_of_a_solver_comes_before_what_is_checked():
    instance = Instance.from_loads([900, 500, 300, 200, 100, 50, 30, 20], Deployment(4, 12))
    task = ProofTask(instance, tuple(greedy(instance).tolist()), NO_BOUND, "cpsat", Limits(30))
    found = []
    assert run_task(task, found.append)
    proofs = [item.proof for item in found if item.proof is not None]
    assert [proof.named for proof in proofs[-2:]] == ["program by cpsat", "search"]
    assert proofs[-1].bound == proofs[-2].bound == brute_force(instance)
