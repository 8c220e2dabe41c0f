"""Gain: what runs now, greedy, the plan and the bound, as the definition alone has them."""

from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from hypothesis import given

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.gain import experts_in_order, gain_of, greedy_plan
from eplb_opt.loads import Loads
from tests.known import OBJECTIVES, Known, near
from tests.strategies import deployments_and_experts

RANDOM = np.random.default_rng(7)
# A layer without load, and a window of another without.
VALUES = RANDOM.lognormal(6, 1, (3, 4, 16)).astype(int)
VALUES[:, 2], VALUES[1, 3] = 0, 0
LOADS = Loads(VALUES, (3, 5, 6, 9))


@pytest.mark.parametrize("deployment", [Deployment(8, 24), Deployment(8, 24, 2, 4)], ids=["global", "hierarchical"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_all_figures_are_excesses_by_the_definition(deployment, objective):
    solution = eplb_opt.solve(LOADS, deployment, objective=objective, time_limit=0.2)
    gain = gain_of(solution, LOADS)

    def excess(plan):
        known = Known.of(plan, LOADS)
        return near(float(known.excess([known.objective(layer, objective) for layer in range(4)], objective)))

    assert gain.now == excess(experts_in_order(LOADS, deployment))
    assert gain.greedy == excess(greedy_plan(LOADS, deployment))
    assert gain.plan == excess(solution.plan)
    assert gain.bound <= min(gain.plan, gain.greedy)
    assert (gain.unbound is None) == (not deployment.hierarchical)
    # Of the four figures only the last is about another deployment, on which plans may be below the bound.
    if gain.unbound is not None:
        assert gain.unbound == excess(greedy_plan(LOADS, Deployment(8, 24)))
    old = eplb_opt.solve(LOADS, deployment, method="snake").plan
    assert gain_of(solution, LOADS, old).now == excess(old)


@given(deployments_and_experts())
def test_in_order_is_what_vllm_and_sglang_start_with(pair):
    deployment, experts = pair
    plan = experts_in_order(Loads(np.ones((2, experts))), deployment)
    # vLLM: build_initial_global_physical_to_logical_map.
    redundant = deployment.num_slots - experts
    row = [*range(experts), *(slot % experts for slot in range(redundant))]
    assert plan.physical_to_logical.tolist() == [row, row]
    assert eplb_opt.verify(plan) == []


def test_greedy_is_the_published_policy_on_the_summed_windows():
    deployment = Deployment(8, 24, 2, 4)
    alone = eplb_opt.solve(VALUES.sum(axis=0), deployment, method="greedy").plan
    assert greedy_plan(LOADS, deployment).physical_to_logical.tolist() == alone.physical_to_logical.tolist()


def test_groups_on_nodes_have_a_price_that_no_plan_avoids():
    """All 12 tokens are of one group, and so on one of two nodes of one GPU: 6 above the mean of 6."""
    solution = eplb_opt.solve([[6, 6, 0, 0]], Deployment(2, 4, 2, 2), method="greedy")
    gain = gain_of(solution, Loads([[6, 6, 0, 0]]))
    assert (gain.plan, gain.bound, gain.unbound, gain.price) == (1, 1, 0, 1)
    anywhere = eplb_opt.solve([[6, 6, 0, 0]], Deployment(2, 4, policy="global"), method="greedy")
    assert gain_of(anywhere, Loads([[6, 6, 0, 0]])).price == 0


def test_the_price_is_never_negative():
    """One GPU on each node, and a group for each: the rule asks for nothing that greedy would not do."""
    solution = eplb_opt.solve([[3, 3, 3, 3]], Deployment(4, 4, 4, 4), method="greedy")
    assert gain_of(solution, Loads([[3, 3, 3, 3]])).price == 0


def test_without_load_there_is_no_gain():
    solution = eplb_opt.solve(np.zeros((2, 4)), Deployment(2, 4), method="greedy")
    gain = gain_of(solution, Loads(np.zeros((2, 4))))
    assert all(isnan(figure) for figure in (gain.now, gain.greedy, gain.plan, gain.bound))


def test_figures_are_under_the_dispatch_of_the_plan():
    """Two GPUs on two nodes: each asks its own replica, so that half of the load of expert 0 is on each."""
    deployment = Deployment(2, 4, 2, dispatch="nearest", policy="global")
    loads = Loads([[8, 2, 2]])
    solution = eplb_opt.solve(loads, deployment, method="greedy")
    # In order: slots 0 1 | 2 0. GPU 0: 4 + 2, GPU 1: 2 + 4.
    assert gain_of(solution, loads).now == float(Fraction(6, 6) - 1)
