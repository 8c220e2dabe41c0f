"""LayerRun: what a step found becomes known, counted and told in the unit that was asked for."""

import time
from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.improvement import Improvement
from eplb_opt.instance import Instance
from eplb_opt.limits import CallLimits
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof
from eplb_opt.run.layer_run import LayerRun
from eplb_opt.run.step import SEARCH, START, StepResult

LOADS = [20, 21, 69, 61]
# Distinct replicas on 3 GPUs of 2 slots: 65 is optimal. The mean load is 57.
BEST, WORSE = [0, 3, 2, 1, 2, 3], [0, 2, 1, 3, 1, 3]


def layer(asked=None, windows=(LOADS,), method="auto"):
    limits = CallLimits(time.monotonic(), 60.0, Fraction(1, 10**4), seed=0, workers=1, deterministic=False)
    instance = Instance.from_loads(list(windows), Deployment(3, 6))
    return LayerRun.of(7, instance, asked or Objective("total"), method, limits, share=60.0)


def plan(row, seconds=0.0):
    return Improvement("a test", slots=np.array(row), seconds=seconds)


def bound(value):
    return Improvement("mean", proof=Proof("mean", Fraction(value), checked=True))


def test_seconds_are_counted_by_the_name_of_what_was_done():
    one = layer()
    one.absorb(START, StepResult(START, (plan(WORSE), bound(57)), 0.5), began=0.0)
    for name, seconds in (("search", 1.0), ("repartition", 4.0), ("search", 2.0)):
        one.absorb(SEARCH, StepResult(name, (), seconds, last=np.array(WORSE)), began=0.0)
    solution = one.to_solution(interrupted=False)
    assert (solution.work, solution.runtime) == ({"start": 0.5, "search": 3.0, "repartition": 4.0}, 7.5)


def test_improvements_count_since_the_call_began():
    one = layer()
    one.absorb(START, StepResult(START, (bound(57), plan(WORSE, seconds=0.25)), 0.5), began=2.0)
    assert [point.seconds for point in one.to_solution(interrupted=False).trace] == [2.25]


def test_a_layer_is_done_once_plan_and_bound_have_met():
    one = layer()
    one.absorb(START, StepResult(START, (plan(BEST), bound(57)), 0.1), began=0.0)
    assert (one.started, one.done) == (True, False)
    one.absorb("pairing", StepResult("pairing", (bound(65),), 0.1, complete=True), began=0.0)
    assert one.done
    solution = one.to_solution(interrupted=False)
    assert (solution.status, solution.stopped_by, solution.gap) == ("optimal", None, 0)


@pytest.mark.parametrize(
    ("method", "interrupted", "reason"),
    [("auto", False, "time"), ("auto", True, "interrupt"), ("greedy", False, "stalled")],
)
def test_a_layer_that_is_not_closed_says_why_it_stopped(method, interrupted, reason):
    one = layer(method=method)
    one.absorb(START, StepResult(START, (plan(BEST), bound(57)), 0.1), began=0.0)
    one.end_start()
    assert one.to_solution(interrupted).stopped_by == reason


def test_within_the_target_gap_it_stopped_for_that():
    one = layer()
    one.absorb(START, StepResult(START, (plan(BEST), bound(65 - Fraction(1, 1000))), 0.1), began=0.0)
    assert one.to_solution(interrupted=True).stopped_by == "gap"


@pytest.mark.parametrize("kind", ["mean", "worst"])
def test_one_window_is_searched_in_tokens_and_told_in_the_unit_of_the_objective(kind):
    empty = [0, 0, 0, 0]
    one = layer(Objective(kind), [LOADS, empty])
    one.absorb(START, StepResult(START, (plan(BEST), bound(57)), 0.1), began=0.0)
    assert (one.incumbent.value, one.incumbent.bound) == (65, 57)
    solution = one.to_solution(interrupted=False)
    assert (solution.objective, solution.lower_bound) == (Fraction(65, 57), 1)
    assert (solution.trace[-1].objective, solution.trace[-1].lower_bound) == (Fraction(65, 57), 1)
    assert (solution.max_load, solution.mean_load) == (65, 57)


def test_a_layer_that_is_given_up_keeps_what_is_known():
    one = layer()
    one.absorb(START, StepResult(START, (plan(WORSE), bound(57)), 0.1), began=0.0)
    one.give_up("a step failed: OSError: no more", 3.0)
    solution = one.to_solution(interrupted=False)
    assert one.done and solution.stopped_by == "stalled"
    assert solution.trace[-1].source == "a step failed: OSError: no more"
