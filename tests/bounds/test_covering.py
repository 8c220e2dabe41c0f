"""Covers by whole GPUs: the list of fillings is complete, and what is found is a better plan."""

from fractions import Fraction
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eplb_opt.backends.limits import Limits, Meter
from eplb_opt.bounds.covering import CoverProgram, Neighbourhood, _fillings_between, search_covers
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.oracle import brute_force
from tests.strategies import SMALL, TOKENS, instances
from tests.watch import Watch

# The whole way down, every load a GPU can have, and counts as far from the plan's as programs go.
EVERYTHING = Neighbourhood(Fraction(1), 100, 2)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), min_size=1, max_size=8, unique=True), st.data())
def test_the_list_holds_every_filling_between_two_loads(items, data):
    items.sort(key=lambda item: -item[1])
    experts, loads = (np.array(column) for column in zip(*items, strict=True))
    size = data.draw(st.integers(1, 4))
    least, most = sorted(data.draw(st.tuples(st.integers(0, 60), st.integers(0, 60))))
    for distinct in (True, False):
        choose = combinations if distinct else combinations_with_replacement
        expected = {
            choice
            for choice in choose(range(len(items)), size)
            if least <= loads[list(choice)].sum() <= most
            # One count for an expert: its items in a filling are all the same one.
            and len(set(experts[list(choice)].tolist())) == len(set(choice))
        }
        found = _fillings_between(loads.astype(np.float64), experts, size, least, most, distinct, 1000)
        assert len(found) == len(expected)
        assert set(map(tuple, found.tolist())) == expected
        if len(expected) > 1:
            assert len(_fillings_between(loads.astype(np.float64), experts, size, least, most, distinct, 1)) == 1


@settings(max_examples=100)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS)), st.fractions(Fraction(1, 2), Fraction(3, 2)))
def test_what_a_program_finds_is_a_plan_within_the_max_load(instance, part):
    slots = greedy(instance)
    optimum = brute_force(instance)
    max_load = part * optimum
    program = CoverProgram.around(instance, np.bincount(slots), max_load, EVERYTHING)
    if program is None:
        return
    verdict, found = program.plan(Meter(Limits(60)), seed=0)
    assert verdict == ("infeasible" if found is None else "feasible")
    if found is None:
        return
    assert verify(Plan(found[np.newaxis], instance.deployment, instance.num_experts)) == []
    (value,) = max_loads(found.tolist(), instance)
    assert optimum <= value <= max_load * (1 + Fraction(1, 10**9))


@settings(max_examples=100)
@given(instances(hierarchical=False, kinds=(SMALL, TOKENS), max_experts=4, max_slots=6))
def test_a_program_of_everything_holds_an_optimal_plan(instance):
    # Four experts in six slots: counts are at most 3, so within two of any other.
    optimum = brute_force(instance)
    counts = np.bincount(greedy(instance))
    program = CoverProgram.around(instance, counts, optimum * (1 + Fraction(1, 10**9)), EVERYTHING)
    assert program is not None
    _, found = program.plan(Meter(Limits(60)), seed=0)
    assert found is not None
    assert max_loads(found.tolist(), instance)[0] == optimum


@pytest.mark.parametrize("distinct", [True, False])
def test_plans_get_better_and_better(distinct):
    loads = np.random.default_rng(2).lognormal(0, 1, 24).round(4)
    watch = Watch(Instance.from_loads(loads, Deployment(12, 36, distinct=distinct)), None)
    first = watch.best - watch.lower_bound
    watch.run(search_covers, Fraction(0), Limits(600, work=3.0))
    assert watch.best - watch.lower_bound < first / 4


def test_limits_end_it_and_a_gap_that_is_small_enough_needs_no_program():
    loads = np.random.default_rng(2).lognormal(0, 1, 24).round(4)
    for target_gap, limits in ((Fraction(0), Limits(0.0)), (Fraction(1, 2), Limits(60))):
        watch = Watch(Instance.from_loads(loads, Deployment(12, 36)), None)
        watch.run(search_covers, target_gap, limits)
        assert watch.plans == []
