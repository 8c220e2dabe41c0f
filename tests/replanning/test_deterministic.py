"""replan with limited work: the same plans and bounds for any number of workers, and whatever the clock says."""

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads, Plan
from eplb_opt.replan import replan, replan_curve
from eplb_opt.replanning import search

RANDOM = np.random.default_rng(8)
LOADS = Loads(RANDOM.lognormal(6, 0.8, (3, 24)).astype(int)[None])
WINDOWS = Loads(RANDOM.lognormal(6, 0.8, (2, 3, 24)).astype(int))
IN_ORDER = Plan(np.tile(np.arange(24), (3, 1)), Deployment(4, 24), 24)
DIFFERENT = Deployment(4, 28, gpu_slots=(8, 7, 7, 6), gpu_speeds=[1, 1, "1/2", "7/10"])


def facts(found):
    """All that is said of plans but what the clock says."""
    layers = [(layer.moves, layer.moves_bound, layer.objective, layer.proof) for layer in found.layers]
    return found.plan.physical_to_logical.tolist(), layers, found.bound_in_all, found.moves_bound


def old_plan(name):
    return IN_ORDER if name == "alike" else eplb_opt.solve(LOADS, DIFFERENT, method="greedy").plan


@pytest.mark.parametrize(("name", "loads"), [("alike", LOADS), ("alike", WINDOWS), ("different", LOADS)])
def test_plans_and_bounds_are_the_same_for_any_number_of_workers(name, loads, monkeypatch):
    old, calls = old_plan(name), []
    for workers in (1, 3):
        if workers == 3:
            # A clock that is far ahead ends every search by the clock.
            monkeypatch.setattr(search, "monotonic", lambda: float("inf"))
        curve = replan_curve(old, loads, [0, 4, 12], time_limit=0.6, workers=workers, deterministic=True)
        calls.append([facts(found) for found in curve])
    assert calls[0] == calls[1]
    assert curve[2].value < curve[1].value < curve[0].value


def test_as_few_moves_as_lead_to_a_gap_are_the_same_too_and_proven():
    one, two = (
        replan(IN_ORDER, LOADS, target_gap=0.02, time_limit=1.5, workers=workers, deterministic=True)
        for workers in (1, 2)
    )
    assert facts(one) == facts(two)
    # Proofs take work, and that is counted.
    at_once = replan(IN_ORDER, LOADS, target_gap=0.02, time_limit=1e-4, deterministic=True)
    assert at_once.moves_bound < one.moves_bound <= one.moves


def test_plans_that_do_not_look_at_the_old_one_are_the_same_too():
    one, two = (
        replan(IN_ORDER, LOADS, max_moves=72, time_limit=0.6, workers=workers, deterministic=True) for workers in (1, 2)
    )
    assert facts(one) == facts(two)


def test_more_work_leads_further():
    little, more = (
        replan(IN_ORDER, LOADS, max_moves=12, time_limit=seconds, deterministic=True) for seconds in (1e-4, 1)
    )
    assert more.value <= little.value and more.gap < little.gap
