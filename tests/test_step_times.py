"""Step times: sums over layers of what a step says of each, and a bound where one follows."""

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads, TimeModel
from eplb_opt.evaluate import summarise
from eplb_opt.gain import compared_plans
from eplb_opt.model import Model
from eplb_opt.step import Step
from eplb_opt.step_times import StepTimes, least_milliseconds, plan_milliseconds

DEPLOYMENT = Deployment(4, 12)
MODEL = Model("two of eight", 3, (0, 1, 2), num_experts=8, experts_per_token=2)
VALUES = np.random.default_rng(5).lognormal(5, 1, (2, 3, 8)).astype(int)


def step_of(tokens, **changes):
    model = TimeModel(**{"per_replica": 14.78, "per_token": 0.0945} | changes)
    return Step(time_model=model, tokens_per_gpu=tokens, experts_per_token=2)


@pytest.mark.parametrize("objective", ["total", "mean", "worst"])
@pytest.mark.parametrize("tokens", [1.0, 4096.0])
def test_plans_take_what_evaluate_says_and_no_plan_less_than_the_bound(objective, tokens):
    loads, step = Loads(VALUES), step_of(tokens)
    solution = eplb_opt.solve(loads, DEPLOYMENT, objective=objective, deterministic=True, time_limit=0.1)
    times = StepTimes.of(solution, loads, step)
    settings = {"time_model": step.time_model, "tokens_per_gpu": tokens, "model": MODEL}
    plans = (*compared_plans(solution, loads), solution.plan)
    for plan, found in zip(plans, (times.now, times.greedy, times.plan), strict=True):
        assert summarise(eplb_opt.evaluate(plan, loads, **settings))["milliseconds"] == pytest.approx(found)
    assert times.least <= min(times.now, times.greedy, times.plan) * (1 + 1e-12)
    assert plan_milliseconds(step, solution.plan, loads) == times.plan
    if tokens > 1000 and objective == "mean":
        # The hottest GPU decides, so that the bound on the imbalance is one on the time.
        bound = sum(float(layer.lower_bound) for layer in solution.layers)
        assert times.least == pytest.approx(bound * tokens * 2 * 0.0945 / 1e3)


def test_bounds_of_other_objectives_say_nothing_of_the_mean():
    loads, step = Loads(VALUES), step_of(4096.0)
    plan = eplb_opt.solve(loads, DEPLOYMENT, method="greedy").plan
    perfect = 3 * 4096.0 * 2 * 0.0945 / 1e3
    for objective in ("worst", "total", "weighted mean"):
        assert least_milliseconds(step, plan, loads, [10**9] * 3, objective) == pytest.approx(perfect)


def test_a_part_of_a_step_follows_amdahl():
    assert step_of(1.0).part_of_step(4.0, 3.0) is None
    assert step_of(1.0, share_of_step=0.4).part_of_step(4.0, 3.0) == pytest.approx(0.1)
