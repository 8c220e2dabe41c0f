"""Bounds of several windows at once: below every optimum, above those of single windows, and checked."""

from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.joint_patterns import JointPatterns
from eplb_opt.bounds.methods import WINDOWS, window_weightings_apply
from eplb_opt.bounds.pattern_columns import PatternColumns, add_columns
from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_configuration import WindowConfigurationLP
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.bounds.window_regions import WindowRegions
from eplb_opt.bounds.window_weightings import prove_by_window_weightings
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from tests.attack_window_weightings import attack, proven

LOADS = np.random.default_rng(3).integers(1, 60, (3, 7))
DEPLOYMENT = Deployment(num_gpus=3, num_slots=9)


def test_no_bound_is_above_an_optimum_and_the_checker_takes_them():
    done, raised = attack(layers=80, seed=0, each=5)
    # Every kind had its turn, and instant bounds are not all that there is to prove.
    assert done >= 80
    assert raised > 30


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_the_bound_is_above_those_of_single_windows(objective):
    incumbent, raised = proven(LOADS, DEPLOYMENT, objective, seed=0)
    assert raised
    assert incumbent.proof.argument == WINDOWS
    assert incumbent.bound > instant_bound(incumbent.instance, Objective(objective)).bound
    assert incumbent.bound <= incumbent.value


def regions_hold(region, imbalances):
    return all(low <= x < high for low, x, high in zip(region.lower, imbalances, region.upper, strict=True))


def test_parted_regions_hold_all_that_is_worth_less_than_is_asked():
    random = np.random.default_rng(0)
    weights, asked = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)), Fraction(12, 10)
    whole = Region.above((Fraction(1), Fraction(1), Fraction(11, 10)), weights, asked, Fraction(8))
    left, right = whole.parted(0, Fraction(11, 10))
    for _ in range(500):
        imbalances = [low + Fraction(int(random.integers(0, 1000)), 1000) for low in whole.lower]
        worth = sum(weight * x for weight, x in zip(weights, imbalances, strict=True))
        if worth < asked:
            assert regions_hold(whole, imbalances)
            assert regions_hold(left, imbalances) + regions_hold(right, imbalances) == 1


def test_imbalances_of_several_mean_loads_are_checked_too():
    hot = np.array([8109.38, 6840.21, 398.0, 5919.63])
    loads = np.array([[68.59, 0.2, 5.11, 0, 5.26], [1829.51, 0, 900.52, 0.04, 4.3], [0.58, 10.41, 3.48, 0.02, 0]])
    loads = np.vstack([loads, [0.32, 0, 1692.56, 39.61, 29.58]])
    loads[[0, 1, 2, 3], [3, 1, 4, 1]] = hot
    incumbent, raised = proven(loads, Deployment(num_gpus=3, num_slots=6), "mean", seed=0)
    assert raised
    assert incumbent.bound > 1.9
    assert incumbent.proof.checked


def test_a_window_that_counts_for_nothing_leaves_the_bound_of_the_others():
    weights = tuple(map(Fraction, (1, 1, 0)))
    instance, objective = Objective("mean", weights).on(Instance.from_loads(LOADS, DEPLOYMENT))
    incumbent = Incumbent(instance.in_mean_loads(), objective)
    incumbent.offer_plan(greedy(instance.total()), "greedy")
    prove_by_window_weightings(incumbent, Meter(Limits(60.0, work=2.0)))
    others, _ = proven(LOADS[:2], DEPLOYMENT, "mean", seed=0)
    assert incumbent.proof.checked
    assert 1 < incumbent.bound <= others.value


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_heaviest_patterns_are_those_of_all_sets(size, distinct):
    deployment = Deployment(num_gpus=3, num_slots=3 * size, distinct=distinct)
    random = np.random.default_rng(size)
    instance = Instance.from_loads(random.integers(1, 60, (3, min(7, 3 * size - 2))), deployment).in_mean_loads()
    region = Region.above((Fraction(1),) * 3, (Fraction(1, 3),) * 3, Fraction(13, 10), Fraction(3))
    items = WindowItems.within(instance, region.upper, 10_000)
    weights = random.random(items.experts.size)
    meter = Meter(Limits(60.0))
    found = JointPatterns(items, region.room, size, distinct).heavier(weights, 0.0, random, 10**9, meter)
    upper, lower, shares, most = region.room
    best = 0.0
    for pattern in np.ndindex(*[items.experts.size] * size):
        experts = items.experts[list(pattern)]
        if list(pattern) != sorted(pattern) or (distinct and len(set(experts)) < size):
            continue
        loads = items.loads[list(pattern)].sum(axis=0)
        if (loads <= upper).all() and np.maximum(loads, lower) @ shares <= most:
            best = max(best, weights[list(pattern)].sum())
    assert found.complete
    assert found.heaviest == pytest.approx(best)
    assert best > 0


