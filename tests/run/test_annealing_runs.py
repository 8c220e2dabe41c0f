"""Steps of a layer of several windows: annealing, then repartition while it is quick, then runs from elsewhere."""

from itertools import pairwise
from time import monotonic

import numpy as np
import pytest

import eplb_opt
from eplb_opt.bounds.methods import PARTITION, WINDOWS
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.joint import joint_greedy
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import CallLimits
from eplb_opt.objective import Objective
from eplb_opt.run.step import REPARTITION, SEARCH, StepResult
from eplb_opt.run.steps import anneal_on, reassign_on, run_in_worker
from eplb_opt.run.strategy import Strategy
from eplb_opt.verify import max_loads

LOADS = np.random.default_rng(0).lognormal(8, 1, (3, 32)).astype(int)


DEPLOYMENT = Deployment(8, 40)


def new_strategy(deployment=DEPLOYMENT, deterministic=True, scenarios=0, objective="mean", method="auto"):
    instance = Instance.from_loads(LOADS, deployment)
    incumbent = Incumbent(*Objective(objective, scenarios=scenarios).on(instance))
    incumbent.offer_plan(greedy(instance.total()), "greedy")
    limits = CallLimits(seconds=1e6, target_gap=0, seed=0, workers=1, deterministic=deterministic, began=monotonic())
    return Strategy.of(incumbent, method, limits, 1e6)


def take(strategy, better=False, fair_seconds=1e6):
    """The function of the next step, which then finds nothing, or says that it does."""
    step = strategy.next_step("call", fair_seconds, 1)
    if step is None:
        return None
    strategy.began(step)
    strategy.running.clear()
    strategy.learn(step.kind, in_vain(step, strategy.incumbent.slots), better)
    return step.function


def in_vain(step, last):
    """What a step of search gives that ends at the plan `last`."""
    name = REPARTITION if step.function is reassign_on else SEARCH
    return StepResult(name, (Improvement(name, slots=last),), 0.01, last=last)


def until(strategy, function):
    """Steps until the next one of this function, which is taken too."""
    for count in range(10_000):
        if take(strategy) is function:
            return count
    raise AssertionError


def runs_of(strategy, last=None):
    """First temperature, length, share of transfers and start of each run, where all are in vain."""
    runs = []
    while (step := strategy.next_step("call", 1e6, 1)) is not None:
        search = strategy.search
        if step.function is anneal_on and search.made == step.arguments[2].proposals:
            segment = step.arguments[2]
            runs.append((segment.hot, search.length, segment.transfers, segment.slots))
        strategy.began(step)
        strategy.running.clear()
        strategy.learn(step.kind, in_vain(step, strategy.incumbent.slots if last is None else last), False)
    return runs


def test_a_round_in_vain_is_a_warm_run_some_with_likely_counts_which_they_keep_and_a_hot_one():
    strategy = new_strategy(method="search")
    runs = runs_of(strategy)
    rounds = [runs[i : i + 7] for i in range(0, len(runs), 7)]
    assert strategy.exhausted
    assert strategy.search.rounds_in_vain == len(rounds) == 4
    for (warm, length, share, start), *anew, hot in rounds:
        assert hot[0] > 10 * warm
        assert {run[1] for run in (hot, *anew)} == {length}
        assert {run[0] for run in anew} == {warm}
        assert (share, hot[2], {run[2] for run in anew}) == (0.1, 0.1, {0.0})
        assert all(row.tolist() == strategy.incumbent.slots.tolist() for row in (start, hot[3]))
        assert len({tuple(run[3].tolist()) for run in anew}) == len(anew) == 5
    assert all(longer[0][1] > 2 * shorter[0][1] for shorter, longer in pairwise(rounds))


def test_a_run_anew_that_ends_far_above_the_best_plan_is_the_last_before_the_hot_one():
    strategy = new_strategy(method="search")
    incumbent = strategy.incumbent
    incumbent.offer_plan(joint_greedy(incumbent.instance, incumbent.windows), "joint greedy")
    # The five heaviest experts on one GPU.
    heaviest = np.argsort(-LOADS.sum(axis=0))
    runs = runs_of(strategy, last=np.concatenate([heaviest, heaviest[:8]]))
    assert [run[2] for run in runs[:6]] == [0.1, 0.0, 0.1, 0.1, 0.0, 0.1]
    assert runs[3][1] > runs[2][1]


@pytest.mark.parametrize("deployment", [Deployment(8, 40, 2, 4), Deployment(8, 40, dispatch="nearest")])
def test_without_likely_counts_a_round_is_a_warm_run_and_a_hot_one(deployment):
    runs = runs_of(new_strategy(deployment, method="search"))
    assert {run[2] for run in runs} == {0.1}
    assert all(hot[0] > 10 * warm[0] and hot[1] == warm[1] for warm, hot in zip(runs[::2], runs[1::2], strict=True))


def test_a_small_layer_is_done_after_shorter_runs():
    strategy = new_strategy(Deployment(4, 36), method="search")
    while take(strategy) is not None:
        pass
    assert strategy.search.rounds_in_vain == 3
    assert strategy.search.length >= 36 * 400_000


def test_runs_anew_in_vain_are_not_followed_by_repartition_of_the_same_plan():
    strategy = new_strategy(method="search")
    while strategy.search.turn < 1:
        take(strategy)
    functions = []
    while 1 <= strategy.search.turn <= 5:
        functions.append(take(strategy))
    assert set(functions) == {anneal_on}


