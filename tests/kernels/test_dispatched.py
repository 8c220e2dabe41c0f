"""Annealing by the shares of a dispatch: its value is that of its row, and tiny layers end at the optimum."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.segment import TRANSFERS
from eplb_opt.instance import Instance
from eplb_opt.kernels.dispatched import anneal_dispatched
from tests.dispatch import oracle
from tests.dispatch.strategies import layers_under
from tests.examples import examples
from tests.kernels.placements import placement, require_sound
from tests.oracle import enumerate_rows, row_is_valid
from tests.strategies import SMALL, TOKENS

FIXED = ("even", "nearest", "by-rank")


def value(row, instance, worst):
    """Largest or mean imbalance of the windows with load, source by source."""
    table = oracle.asked_of_each(row, instance.num_experts, instance.deployment)
    shares = oracle.shares(table, instance.deployment)
    windows = range(instance.num_windows)
    hottest = [max(oracle.gpu_loads(row, shares, instance, window)) for window in windows]
    imbalances = [top / mean for top, mean in zip(hottest, instance.mean_loads, strict=True)]
    return max(imbalances) if worst else sum(imbalances, Fraction(0)) / len(imbalances)


def annealed(instance, row, worst, proposals=3000, seed=0, hot=0.3, transfers=TRANSFERS):
    """The value that the kernel claims, its best row, and the placement where it ended."""
    deployment = instance.deployment
    scale = np.array([float(mean) for mean in instance.mean_loads])
    p = placement(instance, row)
    p.loads[:] /= scale
    p.gpu_loads[:] /= scale
    windows = np.ascontiguousarray(p.loads.T)
    best = np.empty_like(p.slots)
    claimed = anneal_dispatched(
        p,
        np.full(instance.num_windows, 0.0 if worst else 1 / instance.num_windows),
        nearest_experts(windows, p.slots.reshape(deployment.num_gpus, -1), deployment.binding_nodes),
        best,
        deployment.gpus_per_node,
        deployment.distinct,
        transfers,
        hot,
        1e-3,
        proposals,
        np.random.default_rng(seed),
    )
    return claimed, best.tolist(), p


@pytest.mark.parametrize("dispatch", FIXED)
@examples(20)
@given(st.data(), st.booleans(), st.integers(0, 99))
def test_the_value_is_that_of_a_valid_row_and_never_worse(dispatch, data, worst, seed):
    instance, row = data.draw(layers_under(dispatch, kinds=(SMALL, TOKENS)))
    if not all(map(any, instance.weights)):
        return
    claimed, best, ended = annealed(instance, row, worst, 300, seed)
    assert row_is_valid(tuple(best), instance)
    assert row_is_valid(tuple(ended.slots.tolist()), instance)
    require_sound(ended)
    exact = value(best, instance, worst)
    assert claimed == pytest.approx(float(exact), rel=1e-9)
    assert exact <= value(row, instance, worst) * (1 + Fraction(1, 10**9))


@pytest.mark.parametrize("worst", [False, True])
@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(4, 8, 2, policy="global"),
        Deployment(3, 6, distinct=False),
        Deployment(2, 6),
        Deployment(4, 8, num_nodes=2, num_groups=2, policy="hierarchical"),
    ],
)
def test_tiny_layers_end_at_the_optimum(dispatch, deployment, worst):
    deployment = replace(deployment, dispatch=dispatch)
    for seed in range(2):
        loads = np.random.default_rng(seed).integers(1, 50, (1 + 2 * seed, 4))
        instance = Instance.from_loads(loads, deployment)
        start = next(enumerate_rows(instance))
        imbalances = imbalances_of_rows(deployment, start) @ (instance.tokens.T / np.array(instance.mean_loads, float))
        hottest = imbalances.max(axis=1)
        optimum = (hottest.max(axis=1) if worst else hottest.mean(axis=1)).min()
        claimed, _, _ = annealed(instance, start, worst, 40_000, seed)
        assert claimed == pytest.approx(optimum, rel=1e-9)


@cache
def imbalances_of_rows(deployment, start):
    """What each GPU carries of the load of each of four experts, shape ``(rows, GPUs, experts)``, source by source.

    Of all rows but for the order of the slots of a GPU; groups stay on the nodes where they are at the `start`.
    """
    instance, size = Instance.from_loads([1] * 4, deployment), deployment.slots_per_gpu
    rows = {
        tuple(e for g in range(0, len(row), size) for e in sorted(row[g : g + size]))
        for row in enumerate_rows(instance)
    }
    if deployment.hierarchical:
        rows = {row for row in rows if set(row[:4]) == set(start[:4])}
    table = np.zeros((len(rows), deployment.num_gpus, 4))
    for place, row in enumerate(sorted(rows)):
        shares = oracle.shares(oracle.asked_of_each(row, 4, deployment), deployment)
        for slot, expert in enumerate(row):
            table[place, slot // size, expert] += shares[slot]
    return table


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_the_same_seed_gives_the_same_row(dispatch):
    loads = np.random.default_rng(1).lognormal(0, 1, (4, 32))
    instance = Instance.from_loads(loads, Deployment(8, 48, 4, policy="global", dispatch=dispatch))
    row = (np.arange(48) % 32).tolist()
    first, second, other = (annealed(instance, row, False, seed=seed)[1] for seed in (7, 7, 8))
    assert first == second != other != row


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_sums_of_increments_do_not_drift(dispatch):
    """Hot, so that nearly every proposal is accepted, and long enough for sums to be made anew."""
    loads = np.random.default_rng(2).lognormal(0, 2, (2, 24))
    instance = Instance.from_loads(loads, Deployment(8, 32, 4, policy="global", dispatch=dispatch))
    claimed, best, ended = annealed(instance, (np.arange(32) % 24).tolist(), False, 60_000, hot=30.0)
    require_sound(ended)
    assert claimed == pytest.approx(float(value(best, instance, False)), rel=1e-9)


@pytest.mark.parametrize("spare", [False, True])
def test_an_expert_with_the_most_replicas_changes_places_within_its_room(spare):
    """One of two experts used to come before the other had left: its places ran into the next row."""
    deployment = Deployment(4, 12 + 4 * spare, 2, policy="global", distinct=False, dispatch="nearest")
    instance = Instance.from_loads(np.arange(1, 13), deployment)
    row = (*range(12), *[3] * (deployment.num_slots - 12))
    assert row.count(3) == instance.max_replicas
    for seed in range(5):
        _, best, ended = annealed(instance, row, False, 2000, seed)
        require_sound(ended)
        assert sorted(set(best)) == list(range(12))


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
@pytest.mark.parametrize("transfers", [0.0, 0.5])
def test_counts_stay_as_they_are_without_transfers_alone(dispatch, transfers):
    loads = np.random.default_rng(1).lognormal(0, 1, (4, 32))
    instance = Instance.from_loads(loads, Deployment(8, 48, 4, policy="global", dispatch=dispatch))
    row = (np.arange(48) % 32).tolist()
    _, found, _ = annealed(instance, row, False, transfers=transfers)
    assert found != row
    assert (np.bincount(found).tolist() == np.bincount(row).tolist()) == (transfers == 0)
