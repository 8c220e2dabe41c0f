"""Likely counts: no transfer of a replica makes more plans expected, by another count of them; starts are valid."""

from itertools import permutations
from math import inf, lgamma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.likely_counts import likely_counts, likely_counts_apply, likely_start
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from tests.examples import examples
from tests.measure_expected_plans import expected_excess
from tests.oracle import row_is_valid
from tests.strategies import TOKENS

SHAPES = [Deployment(16, 80), Deployment(32, 96), Deployment(8, 72)]


def lognormal(deployment, seed, windows=3, experts=64, skew=1.0):
    loads = np.random.default_rng(seed).lognormal(8, skew, (windows, experts))
    return loads / loads.sum(axis=1, keepdims=True) * deployment.num_gpus


def counts_of(loads, deployment, least=None, worth=None):
    experts = loads.shape[1]
    least = np.ones(experts, dtype=np.int64) if least is None else least
    worth = np.zeros(experts) if worth is None else worth
    return likely_counts(loads, deployment, least, deployment.num_gpus, worth)


@pytest.mark.parametrize("deployment", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_no_transfer_leaves_less_excess_to_be_expected(deployment, seed):
    loads = lognormal(deployment, seed)
    counts = counts_of(loads, deployment)
    assert counts.sum() == deployment.num_slots
    expected = expected_excess(loads, np.repeat(np.arange(64), counts), deployment)
    for gaining, losing in permutations(range(64), 2):
        if counts[losing] > 1 and counts[gaining] < deployment.num_gpus:
            other = counts.copy()
            other[[gaining, losing]] += 1, -1
            # Windows that differ by less than a thousandth of the mean count as alike here.
            assert expected_excess(loads, np.repeat(np.arange(64), other), deployment) > expected * (1 - 1e-4)


@pytest.mark.parametrize(("windows", "deviation"), [(3, 1e-6), (2, 0.0), (93, 0.3)])
def test_windows_that_are_alike_or_many_are_no_other_matter(windows, deviation):
    """By determinants of the whole covariance, where few directions or nearly none have any variance."""
    deployment, random = Deployment(8, 72), np.random.default_rng(0)
    loads = random.lognormal(8, deviation, (windows, 64))
    loads *= deployment.num_gpus / loads.sum(axis=1, keepdims=True)

    def merit(counts):
        covariance = np.cov(np.repeat(loads / counts, counts, axis=1), bias=True) + 1e-6 * np.eye(windows)
        return -sum(map(lgamma, counts + 1.0)) - 3.5 * np.linalg.slogdet(covariance)[1]

    counts = counts_of(loads, deployment)
    best = merit(counts)
    for gaining, losing in permutations(range(64), 2):
        if counts[losing] > 1 and counts[gaining] < deployment.num_gpus:
            other = counts.copy()
            other[[gaining, losing]] += 1, -1
            assert merit(other) < best + 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_of_likely_counts_there_are_more_plans_near_the_mean_by_drawing_them(seed):
    deployment, random = Deployment(4, 24), np.random.default_rng(seed)
    loads = lognormal(deployment, seed, windows=2, experts=16, skew=0.5)

    def logarithm_of_plans(counts):
        rows = random.permuted(np.tile(np.repeat(np.arange(16), counts), (20_000, 1)), axis=1)
        gpus = np.take(loads / counts, rows, axis=1).reshape(2, -1, 4, 6).sum(axis=3)
        return np.log((gpus < 1.25).all(axis=(0, 2)).mean()) - sum(map(lgamma, counts + 1.0))

    likely = counts_of(loads, deployment)
    others = [likely]
    while len(others) < 20:
        other, (gaining, losing) = others[random.integers(len(others))].copy(), random.permutation(16)[:2]
        if other[losing] > 1 and other[gaining] < 4:
            other[[gaining, losing]] += 1, -1
            others.append(other)
    plans = [logarithm_of_plans(counts) for counts in others]
    expected = [-np.log(expected_excess(loads, np.repeat(np.arange(16), counts), deployment)) for counts in others]
    assert np.corrcoef(plans, expected)[0, 1] > 0.7
    assert sum(plan > plans[0] for plan in plans) < 5


@pytest.mark.parametrize("seed", range(5))
def test_counts_stay_within_their_limits(seed):
    deployment, random = Deployment(16, 80), np.random.default_rng(seed)
    least = np.ones(64, dtype=np.int64)
    least[random.integers(0, 64, 5)] = 3
    counts = likely_counts(lognormal(deployment, seed), deployment, least, 4, np.zeros(64))
    assert (counts >= least).all()
    assert counts.max() <= 4
    assert counts.sum() == 80


def test_an_expert_whose_replicas_are_worth_more_has_more():
    deployment, worth = Deployment(16, 80), np.zeros(64)
    loads = lognormal(deployment, 0)
    worth[7] = 5.0
    assert counts_of(loads, deployment, worth=worth)[7] > counts_of(loads, deployment)[7]


@st.composite
def layers(draw):
    """A few experts with any loads, of one window and of many, some of them alike or without load."""
    gpus = draw(st.integers(2, 4))
    experts = draw(st.integers(gpus, 8))
    size = draw(st.integers(-(-experts // gpus), experts))
    windows = draw(st.integers(2, 12))
    loads = draw(st.lists(st.lists(TOKENS, min_size=experts, max_size=experts), min_size=windows, max_size=windows))
    return Instance.from_loads(loads, Deployment(gpus, gpus * size, distinct=draw(st.booleans())))


@examples(60)
@given(layers(), st.integers(0, 2**64 - 1))
def test_starts_are_valid_rows_and_the_same_again(recorded, seed):
    instance, objective = Objective("mean").on(recorded)
    if instance.num_windows < 2 or not likely_counts_apply(instance):
        return
    windows = objective.windows(instance)
    row = likely_start(instance, windows, seed)
    assert row_is_valid(row.tolist(), instance)
    assert row.tolist() == likely_start(instance, windows, seed).tolist()
    assert windows.value(row, instance) < inf


def test_starts_differ_from_seed_to_seed_in_counts_and_places():
    instance = Instance.from_loads((lognormal(Deployment(16, 80), 0) * 1e6).astype(int), Deployment(16, 80))
    windows = Objective("mean").windows(instance)
    rows = [likely_start(instance, windows, seed) for seed in range(10)]
    assert len({tuple(row.tolist()) for row in rows}) == 10
    assert len({tuple(np.bincount(row).tolist()) for row in rows}) > 3


def test_heavy_experts_have_no_replica_that_leaves_no_room():
    loads = lognormal(Deployment(16, 80), 3)
    instance = Instance.from_loads((loads * 1e6).astype(int), Deployment(16, 80))
    for seed in range(10):
        counts = np.bincount(likely_start(instance, Objective("mean").windows(instance), seed))
        assert (loads / counts).max() <= 1.0


@pytest.mark.parametrize(
    ("deployment", "windows"),
    [
        (Deployment(16, 80), 1),
        (Deployment(64, 64), 3),
        (Deployment(1, 64), 3),
        (Deployment(16, 80, 4, 8), 3),
        (Deployment(16, 80, dispatch="nearest"), 3),
        (Deployment(2, 80, gpu_speeds=(1, 2)), 3),
    ],
)
def test_where_counts_cannot_be_told_apart_none_are_likely(deployment, windows):
    assert not likely_counts_apply(Instance.from_loads(np.ones((windows, 64), dtype=int), deployment))
