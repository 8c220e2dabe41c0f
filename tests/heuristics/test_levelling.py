"""Plans whose GPUs are levelled, and the counts that walks begin with."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.levelling import levelled, levelling_applies
from eplb_opt.heuristics.nearby_counts import other_counts
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads, verify
from tests.examples import examples

WORK = 1_000_000


def value(instance, slots):
    """Exact max load, of a plan that must be valid."""
    deployment = instance.deployment
    assert verify(Plan(slots[np.newaxis], deployment, instance.num_experts)) == []
    return max_loads(slots.tolist(), instance)[0]


def lognormal(experts, deployment, seed=0, tokens=100_000):
    """Loads in whole tokens, as many of them as make a whole mean load."""
    loads = np.random.default_rng(seed).lognormal(0, 1.0, experts)
    loads = np.floor(loads / loads.sum() * tokens).astype(int)
    loads[0] += tokens - loads.sum()
    return Instance.from_loads(loads, deployment)


@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(8, 48),
        Deployment(8, 48, distinct=False),
        Deployment(8, 48, 2, 4),
        Deployment(8, 24),
        Deployment(2, 48),
    ],
)
def test_walks_are_valid_and_no_better_plan_is_lost(deployment):
    instance = lognormal(20 if deployment.num_slots == 24 else 32, deployment)
    slots, walk = greedy(instance), None
    for seed in range(20):
        found, walk = levelled(instance, slots, walk if seed % 2 else None, seed, 0.0, WORK)
        assert value(instance, found) <= value(instance, slots)
        value(instance, walk)
        slots = found
    assert value(instance, slots) < value(instance, greedy(instance))


@pytest.mark.parametrize("seed", range(3))
def test_a_layer_of_whole_loads_is_balanced_perfectly(seed):
    instance = lognormal(64, Deployment(4, 80), seed)
    slots = greedy(instance)
    assert value(instance, slots) > 25_000
    for step in range(100):
        slots, _ = levelled(instance, slots, None, step, 25_000.0, WORK)
        if value(instance, slots) == Fraction(25_000):
            return
    pytest.fail(f"{float(value(instance, slots))} is left")


def test_nodes_with_uneven_groups_get_others():
    # 90 + 60 and 70 + 60 in groups of four: as they are, the first node carries 20 too much, and 10 are unavoidable.
    loads = [30, 20, 20, 20, 15, 15, 15, 15, 20, 20, 15, 15, 15, 15, 15, 15]
    instance = Instance.from_loads([1000 * load for load in loads], Deployment(4, 16, 2, 4))
    slots = np.arange(16)
    found = slots
    for seed in range(20):
        found, _ = levelled(instance, found, None, seed, 0.0, WORK)
    # The mean of the hotter node, 90 + 60 against 70 + 60, is 75 for each of its GPUs; of the other pairing, too.
    assert value(instance, found) < value(instance, slots)


def test_the_same_arguments_give_the_same_plans():
    instance = lognormal(32, Deployment(8, 48))
    one, other = (levelled(instance, greedy(instance), None, 5, 0.0, WORK) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_a_perfect_plan_stays():
    instance = Instance.from_loads([1] * 12, Deployment(4, 12))
    found, walk = levelled(instance, np.arange(12), None, 0, 0.0, WORK)
    assert found is walk
    assert (found == np.arange(12)).all()


def test_levelling_is_for_three_slots_or_more_on_several_gpus():
    assert levelling_applies(lognormal(24, Deployment(8, 24)))
    assert not levelling_applies(lognormal(16, Deployment(8, 16)))
    assert not levelling_applies(lognormal(16, Deployment(4, 16, 4, 4)))


@given(
    st.lists(st.integers(0, 10**6), min_size=4, max_size=40),
    st.integers(0, 30),
    st.sampled_from(["few", "many", "any"]),
    st.integers(0, 9),
)
@examples(200)
def test_other_counts_are_as_many_and_allowed(loads, spare, fractions, seed):
    most = 1 + spare
    random = np.random.default_rng(seed)
    counts = np.ones(len(loads), dtype=np.int64)
    for expert in random.integers(0, len(loads), spare):
        counts[expert] += 1
    found = other_counts(np.array(loads, dtype=float), counts, most, sum(loads) / 4, fractions, random)
    assert found.sum() == counts.sum()
    assert found.min() >= 1
    assert found.max() <= most


def test_whole_counts_divide_the_loads_where_they_can():
    # 3 x 100 replicas of 100: one in six is a whole number of tokens whatever its load, so that most draws leave few.
    random = np.random.default_rng(0)
    loads = np.floor(random.lognormal(6, 1, 100))
    counts = 1 + (np.argsort(np.argsort(loads)) >= 60)
    fractions = []
    for _ in range(40):
        found = other_counts(loads, counts, 20, loads.sum() / 20, "few", random)
        fractions.append(int((np.mod(loads, found) > 0).sum()))
    assert int((np.mod(loads, counts) > 0).sum()) > 10
    assert sorted(fractions)[10] == 0


def test_counts_that_leave_many_fractions_divide_no_load():
    # Of 100 experts 40 have two replicas; half of their loads are even.
    random = np.random.default_rng(0)
    loads = np.floor(random.lognormal(6, 1, 100))
    counts = 1 + (np.argsort(np.argsort(loads)) >= 60)
    assert ((counts > 1) & (np.mod(loads, counts) == 0)).sum() > 10
    for _ in range(20):
        found = other_counts(loads, counts, 20, loads.sum() / 20, "many", random)
        assert not ((found > 1) & (np.mod(loads, found) == 0)).any()
        assert (found > 1).sum() > 15


def test_gpus_carry_more_than_whole_loads_where_the_mean_load_is_not_whole():
    # Of whole loads some GPU carries the next whole number at least.
    random = np.random.default_rng(1)
    loads = random.integers(10, 40, 96)
    deployment = Deployment(24, 120)
    instance = Instance.from_loads(loads, deployment)
    slots, walk = greedy(instance), None
    for seed in range(60):
        slots, walk = levelled(instance, slots, walk if seed % 2 else None, seed, 0.0, WORK)
    mean = Fraction(int(loads.sum()), 24)
    assert mean.denominator > 1
    assert value(instance, slots) < -(-mean // 1)
