"""Neighbours of experts: those of the same node, the most alike first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.pipeline import greedy
from tests.strategies import SMALL, instances


@given(st.data())
def test_the_same_as_by_definition(data):
    instance = data.draw(instances(max_windows=3, kinds=(SMALL,)))
    deployment, experts = instance.deployment, range(instance.num_experts)
    table = greedy(instance.total()).reshape(deployment.num_gpus, -1)
    loads = np.array(instance.weights, dtype=np.float64)
    shares = loads / np.bincount(table.ravel())
    node = {expert: gpu // deployment.gpus_per_node for gpu in range(len(table)) for expert in table[gpu]}
    nearest = nearest_experts(loads, table, deployment.binding_nodes)
    assert nearest.shape == (len(experts), min(32, instance.experts_per_node - 1))
    for expert in experts:
        away = {other: abs(shares[:, expert] - shares[:, other]).sum() for other in experts if other != expert}
        of_node = sorted(distance for other, distance in away.items() if node[other] == node[expert])
        assert [away[other] for other in nearest[expert]] == of_node[: nearest.shape[1]]
        assert len(set(nearest[expert])) == nearest.shape[1]
        assert {node[other] for other in nearest[expert]} <= {node[expert]}


def test_many_experts_have_32_neighbours_each():
    loads = np.arange(100.0)[np.newaxis]
    nearest = nearest_experts(loads, np.arange(100).reshape(10, 10), 1)
    assert nearest.shape == (100, 32)
    assert sorted(nearest[50]) == [*range(34, 50), *range(51, 67)]
    assert set(nearest[50, :2]) == {49, 51}
