"""Steps of a layer of several windows: annealing, then repartition while it is quick, then a longer or a hot run."""

from time import monotonic

import numpy as np
import pytest

import eplb_opt
from eplb_opt.aim import Aim
from eplb_opt.budget import Budget
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.record import LayerRecord
from eplb_opt.steps import Finding, Findings
from eplb_opt.turn import SEARCH
from eplb_opt.window_steps import anneal_on, repartition_on
from eplb_opt.window_turn import WindowTurn

LOADS = np.random.default_rng(0).lognormal(8, 1, (3, 32)).astype(int)


DEPLOYMENT = Deployment(8, 40)


def new_turn(deployment=DEPLOYMENT, deterministic=True, scenarios=0):
    instance = Instance.from_loads(LOADS, deployment)
    record = LayerRecord(0, instance, Aim("mean", scenarios=scenarios))
    record.offer_plan(greedy(instance.total()), "greedy")
    budget = Budget(seconds=1e6, target_gap=0, seed=0, workers=1, deterministic=deterministic, began=monotonic())
    return WindowTurn(record, "auto", budget, 1e6)


def take(turn, better=False, fair_seconds=1e6):
    """The function of the next step, which then finds nothing, or says that it does."""
    step = turn.next_step("call", fair_seconds, 1)
    if step is None:
        return None
    turn.began(step)
    turn.running.clear()
    last = turn.record.slots if step.function is anneal_on else None
    items = (Finding("search", slots=turn.record.slots),)
    turn.absorb(SEARCH, Findings("search", items, 0.01, last=last), better)
    return step.function


def until(turn, function):
    """Steps until the next one of this function, which is taken too."""
    for count in range(10_000):
        if take(turn) is function:
            return count
    raise AssertionError


def test_two_runs_in_vain_end_it_and_the_second_is_hot():
    turn = new_turn()
    until(turn, repartition_on)
    warm, length = turn.hot, turn.length
    assert take(turn) is repartition_on
    assert turn.runs_in_vain == 1
    assert take(turn) is anneal_on
    assert turn.hot > 10 * warm
    assert turn.length == length
    until(turn, repartition_on)
    take(turn)
    assert take(turn) is None
    assert turn.exhausted


def test_a_better_plan_by_repartition_makes_a_run_one_of_use():
    turn = new_turn()
    until(turn, repartition_on)
    length = turn.length
    assert take(turn, better=True) is repartition_on
    assert turn.runs_in_vain == 0
    assert take(turn) is anneal_on
    assert turn.length > length


@pytest.mark.parametrize("scenarios", [0, 30])
def test_quick_repartition_goes_on(scenarios):
    turn = new_turn(scenarios=scenarios)
    until(turn, repartition_on)
    for _ in range(5):
        # As if the plan had been worse before this step.
        turn._above_before = 2 * turn._above + 1
        assert take(turn, better=True) is repartition_on


@pytest.mark.parametrize("deployment", [Deployment(32, 32), Deployment(1, 40, distinct=False)])
def test_nothing_to_deal_anew_takes_no_time(deployment):
    turn = new_turn(deployment)
    functions = {take(turn) for _ in range(200)}
    assert repartition_on not in functions


def test_a_run_fits_the_time_there_is():
    turn, long = new_turn(deterministic=False), new_turn(deterministic=False)
    take(turn, fair_seconds=0.05)
    take(long, fair_seconds=60)
    assert 20_000 <= turn.length < long.length


def test_scenarios_below_the_bound_of_the_windows_are_no_reason_to_stop():
    turn = new_turn(Deployment(16, 32), scenarios=30)
    assert turn._above > 0


def test_repartition_is_part_of_a_solution():
    solution = eplb_opt.solve(np.array(LOADS)[:, np.newaxis], Deployment(8, 40), time_limit=1.0, workers=1)
    assert solution.layers[0].work["repartition"] > 0
