"""Dealing the slots of many GPUs anew, with other counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.kernels.state import state_of
from eplb_opt.kernels.wide_reassignment import reassign_many
from tests.examples import examples
from tests.kernels.states import require_sound
from tests.oracle import brute_force
from tests.strategies import TOKENS, instances


def assigned(w, table, distinct, max_replicas, times, target=0.0):
    """The table after so many assignments, whose arrays have to agree with it, and how many of them were of use."""
    slots = table.copy()
    state = state_of(w, slots, max_replicas, distinct)
    load = state.gpu_loads
    random, used = np.random.default_rng(1), 0
    for _ in range(times):
        hottest = load.max()
        budget = np.array([10**9])
        better = reassign_many(state, target, budget, random)
        used += better
        assert budget[0] < 10**9
        require_sound(state)
        assert load.max() <= hottest
        # Another GPU may have been just as hot.
        assert not better or (load.max() < hottest or (load == hottest).any())
    return slots, used


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, bool]:
    gpus, distinct = draw(st.integers(2, 6)), draw(st.booleans())
    counts, left = [], gpus * 3
    while left:
        counts.append(draw(st.integers(1, min(gpus if distinct else 4, left))))
        left -= counts[-1]
    w = np.array(draw(st.lists(st.integers(0, 60), min_size=len(counts), max_size=len(counts))), dtype=float)
    return w, pack(w, np.array(counts), gpus, 3, distinct), distinct


@examples(30)
@given(tables())
def test_deals_keep_the_rules_and_never_heat_the_hottest(case):
    w, table, distinct = case
    most = table.shape[0] if distinct else table.size
    slots, _ = assigned(w, table, distinct, most, 10)
    assert set(slots.ravel().tolist()) == set(range(w.size))
    if distinct:
        assert all(len(set(gpu)) == 3 for gpu in slots.tolist())


@examples(30)
@given(instances(hierarchical=False, kinds=(TOKENS,), slots_per_gpu=3, max_slots=9, max_gpus=3))
def test_no_plan_is_below_the_optimum(instance):
    table = greedy(instance).reshape(-1, 3)
    most = instance.max_replicas
    slots, _ = assigned(instance.kernel_loads, table, instance.deployment.distinct, most, 20)
    share = instance.kernel_loads / np.bincount(slots.ravel(), minlength=instance.num_experts)
    assert share[slots].sum(axis=1).max() >= instance.kernel_value(brute_force(instance)) * (1 - 1e-9)


def test_many_gpus_near_the_mean_are_cooled():
    loads = np.random.default_rng(0).lognormal(0, 1, 32).round(4)
    instance = Instance.from_loads(loads, Deployment(16, 48))
    table = greedy(instance).reshape(-1, 3)
    slots, used = assigned(instance.kernel_loads, table, True, 16, 3000)
    mean = instance.kernel_loads.sum() / 16
    before, after = (
        (instance.kernel_loads / np.bincount(t.ravel()))[t].sum(axis=1).max() / mean - 1 for t in (table, slots)
    )
    assert used > 5
    assert after < before / 3


def test_a_target_that_is_reached_leaves_nothing_to_deal():
    loads = np.random.default_rng(0).lognormal(0, 1, 32).round(4)
    instance = Instance.from_loads(loads, Deployment(16, 48))
    table = greedy(instance).reshape(-1, 3)
    hottest = (instance.kernel_loads / np.bincount(table.ravel()))[table].sum(axis=1).max()
    slots, used = assigned(instance.kernel_loads, table, True, 16, 50, target=hottest)
    assert used == 0 and np.array_equal(slots, table)
