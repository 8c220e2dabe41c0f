"""Annealing over several windows: what it returns is what the table is worth, and small cases end at the optimum."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.segment import TRANSFERS
from eplb_opt.instance import Instance
from eplb_opt.kernels.annealing import anneal
from eplb_opt.plan import Plan
from eplb_opt.verify import objective_value, verify
from tests.examples import examples
from tests.oracle import enumerate_rows
from tests.strategies import SMALL, TOKENS, instances, rows_of_slots


def annealed(instance, slots, objective, proposals=3000, seed=0, hot=0.3, cold=1e-3, transfers=TRANSFERS):
    """The value that the kernel claims, and the row it found; windows without load are left out before."""
    w = np.array([window for window in instance.weights if any(window)], dtype=np.float64)
    deployment = instance.deployment
    w /= w.sum(axis=1, keepdims=True) / deployment.num_gpus
    weights = np.full(len(w), 1 / len(w) if objective == "mean" else 0.0)
    table = np.array(slots).reshape(deployment.num_gpus, -1).copy()
    gpus = deployment.gpus_per_node
    random = np.random.default_rng(seed)
    best = np.empty_like(table)
    claimed = anneal(
        np.ascontiguousarray(w.T),
        weights,
        nearest_experts(w, table, deployment.binding_nodes),
        table,
        best,
        gpus,
        instance.max_replicas,
        deployment.distinct,
        transfers,
        hot,
        cold,
        proposals,
        random,
    )
    return claimed, best.ravel()


@examples(30)
@given(st.data(), st.sampled_from(["mean", "worst"]), st.integers(0, 99))
def test_the_value_is_that_of_a_valid_table_and_never_worse(data, objective, seed):
    instance = data.draw(instances(min_windows=1, max_windows=4, kinds=(SMALL, TOKENS)))
    if not any(map(any, instance.weights)):
        return
    row = data.draw(rows_of_slots(instance))
    claimed, found = annealed(instance, row, objective, 300, seed)
    assert verify(Plan(found[np.newaxis], instance.deployment, instance.num_experts)) == []
    value = objective_value(found.tolist(), instance, objective)
    assert claimed == pytest.approx(float(value), rel=1e-9)
    assert value <= objective_value(row, instance, objective) * (1 + Fraction(1, 10**9))


@pytest.mark.parametrize("objective", ["mean", "worst"])
@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(3, 6),
        Deployment(3, 6, distinct=False),
        Deployment(2, 6),
        Deployment(4, 8, num_nodes=2, num_groups=2, policy="hierarchical"),
    ],
)
def test_small_cases_end_at_the_optimum(objective, deployment):
    for seed in range(3):
        loads = np.random.default_rng(seed).integers(1, 50, (3, 4))
        instance = Instance.from_loads(loads, deployment)
        rows = list(enumerate_rows(instance))
        optimum = min(objective_value(row, instance, objective) for row in rows)
        claimed, _ = annealed(instance, rows[-1], objective, 20_000, seed)
        if deployment.hierarchical:
            # Groups stay on the nodes where they are.
            rows = [row for row in rows if set(row[:4]) == set(rows[-1][:4])]
            optimum = min(objective_value(row, instance, objective) for row in rows)
        assert claimed == pytest.approx(float(optimum), rel=1e-9)


def test_the_same_seed_gives_the_same_table():
    loads = np.random.default_rng(1).lognormal(0, 1, (4, 32))
    instance = Instance.from_loads(loads, Deployment(8, 48))
    row = np.arange(48) % 32
    first, second = (annealed(instance, row, "mean", seed=7)[1] for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, row)


@pytest.mark.parametrize("transfers", [0.0, 0.5])
def test_counts_stay_as_they_are_without_transfers_alone(transfers):
    loads = np.random.default_rng(1).lognormal(0, 1, (4, 32))
    row = np.arange(48) % 32
    _, found = annealed(Instance.from_loads(loads, Deployment(8, 48)), row, "mean", transfers=transfers)
    assert not np.array_equal(found, row)
    assert np.array_equal(np.bincount(found), np.bincount(row)) == (transfers == 0)
