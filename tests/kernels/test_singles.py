"""Reassignment of experts with one replica: no GPU becomes hotter than the hottest, and all else stays in its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.kernels.singles import reassign_singles
from tests.dispatch.strategies import layers_under
from tests.kernels.placements import placement, require_sound
from tests.oracle import enumerate_rows, row_is_valid
from tests.strategies import SMALL, TOKENS


def reassigned(instance, row, seed=0, work=20_000, worst=True):
    """The placement afterwards, and what it was worth before; each window in its mean load."""
    p = placement(instance, row)
    scale = np.array([float(mean) or 1.0 for mean in instance.mean_loads])
    p.loads[:] /= scale
    p.gpu_loads[:] /= scale
    windows = instance.num_windows
    weights = np.full(windows, 0.0 if worst else 1 / windows) if windows > 1 else None
    before = value(p, worst)
    reassign_singles(p, weights, instance.deployment.gpus_per_node, np.array([work]), np.random.default_rng(seed))
    return p, before


def value(p, worst):
    hottest = p.gpu_loads.max(axis=0)
    return float(hottest.max() if worst else hottest.mean())


@pytest.mark.parametrize("dispatch", ["even", "nearest", "by-rank"])
@given(st.data(), st.booleans(), st.integers(0, 99))
def test_it_is_never_worse_and_replicated_experts_stay(dispatch, data, worst, seed):
    instance, row = data.draw(layers_under(dispatch, kinds=(SMALL, TOKENS)))
    p, before = reassigned(instance, row, seed, worst=worst)
    require_sound(p)
    assert row_is_valid(tuple(p.slots.tolist()), instance)
    assert value(p, worst) <= before * (1 + 1e-12)
    counts = np.bincount(row, minlength=instance.num_experts)
    assert p.counts.tolist() == counts.tolist()
    for slot, (expert, now) in enumerate(zip(row, p.slots.tolist(), strict=True)):
        assert now == expert or (counts[expert] == counts[now] == 1), slot


@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_without_spare_slots_it_is_the_optimum_of_tiny_layers(dispatch, nodes):
    """All experts are singles then. Groups stay on their node."""
    policy = "hierarchical" if nodes > 1 else "global"
    for seed in range(4):
        loads = np.random.default_rng(seed).integers(1, 50, 6)
        deployment = Deployment(3 if nodes == 1 else 2, 6, nodes, nodes, policy, dispatch=dispatch)
        if nodes > 1:
            deployment = Deployment(4, 8, 2, 2, policy, dispatch=dispatch)
            loads = np.random.default_rng(seed).integers(1, 50, 8)
        instance = Instance.from_loads(loads, deployment)
        p, _ = reassigned(instance, range(len(loads)), seed)
        assert p.gpu_loads.max() == pytest.approx(best_deal(loads.tolist(), deployment) / mean(instance), rel=1e-12)


def best_deal(loads, deployment):
    """The least largest sum of two, of experts that stay on their node: heaviest with lightest."""
    per_node = len(loads) // deployment.binding_nodes
    nodes = [sorted(loads[start : start + per_node]) for start in range(0, len(loads), per_node)]
    return max(light + heavy for node in nodes for light, heavy in zip(node, reversed(node), strict=True))


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_with_spare_slots_it_is_the_best_row_that_keeps_replicated_experts(dispatch):
    for seed in range(3):
        random = np.random.default_rng(seed)
        instance = Instance.from_loads(
            random.integers(1, 50, 5), Deployment(3, 6, 3, policy="global", dispatch=dispatch)
        )
        row = (0, 1, 0, 2, 3, 4)
        kept = [other for other in enumerate_rows(instance) if other[0] == other[2] == 0 and other.count(0) == 2]
        best = min(placement(instance, other).gpu_loads.max() for other in kept)
        found = reassigned(instance, row, seed)[0].gpu_loads.max()
        assert found == pytest.approx(best / mean(instance), rel=1e-12)


def mean(instance):
    return float(instance.mean_loads[0])


def test_it_stops_at_the_mean_and_when_its_work_is_done():
    instance = Instance.from_loads(np.arange(1, 13), Deployment(4, 12, dispatch="nearest"))
    balanced = Instance.from_loads(np.ones(12), Deployment(4, 12, dispatch="nearest"))
    for some, work in ((instance, 0), (balanced, 10**6)):
        p, _ = reassigned(some, range(12), work=work)
        assert p.slots.tolist() == list(range(12))
