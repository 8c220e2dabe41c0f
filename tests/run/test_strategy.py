"""Strategy: which step a layer takes next, and that more work only goes on from where less work ends."""

import time
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.methods import DECOMPOSITION, PAIRING, PARTITION
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import CallLimits
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.run.step import SEARCH, StepResult
from eplb_opt.run.strategy import Strategy
from eplb_opt.verify import verify
from tests.examples import examples


def layer(num_experts, deployment):
    """An incumbent with the greedy plan and the instant bounds, as a layer has after its first step."""
    loads = np.random.default_rng(0).lognormal(0, 1.0, num_experts).round(3)
    incumbent = Incumbent(Instance.from_loads(loads, deployment))
    incumbent.offer_plan(greedy(incumbent.instance), "greedy")
    for proof in quick_bounds(incumbent.instance):
        incumbent.offer_proof(proof)
    return incumbent


# Small: few enough variables in the whole model. Otherwise what closes the gap goes by nodes and slots per GPU.
SMALL_THREE = layer(6, Deployment(4, 12))
THREE = layer(64, Deployment(32, 96))
TWO = layer(64, Deployment(48, 96))
SMALL_TWO = layer(6, Deployment(4, 8))
NODES = layer(64, Deployment(32, 96, 4, 8))
# 8 of 16 groups are too many sets to tell apart.
MANY_GROUPS = layer(64, Deployment(32, 96, 2, 16))


def nearly_closed():
    """Like `THREE`, with a gap that is narrow."""
    narrow = layer(64, Deployment(32, 96))
    narrow.offer_proof(Proof("somebody", narrow.value * (1 - Fraction(1, 10**5)), checked=True))
    return narrow


def strategy(incumbent, method="auto", deterministic=False, share=10.0, seconds=60.0, target_gap=Fraction(1, 10**6)):
    return Strategy.of(incumbent, method, CallLimits(time.monotonic(), seconds, target_gap, 3, 2, deterministic), share)


def take(one, number, better=()):
    """Take up to `number` steps, one after the other; those in `better` find a better plan."""
    steps = []
    for index in range(number):
        step = one.next_step("call", 7.0, 2)
        if step is None:
            break
        one.began(step)
        one.running.discard(step.kind)
        one.learn(step.kind, StepResult(step.kind, (), 0.0), index in better)
        steps.append(step)
    return steps


def kinds(one, number, better=()):
    return [step.kind for step in take(one, number, better)]


def runs(kinds):
    """``[("search", 3), ("decomposition", 1), ...]``."""
    return [(kind, len(list(group))) for kind, group in groupby(kinds)]


def test_search_comes_first_on_all_but_small_layers():
    for incumbent in (THREE, TWO, NODES, MANY_GROUPS):
        for method in ("auto", "search"):
            assert kinds(strategy(incumbent, method), 1) == [SEARCH]


@pytest.mark.parametrize(("incumbent", "methods"), [(THREE, {DECOMPOSITION}), (NODES, {PARTITION})])
def test_programs_have_their_turn_after_searches_without_a_better_plan_which_double(incumbent, methods):
    ran = runs(kinds(strategy(incumbent), 60))
    searches = [number for kind, number in ran if kind == SEARCH]
    assert ran[0][1] > 1
    assert {run for run in ran if run[0] != SEARCH} == {(method, 1) for method in methods}
    assert [number / searches[0] for number in searches[:4]] == [1, 2, 4, 8]


def test_the_first_step_makes_the_promised_plans_and_more_where_they_are_to_be_improved():
    for incumbent, method, hurried, expected in (
        (THREE, "auto", False, {"greedy", "swap descent"}),
        (THREE, "auto", True, {"greedy"}),
        (THREE, "greedy", False, {"greedy"}),
        (THREE, "lpt", False, {"lpt"}),
    ):
        step = strategy(incumbent, method).first_step(hurried)
        found = step.function(*step.arguments).improvements
        assert found[0].proof is not None
        assert expected <= {item.by for item in found if item.slots is not None}
        assert len(found) == len(expected) + 1 + ("swap descent" in expected)


def test_a_better_plan_gives_search_another_chance():
    patience = runs(kinds(strategy(THREE), 60))[0][1]
    assert runs(kinds(strategy(THREE), 60, better={patience - 1}))[0] == (SEARCH, 2 * patience)
    assert set(kinds(strategy(THREE), 60, better=set(range(60)))) == {SEARCH}


def test_two_slots_are_paired_once_search_has_failed_once_and_from_then_on():
    assert kinds(strategy(TWO), 5) == [SEARCH, PAIRING, PAIRING, PAIRING, PAIRING]
    assert kinds(strategy(TWO), 5, better={0, 1}) == [SEARCH, SEARCH, SEARCH, PAIRING, PAIRING]


