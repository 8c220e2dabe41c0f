"""Partitions: whose words they rest on, and certificates of nodes where they rest on none."""

from dataclasses import asdict
from fractions import Fraction

import pytest
from hypothesis import given

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.node import Node
from eplb_opt.bounds.partition_evidence import backing, evidence_of
from eplb_opt.bounds.prove import prove
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.planner import first_plan
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof
from eplb_opt.verify import objective_value
from tests.examples import examples
from tests.oracle import brute_force, enumerate_rows
from tests.strategies import SMALL, TOKENS, instances

# Four groups of one expert on two nodes of a GPU with two slots: the parts are 01 23, 02 13 and 03 12.
LAYER = Instance.from_loads([4, 3, 2, 1], Deployment(2, 4, 2, 4, "hierarchical"))
CLAIMED, MORE = Fraction(20), Fraction(21)


@pytest.fixture
def nodes():
    """Nodes of which the mean loads are known, from 3 to 7."""
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    return {pair: Node(LAYER, pair, Fraction(0)) for pair in pairs}


def claim(nodes, pair, by, bound=CLAIMED):
    nodes[pair].incumbent.offer_proof(Proof("fillings", bound, checked=False, by=by))


def test_certificates_suffice_where_each_part_has_one(nodes):
    by, certified = backing(nodes, 4, Fraction(5))
    # 01 carries 7, 02 6, and 03 and 12 both 5.
    assert (by, set(certified)) == ("", {(0, 1), (0, 2), (0, 3), (1, 2)})


def test_each_whose_word_is_needed_is_named(nodes):
    for pair, by in {(0, 1): "cpsat", (0, 2): "search", (1, 2): "cpsat"}.items():
        claim(nodes, pair, by)
    assert backing(nodes, 4, CLAIMED)[0] == "cpsat and search"


def test_a_word_that_makes_no_difference_is_not_named(nodes):
    for pair, by in {(0, 1): "search", (2, 3): "cpsat", (0, 2): "search", (0, 3): "search"}.items():
        claim(nodes, pair, by)
    assert backing(nodes, 4, CLAIMED)[0] == "search"
    # And none is where certificates show the same, though a claim was higher.
    for pair in nodes:
        nodes[pair].incumbent.offer_proof(Proof("magic", CLAIMED, checked=True))
    claim(nodes, (0, 1), "pulp:HiGHS", MORE)
    by, certified = backing(nodes, 4, CLAIMED)
    assert (by, set(certified)) == ("", set(nodes))


def test_rows_of_pairs_say_which_bound_of_the_node_they_are_about(nodes):
    pairs = {"argument": "pairs", "rows": []}
    nodes[0, 1].incumbent.offer_proof(Proof("pairing", MORE, checked=True, evidence=pairs))
    nodes[0, 2].incumbent.offer_proof(Proof("pairing", CLAIMED, checked=True, evidence=pairs))
    evidence = evidence_of({pair: nodes[pair] for pair in ((0, 1), (0, 2), (0, 3))}, CLAIMED)
    assert evidence["sets"] == [[[0, 1], pairs | {"bound": "21"}], [[0, 2], pairs], [[0, 3], {"argument": "mean"}]]


# 4 of 5 / 8 is the mean load of a GPU, and the best plan leaves 2 / 3 on one.
PAIRED = Instance.from_loads([1.0, 0.625, 0.75, 0.0, 0.25, 0.875], Deployment(6, 12, 2, 6, "hierarchical"))


def proofs_of(instance, seconds=5.0):
    proofs = []
    incumbent = Incumbent(instance, tell=lambda found: proofs.append(found.proof) if found.proof else None)
    incumbent.offer_plan(first_plan(instance), "start")
    prove(incumbent, Meter(Limits(60.0, 1, 0, work=seconds)))
    return proofs


def test_a_node_with_a_higher_bound_than_the_layer_is_certified():
    proofs = proofs_of(PAIRED)
    assert proofs[-1].bound == brute_force(PAIRED) == Fraction(2, 3)
    assert all(proof.checked for proof in proofs)


def test_a_node_whose_loads_have_more_in_common_than_the_layers_is_certified():
    # Experts of 0, 2, 4 and 4 tokens on two GPUs of a node: no max load below 6 is above 4, and none of 4 is possible.
    instance = Instance.from_loads([0, 2, 4, 4, 4, 0, 1, 3], Deployment(4, 8, 2, 4, "hierarchical", distinct=False))
    for seconds in (0.05, 1.0):
        proofs = proofs_of(instance, seconds)
        assert all(proof.checked for proof in proofs)
    assert proofs[-1].bound == brute_force(instance) == 6


HOTTEST = {"hierarchical": True, "min_windows": 2, "max_windows": 3, "max_experts": 4, "max_slots": 6}


@examples(40)
@given(instances(kinds=(SMALL, TOKENS), **HOTTEST))
def test_bounds_of_nodes_on_several_windows_are_certified_and_below_the_best(instance):
    if instance.deployment.binding_nodes == 1 or not all(map(any, instance.weights)):
        return
    layer = instance.in_mean_loads()
    proofs = proofs_of(layer, seconds=0.1)
    for proof in proofs:
        assert proof.checked or proof.by in ("search", "cpsat", "cpsat and search")
        if proof.checked:
            check_proof(proof, instance, Objective("worst"))
    best = min(objective_value(row, instance, "worst") for row in enumerate_rows(instance))
    assert max((proof.bound for proof in proofs), default=0) <= best


# Two nodes of three GPUs with a slot each. Experts 0 and 2 are hot in one window, 1 and 3 in the other: whichever
# two share a node, one has a single replica, which carries 4 tokens, of 10 on 6 GPUs.
APART = Instance.from_loads([[4, 1, 4, 1], [1, 4, 1, 4]], Deployment(6, 6, 2, 4, "hierarchical"))
RULES = asdict(APART.deployment)


def test_an_envelope_of_a_node_is_certified():
    proofs = proofs_of(APART.in_mean_loads())
    assert proofs[-1] == Proof("partition", Fraction(24, 10), checked=True)
    certificates = {tuple(groups): node for groups, node in proofs[-1].evidence["nodes"]}
    assert certificates[0, 1] == {"argument": "envelope", "bound": "12/5"}


def test_envelopes_of_nodes_prove_what_they_say_of_each_partition_and_of_the_hottest_window():
    def proves(bound, sets, said=None, objective="worst"):
        envelope = {"argument": "envelope", "bound": str(said or bound)}
        certificate = {"argument": "window partition", "nodes": [[list(groups), envelope] for groups in sets]}
        try:
            check(certificate | {"bound": str(bound)}, APART.weights, RULES, objective=objective)
        except CertificateError:
            return False
        return True

    best, sets = Fraction(12, 5), [(0, 1), (0, 2), (0, 3)]
    # Whatever else it takes, the node of group 0 is one of these.
    assert proves(best, sets) and proves(Fraction(2), sets, said=best)
    assert not proves(best, sets[:2])
    assert not proves(best * Fraction(1001, 1000), sets)
    assert not proves(best, sets, said=Fraction(2))
    # One window may be cool, so that nothing is said of the mean.
    assert not proves(best, sets, objective="mean")
    assert not proves(best, [(0, 0), (0, 2), (0, 3)]) and not proves(best, [(-1, 1), *sets[1:]])