def test_every_count_has_an_item_that_is_no_heavier():
    instance = Instance.from_loads(LOADS, DEPLOYMENT).in_mean_loads()
    items = WindowItems.within(instance, [Fraction(3, 2)] * 3, 10_000)
    for expert, (low, high) in enumerate(zip(items.least, items.most, strict=True)):
        for count in range(low, high + 1):
            item = items.places[expert, count - low]
            assert items.experts[item] == expert
            assert items.first[item] <= count <= items.last[item]
            assert (items.loads[item] <= instance.tokens[:, expert] / count).all()


def test_it_applies_to_few_patterns_of_alike_gpus_without_groups():
    def applies(*arguments, experts=64, windows=2, **rules):
        loads = np.ones((windows, experts), dtype=int)
        return window_weightings_apply(Instance.from_loads(loads, Deployment(*arguments, **rules)))

    assert applies(32, 96)
    assert applies(72, 288, experts=256)
    assert not applies(32, 96, windows=1)
    assert not applies(32, 96, 4, 8)
    assert not applies(32, 96, dispatch="nearest")
    assert not applies(8, 80)


def test_with_what_is_known_of_a_region_the_verdict_on_its_parts_is_the_same():
    random, verdicts = np.random.default_rng(0), []
    for _ in range(30):
        deployment = Deployment(num_gpus=4, num_slots=16)
        instance = Instance.from_loads(random.lognormal(3, 0.5, (2, 13)).round(2), deployment).in_mean_loads()
        asked = Fraction(int(random.integers(1002, 1030)), 1000)
        region = Region.above((Fraction(1),) * 2, (Fraction(1, 2),) * 2, asked, Fraction(4))
        items = WindowItems.within(instance, region.upper, 100_000)
        program = WindowConfigurationLP(instance, items, region, random)
        program.solve(Meter(Limits(60.0)))
        known = program.found()
        for part in region.parted(0, (region.lower[0] + region.upper[0]) / 2):
            items = WindowItems.within(instance, part.upper, 100_000)
            if not items.least.size:
                continue
            upper, lower, weights, most = part.room
            loads = items.loads[known.patterns_for(items, part)].sum(axis=1)
            assert (loads <= upper).all()
            assert (np.maximum(loads, lower) @ weights <= most).all()
            verdict, other = (
                WindowConfigurationLP(instance, items, part, random, what).solve(Meter(Limits(60.0)))
                for what in (None, known)
            )
            assert (verdict.evidence is None) == (other.evidence is None)
            assert (verdict.counts is None) == (other.counts is None)
            verdicts.append(verdict.evidence is None)
    assert 5 < sum(verdicts) < len(verdicts) - 5


@pytest.mark.parametrize("likely", [(1.0, 1.0), (3.0, 1.0), (1.0, 3.0)])
def test_a_verdict_does_not_depend_on_where_plans_are_likely(likely):
    instance = Instance.from_loads([[8, 4, 2, 1, 1], [1, 1, 2, 4, 8]], Deployment(num_gpus=2, num_slots=6))
    instance, halves, random = instance.in_mean_loads(), (Fraction(1, 2),) * 2, np.random.default_rng(0)
    regions = WindowRegions(instance, (Fraction(1),) * 2, halves, Fraction(2), random)
    with np.errstate(all="raise"):
        verdicts = [
            regions.refute(Fraction(asked, 1000), np.array(likely), Meter(Limits(60.0))) is not None
            for asked in (1001, 1100, 1900, 9000)
        ]
    assert verdicts == [True, True, False, False]


def test_dropped_patterns_leave_the_others_and_the_optimum():
    highs = new_simplex()
    highs.addRows(3, np.ones(3), np.full(3, np.inf), 0, np.zeros(3, dtype=np.int32), np.empty(0, np.int32), np.empty(0))
    add_columns(highs, 10.0, [([i], [1.0]) for i in range(3)])
    columns = PatternColumns(highs)
    assert columns.take_up([(0, 0), (0, 1), (1, 2), (2, 2), (0, 2)]) == 5
    assert is_feasible(highs, 10.0)
    assert highs.getObjectiveValue() == pytest.approx(1.5)
    columns.keep(np.array([False, True, True, False, True]))
    assert columns.patterns == [(0, 1), (1, 2), (0, 2)]
    assert is_feasible(highs, 10.0)
    assert highs.getObjectiveValue() == pytest.approx(1.5)
    assert columns.take_up([(0, 1), (0, 0)]) == 1
    columns.keep(np.array([True, False, False, True]))
    assert is_feasible(highs, 10.0)
    assert highs.getObjectiveValue() == pytest.approx(11.0)
