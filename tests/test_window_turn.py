"""Steps of a layer of several windows: annealing, then repartition while it is quick, then a longer or a hot run."""

from time import monotonic

import numpy as np
import pytest

import eplb_opt
from eplb_opt.aim import Aim
from eplb_opt.backends.outcome import PARTITION
from eplb_opt.budget import Budget
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.record import LayerRecord
from eplb_opt.steps import Finding, Findings, run_in_worker
from eplb_opt.verify import max_loads
from eplb_opt.window_steps import anneal_on, repartition_on
from eplb_opt.window_turn import WindowTurn

LOADS = np.random.default_rng(0).lognormal(8, 1, (3, 32)).astype(int)


DEPLOYMENT = Deployment(8, 40)


def new_turn(deployment=DEPLOYMENT, deterministic=True, scenarios=0, objective="mean", method="auto"):
    instance = Instance.from_loads(LOADS, deployment)
    record = LayerRecord(0, instance, Aim(objective, scenarios=scenarios))
    record.offer_plan(greedy(instance.total()), "greedy")
    budget = Budget(seconds=1e6, target_gap=0, seed=0, workers=1, deterministic=deterministic, began=monotonic())
    return WindowTurn(record, method, budget, 1e6)


def take(turn, better=False, fair_seconds=1e6):
    """The function of the next step, which then finds nothing, or says that it does."""
    step = turn.next_step("call", fair_seconds, 1)
    if step is None:
        return None
    turn.began(step)
    turn.running.clear()
    last = turn.record.slots if step.function is anneal_on else None
    items = (Finding("search", slots=turn.record.slots),)
    turn.absorb(step.kind, Findings("search", items, 0.01, last=last), better)
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


@pytest.mark.parametrize("quick", [0, 3, 100])
def test_slow_repartition_is_waited_for_the_longer_the_more_of_it_was_quick(quick):
    turn = new_turn()
    until(turn, repartition_on)
    for _ in range(quick):
        turn._above_before = 2 * turn._above + 1
        take(turn, better=True)
    # The step before the first of these was slow as well.
    assert until(turn, anneal_on) == min(10, 1 + quick)


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


@pytest.mark.parametrize("seconds", [1, 60])
def test_the_first_run_leaves_most_of_the_time_to_repartition(seconds):
    turn = new_turn(deterministic=False)
    take(turn, fair_seconds=seconds)
    first = turn.length
    assert first * 2e-7 < 0.3
    # Each step of a test takes 0.01 s, whatever it has to consider.
    until(turn, repartition_on)
    take(turn, better=True)
    take(turn, fair_seconds=seconds)
    assert turn.length > first


def test_scenarios_below_the_bound_of_the_windows_are_no_reason_to_stop():
    turn = new_turn(Deployment(16, 32), scenarios=30)
    assert turn._above > 0


HIERARCHY = Deployment(8, 40, 2, 4)


def test_nodes_have_their_turn_after_each_run_where_the_hottest_window_counts():
    turn = new_turn(HIERARCHY, objective="worst")
    until(turn, repartition_on)
    assert take(turn) is repartition_on
    step = turn.next_step("call", 1e6, 1)
    assert (step.kind, step.function) == (PARTITION, run_in_worker)
    # What a worker is told is in the unit of what it is to report.
    (task,) = step.arguments
    assert max(max_loads(task.incumbent, task.instance)) == turn.record.objective
    assert take(turn) is run_in_worker
    assert take(turn) is anneal_on
    until(turn, repartition_on)
    take(turn)
    assert turn.programs == 1


@pytest.mark.parametrize(
    "options", [{"objective": "mean"}, {"scenarios": 3}, {"method": "search"}, {"deployment": DEPLOYMENT}]
)
def test_nodes_are_not_planned_by_themselves_where_that_is_not_the_same(options):
    turn = new_turn(**{"deployment": HIERARCHY, "objective": "worst"} | options)
    assert run_in_worker not in {take(turn) for _ in range(500)}


@pytest.mark.parametrize("deterministic", [True, False])
def test_hierarchies_of_several_windows_are_proven(deterministic):
    # Of one window by itself the hottest node is far hotter than any other.
    loads = np.array(LOADS)
    loads[0] *= [9] * 16 + [1] * 16
    loads[0, 8:24] //= 10
    deployment = Deployment(8, 40, 2, 4)
    solution = eplb_opt.solve(
        loads[:, np.newaxis], deployment, objective="worst", time_limit=20, workers=2, deterministic=deterministic
    )
    assert solution.layers[0].gap <= 1e-4
    assert eplb_opt.verify(solution.plan) == []


def test_repartition_is_part_of_a_solution():
    solution = eplb_opt.solve(np.array(LOADS)[:, np.newaxis], Deployment(8, 40), time_limit=1.0, workers=1)
    assert solution.layers[0].work["repartition"] > 0
