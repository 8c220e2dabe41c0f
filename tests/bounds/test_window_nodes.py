"""Nodes and several windows at once: bounds below every optimum, above those of single windows, and checked."""

from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.methods import PARTITION, WINDOWS, window_nodes_apply, window_weightings_apply
from eplb_opt.bounds.prove import PROVERS
from eplb_opt.bounds.window_nodes import WindowNodes
from eplb_opt.certify import certify
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from tests.attack_window_nodes import attack

# Placements are too many to be tried, and few enough for weights.
RANDOM = np.random.default_rng(0)
LOADS = (RANDOM.lognormal(4, 0.8, 32) * RANDOM.lognormal(0, 0.4, (3, 32))).astype(int) + 1
DEPLOYMENT = Deployment(16, 48, 2, 4)


def incumbent_of(objective, loads=LOADS, deployment=DEPLOYMENT, weights=None):
    instance, searched = Objective(objective, weights).on(Instance.from_loads(loads, deployment))
    incumbent = Incumbent(instance.in_mean_loads(), Objective() if objective == "worst" else searched)
    incumbent.offer_plan(greedy(instance.total()), "greedy")
    incumbent.offer_proof(instant_bound(instance, searched))
    return incumbent


def kinds_in(evidence):
    """Arguments about all windows of a node."""
    return {said["argument"] for _, said in evidence["nodes"] if isinstance(said, dict)}


def test_no_bound_is_above_an_optimum_and_nearly_all_of_tiny_layers_are_the_optimum():
    counts = attack(number=120, seed=0)
    assert counts["worst: the optimum, checked"] >= counts["worst: layers"] - 1 > 40
    assert counts["mean: the optimum, checked"] > 0.75 * counts["mean: layers"] > 30
    assert counts["worst: raised"] > 10 and counts["mean: raised"] > 4
    assert not counts["worst: on somebody's word"] and not counts["mean: on somebody's word"]


@pytest.mark.parametrize(("objective", "method"), [("worst", PARTITION), ("mean", WINDOWS)])
def test_weights_of_replicas_on_nodes_raise_the_bound(objective, method):
    incumbent = incumbent_of(objective)
    instant = incumbent.bound
    PROVERS[method](incumbent, Meter(Limits(60.0, work=3.0)))
    assert instant * Fraction(1005, 1000) < incumbent.bound < incumbent.value
    assert incumbent.proof.checked
    assert WINDOWS in kinds_in(incumbent.proof.evidence)
    check_proof(incumbent.proof, Instance.from_loads(LOADS, DEPLOYMENT), Objective(objective))


def test_windows_of_a_node_are_weighed():
    weights = tuple(map(Fraction, (3, 1, 0)))
    incumbent = incumbent_of("mean", weights=weights)
    instant = incumbent.bound
    WindowNodes(incumbent, Meter(Limits(60.0, work=2.0))).run()
    assert incumbent.bound > instant
    check_proof(incumbent.checked, Instance.from_loads(LOADS, DEPLOYMENT), Objective("mean", weights))


@pytest.mark.parametrize("deployment", [Deployment(4, 12, 2, 4), Deployment(3, 9)])
@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_tiny_layers_are_closed_with_a_certificate(objective, deployment):
    # No window is hot by itself, and none can be balanced without another one.
    loads = np.array([[[9, 1, 2, 4, 3, 5, 1, 7]], [[1, 8, 6, 1, 2, 1, 9, 3]]])
    instance = Instance.from_loads(loads[:, 0], deployment)
    solution = eplb_opt.solve(loads, deployment, objective=objective, target_gap=0, time_limit=6, deterministic=True)
    (layer,) = solution.layers
    assert layer.objective == layer.lower_bound > instant_bound(instance, Objective(objective)).bound
    assert certify(solution, loads)[0].checked


def test_it_applies_to_nodes_with_few_patterns_and_to_few_partitions():
    def applies(*arguments, experts=64, windows=2, **rules):
        instance = Instance.from_loads(np.ones((windows, experts), dtype=int), Deployment(*arguments, **rules))
        assert not window_weightings_apply(instance) or not window_nodes_apply(instance)
        return window_nodes_apply(instance)

    assert applies(32, 96, 4, 8)
    assert applies(64, 512, 8, 8, experts=256)
    assert not applies(32, 96)
    assert not applies(32, 96, 4, 8, windows=1)
    assert not applies(32, 96, 4, 8, dispatch="nearest")
    # Eight slots for 64 experts of a node, and 2,627,625 partitions.
    assert not applies(32, 288, 4, 8, experts=256)
    assert not applies(32, 96, 4, 16)