def test_a_small_layer_of_two_slots_is_searched_while_its_first_proof_waits_for_a_process():
    one = strategy(SMALL_TWO)
    assert take(one, 1)[0].kind == SEARCH
    assert beside(one) == {PAIRING, SEARCH}
    one.running.clear()
    assert kinds(one, 3) == [PAIRING, PAIRING, PAIRING]


def test_small_layers_go_to_cpsat_and_to_their_own_method_in_turn():
    assert set(kinds(strategy(SMALL_THREE, "search"), 5)) == {SEARCH}
    programs = [kind for kind in kinds(strategy(SMALL_THREE), 200) if kind != SEARCH]
    assert programs[:4] == ["cpsat", DECOMPOSITION, "cpsat", DECOMPOSITION]


def test_search_is_left_more_time_where_the_gap_is_narrow():
    patience = runs(kinds(strategy(THREE), 60))[0][1]
    narrow = layer(64, Deployment(32, 96))
    narrow.offer_proof(Proof("somebody", narrow.value * (1 - Fraction(1, 10**5)), checked=True))
    assert runs(kinds(strategy(narrow), 200))[0][1] > 5 * patience


def test_failed_solvers_are_not_asked_again():
    broken = strategy(THREE)
    kinds(broken, 4)
    broken.learn(DECOMPOSITION, StepResult(DECOMPOSITION, (), 0.0, complete=True), better=False)
    assert set(kinds(broken, 60)) == {SEARCH}


def test_methods_do_nothing_but_what_they_are():
    assert set(kinds(strategy(THREE, "search"), 60)) == {SEARCH}
    for method in ("cpsat", "pulp:HiGHS", "pulp:COIN_CMD"):
        assert kinds(strategy(TWO, method), 60) == [method]


def test_search_begins_at_the_best_plan_with_another_seed_each_time():
    steps = take(strategy(THREE, "search", target_gap=Fraction(1, 5)), 10)
    seeds = set()
    for step in steps:
        instance, slots, *_, enough, seed = step.arguments
        assert instance is THREE.instance and (slots == THREE.slots).all()
        # A max load of 5 / 4 of the bound is a gap of a fifth.
        assert enough == THREE.proof.bound * 5 / 4
        seeds.add(seed)
    assert len(seeds) == 10


def test_search_and_levelling_take_turns_and_what_helped_last_has_longer_ones():
    def turns(better):
        steps = take(strategy(nearly_closed(), "search"), 40, better)
        return [(kind.__name__, number) for kind, number in runs([step.function for step in steps])]

    assert turns(())[:4] == [("search_on", 10), ("level_on", 5), ("search_on", 11), ("level_on", 5)]
    # The first step of levelling finds a better plan: its turn begins anew, with as many steps as the search had.
    assert turns({10})[:4] == [("search_on", 10), ("level_on", 11), ("search_on", 5), ("level_on", 11)]
    # Two slots are settled by counts.
    assert {step.function.__name__ for step in take(strategy(TWO, "search"), 40)} == {"search_on"}


def test_where_the_gap_is_wide_levelling_has_short_turns_unless_it_helps():
    def turns(better):
        steps = take(strategy(THREE, "search"), 40, better)
        return [(kind.__name__, number) for kind, number in runs([step.function for step in steps])]

    assert turns(())[:4] == [("search_on", 10), ("level_on", 1), ("search_on", 11), ("level_on", 1)]
    assert turns({10})[:4] == [("search_on", 10), ("level_on", 11), ("search_on", 5), ("level_on", 11)]


def test_a_walk_goes_on_where_it_stood_until_its_turn_ends():
    one, walk = strategy(nearly_closed(), "search"), THREE.slots[::-1].copy()
    take(one, 10)
    first = one.next_step("call", 7.0, 2)
    assert first.arguments[2] is None
    for _ in range(4):
        one.learn(SEARCH, StepResult("levelling", (), 0.0, last=walk), better=False)
        assert one.next_step("call", 7.0, 2).arguments[2] is walk
    one.learn(SEARCH, StepResult("levelling", (), 0.0, last=walk), better=False)
    assert one.next_step("call", 7.0, 2).function.__name__ == "search_on"


def test_a_search_long_in_vain_begins_again_elsewhere_and_goes_on_from_there(monkeypatch):
    monkeypatch.setattr("eplb_opt.run.local_search.levelling_applies", lambda instance: False)
    one = strategy(THREE, "search")
    assert all((step.arguments[1] == THREE.slots).all() for step in take(one, 10))
    first = one.next_step("call", 7.0, 2)
    assert not (first.arguments[1] == THREE.slots).all()
    assert verify(Plan(first.arguments[1][np.newaxis], THREE.instance.deployment, 64)) == []
    for _ in range(19):
        one.began(first)
        one.running.clear()
        one.learn(SEARCH, StepResult(SEARCH, (), 0.0, last=first.arguments[1]), better=False)
        later = one.next_step("call", 7.0, 2)
        assert (later.arguments[1] == first.arguments[1]).all()
    one.learn(SEARCH, StepResult(SEARCH, (), 0.0, last=first.arguments[1]), better=False)
    another = one.next_step("call", 7.0, 2)
    assert not (another.arguments[1] == first.arguments[1]).all()
    one.learn(SEARCH, StepResult(SEARCH, (), 0.0, last=another.arguments[1]), better=True)
    assert (one.next_step("call", 7.0, 2).arguments[1] == THREE.slots).all()