def test_wide_repartition_goes_on_from_the_best_plan_and_from_where_other_runs_end():
    strategy = new_strategy(Deployment(16, 64), method="search")
    turns, ended = [], np.resize(np.arange(32), 64)[::-1].copy()
    while strategy.search.runs < 8:
        step = strategy.next_step("call", 1e6, 1)
        if step.function is reassign_on:
            turns += [strategy.search.turn] if strategy.search.patience == 2 else []
            expected = ended if strategy.search.turn else strategy.incumbent.slots
            assert step.arguments[2] is expected
        strategy.began(step)
        strategy.running.clear()
        strategy.learn(step.kind, in_vain(step, ended), False)
    # The first run begins with likely counts, as do all after it in a round but the last, which is hot.
    assert turns == [1, 2, 3, 4, 5, 6, 0, 1]


def test_all_windows_are_proven_at_once_after_a_run_and_again_once_search_had_as_much_work():
    strategy = new_strategy()
    assert take(strategy) is anneal_on
    until(strategy, run_in_worker)
    assert strategy.search.runs == strategy.tally.proofs == 1
    first = strategy.tally.work[WINDOWS]
    until(strategy, run_in_worker)
    assert strategy.tally.proofs == 2
    assert strategy.search.runs >= 2
    assert strategy.tally.work[SEARCH] >= first > 0


def test_a_worker_that_is_free_while_search_runs_proves_however_much_search_had():
    strategy = new_strategy(deterministic=False)
    until(strategy, run_in_worker)
    strategy.search.runs = 2
    assert strategy.tally.search_is_behind
    step = strategy.next_step("call", 1e6, 1)
    assert step.function is anneal_on
    strategy.began(step)
    assert strategy.next_step("call", 1e6, 1).function is run_in_worker


def test_a_layer_with_little_time_is_searched_alone():
    strategy = new_strategy(deterministic=False)
    functions = {take(strategy, fair_seconds=2.0) for _ in range(400)}
    assert run_in_worker not in functions
    assert strategy.search.runs > 1


def test_a_better_plan_by_repartition_makes_a_run_one_of_use():
    strategy = new_strategy(method="search")
    until(strategy, reassign_on)
    length = strategy.search.length
    assert take(strategy, better=True) is reassign_on
    assert strategy.search.turn == strategy.search.rounds_in_vain == 0
    assert take(strategy) is anneal_on
    assert strategy.search.length > length


@pytest.mark.parametrize("scenarios", [0, 30])
def test_quick_repartition_goes_on(scenarios):
    strategy = new_strategy(scenarios=scenarios)
    until(strategy, reassign_on)
    for _ in range(5):
        # As if the plan had been worse before this step.
        strategy.search._above_before = 2 * strategy.search._above + 1
        assert take(strategy, better=True) is reassign_on


@pytest.mark.parametrize("quick", [0, 3, 100])
def test_slow_repartition_is_waited_for_the_longer_the_more_of_it_was_quick(quick):
    strategy = new_strategy(method="search")
    until(strategy, reassign_on)
    for _ in range(quick):
        strategy.search._above_before = 2 * strategy.search._above + 1
        take(strategy, better=True)
    # The step before the first of these was slow as well.
    assert until(strategy, anneal_on) == min(10, 1 + quick)


@pytest.mark.parametrize("deployment", [Deployment(32, 32), Deployment(1, 40, distinct=False)])
def test_nothing_to_deal_anew_takes_no_time(deployment):
    strategy = new_strategy(deployment)
    functions = {take(strategy) for _ in range(200)}
    assert reassign_on not in functions


def test_a_run_fits_the_time_there_is():
    strategy, long = new_strategy(deterministic=False), new_strategy(deterministic=False)
    take(strategy, fair_seconds=0.05)
    take(long, fair_seconds=60)
    assert 20_000 <= strategy.search.length < long.search.length


@pytest.mark.parametrize("seconds", [1, 60])
def test_the_first_run_leaves_most_of_the_time_to_repartition(seconds):
    strategy = new_strategy(deterministic=False, method="search")
    take(strategy, fair_seconds=seconds)
    first = strategy.search.length
    assert first * 2e-7 < 0.3
    # Each step of a test takes 0.01 s, whatever it has to consider.
    until(strategy, reassign_on)
    take(strategy, better=True)
    take(strategy, fair_seconds=seconds)
    assert strategy.search.length > first


def test_scenarios_below_the_bound_of_the_windows_are_no_reason_to_stop():
    strategy = new_strategy(Deployment(16, 32), scenarios=30)
    assert strategy.search._above > 0


HIERARCHY = Deployment(8, 40, 2, 4)


def test_nodes_have_their_turn_after_each_run_where_the_hottest_window_counts():
    strategy = new_strategy(HIERARCHY, objective="worst")
    until(strategy, reassign_on)
    assert take(strategy) is reassign_on
    step = strategy.next_step("call", 1e6, 1)
    assert (step.kind, step.function) == (PARTITION, run_in_worker)
    # What a worker is told is in the unit of what it is to report.
    (task,) = step.arguments
    assert max(max_loads(task.slots, task.instance)) == strategy.incumbent.value
    assert take(strategy) is run_in_worker
    assert take(strategy) is anneal_on
    until(strategy, reassign_on)
    take(strategy)
    assert strategy.tally.proofs == 1


@pytest.mark.parametrize(
    "options", [{"objective": "mean"}, {"scenarios": 3}, {"method": "search"}, {"deployment": DEPLOYMENT}]
)
def test_nodes_are_not_planned_by_themselves_where_that_is_not_the_same(options):
    strategy = new_strategy(**{"deployment": HIERARCHY, "objective": "worst"} | options)
    for _ in range(500):
        take(strategy)
    assert PARTITION not in strategy.tally.steps


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
    solution = eplb_opt.solve(np.array(LOADS)[:, np.newaxis], Deployment(8, 40), time_limit=1.0, deterministic=True)
    assert solution.layers[0].work["repartition"] > 0