def test_where_the_gap_is_narrow_search_does_not_begin_again():
    narrow = nearly_closed()
    assert all((step.arguments[1] == narrow.slots).all() for step in take(strategy(narrow, "search"), 40))


def test_a_program_begins_at_the_best_plan_and_bound_within_its_limits():
    step = take(strategy(TWO), 2)[1]
    (task,) = step.arguments
    assert (task.instance, task.slots) == (TWO.instance, tuple(TWO.slots.tolist()))
    assert (task.proof.bound, task.method, task.call) == (TWO.proof.bound, PAIRING, "call")
    # What begins anew each time gets all of the fair part, 7 seconds on 2 threads.
    assert (task.limits.seconds, task.limits.threads, task.limits.work) == (7.0, 2, None)


def test_what_gives_way_to_search_gets_slices_that_double_and_never_more_than_is_left():
    seconds = [step.arguments[0].limits.seconds for step in take(strategy(THREE), 60) if step.kind == DECOMPOSITION]
    assert len(seconds) >= 3
    assert [limit / seconds[0] for limit in seconds[:3]] == [1, 2, 4]
    late = [step.arguments[0].limits.seconds for step in take(strategy(THREE, seconds=0.5), 60) if step.kind != SEARCH]
    assert max(late) <= 0.5


def beside(one, number=4):
    """Kinds of steps that run at once, if nothing ends."""
    one.tally.fruitless = 1000
    for _ in range(number):
        step = one.next_step("call", 7.0, 2)
        if step is not None:
            one.began(step)
    return one.running


def test_steps_of_different_kinds_run_side_by_side_unless_work_is_limited():
    assert beside(strategy(THREE)) == {DECOMPOSITION, SEARCH}
    assert beside(strategy(NODES)) == {PARTITION, SEARCH}
    assert beside(strategy(TWO)) == {PAIRING}
    assert beside(strategy(THREE, "search")) == {SEARCH}
    assert beside(strategy(THREE, "cpsat")) == {"cpsat"}
    assert len(beside(strategy(THREE, deterministic=True))) == 1


def test_steps_that_run_are_counted_by_kind():
    one = strategy(NODES)
    step = one.next_step("call", 7.0, 2)
    one.began(step)
    tally = one.tally
    assert (one.running, tally.steps, tally.proofs, tally.total_work) == ({SEARCH}, {SEARCH: 1}, 0, step.work)
    one.running.clear()
    one.tally.fruitless = 1000
    program = one.next_step("call", 7.0, 2)
    one.began(program)
    assert (one.running, tally.steps, tally.proofs) == ({PARTITION}, {SEARCH: 1, PARTITION: 1}, 1)
    assert tally.total_work == step.work + program.work


def essence(step):
    """What a step does, without how long it may take on the clock."""
    if step.kind == SEARCH:
        return step.kind, step.work, step.arguments[2:]
    limits = step.arguments[0].limits
    return step.kind, step.work, limits.work, limits.seed, limits.threads


@examples(75)
@given(
    st.sampled_from([SMALL_THREE, THREE, TWO, NODES, MANY_GROUPS]),
    st.sampled_from(["auto", "search"]),
    st.floats(0.01, 60),
    st.floats(0, 1),
    st.frozensets(st.integers(0, 99)),
)
def test_with_limited_work_less_of_it_takes_the_same_first_steps(incumbent, method, share, part, better):
    all_steps, first_steps = (
        take(strategy(incumbent, method, True, share * factor, seconds=share * factor), 700, better)
        for factor in (1, part)
    )
    assert [essence(step) for step in first_steps] == [essence(step) for step in all_steps[: len(first_steps)]]
    assert sum(step.work for step in all_steps) <= share * (1 + 1e-9)
    assert all(step.work > 0 for step in all_steps)


def test_limited_work_is_used_up_to_the_first_step_that_does_not_fit():
    one = strategy(THREE, "search", deterministic=True, share=10.0)
    steps = take(one, 10_000)
    assert one.tally.total_work <= 10 < one.tally.total_work + steps[0].work
    assert one.next_step("call", 7.0, 2) is None


def test_a_whole_program_gets_all_of_the_work():
    (step,) = take(strategy(THREE, "cpsat", deterministic=True, share=10.0), 5)
    assert (step.work, step.arguments[0].limits.work, step.arguments[0].limits.threads) == (10.0, 10.0, 1)
