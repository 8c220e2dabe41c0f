"""A plan stores slot -> expert; every other mapping is derived from it."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

MAPPING = [[0, 1, 2, 0], [2, 2, 1, 0]]


@pytest.fixture
def plan() -> Plan:
    return Plan(np.array(MAPPING), Deployment(2, 4), num_experts=3)


@st.composite
def plans(draw: st.DrawFn, lowest: int = 0) -> Plan:
    """Any mapping, valid or not; ids from `lowest` to one above the last expert where `lowest` is negative."""
    gpus, size, layers = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    experts = draw(st.integers(1, 6))
    ids = st.integers(lowest, experts if lowest < 0 else experts - 1)
    mapping = draw(hnp.arrays(np.int64, (layers, gpus * size), elements=ids))
    return Plan(mapping, Deployment(gpus, gpus * size), experts)


def test_birth_checks_shapes_but_no_rules():
    # Expert 2 has no replica, slot 3 is empty, 9 is no expert: verify says so, birth does not.
    Plan(np.array([[0, 1, 9, -1]]), Deployment(2, 4), num_experts=3)


@pytest.mark.parametrize(
    "mapping",
    [
        [0, 1, 2, 0],
        [[[0, 1, 2, 0]]],
        np.zeros((0, 4), dtype=int),
        [[0.0, 1.0, 2.0, 0.0]],
        [[True] * 4],
        [["0", "1", "2", "0"]],
    ],
)
def test_a_mapping_has_two_dimensions_and_integers(mapping):
    with pytest.raises(InvalidPlanError, match="layers, slots"):
        Plan(mapping, Deployment(2, 4), num_experts=3)


def test_a_ragged_mapping_is_refused():
    with pytest.raises(InvalidPlanError):
        Plan([[0, 1, 2, 0], [0]], Deployment(2, 4), num_experts=3)


def test_a_mapping_has_the_slots_of_its_deployment():
    with pytest.raises(InvalidPlanError, match=r"6 slots.*num_slots=4"):
        Plan(np.zeros((1, 6), dtype=int), Deployment(2, 4), num_experts=3)


@pytest.mark.parametrize("experts", [0, -1])
def test_a_plan_has_experts(experts):
    with pytest.raises(InvalidPlanError, match=f"num_experts={experts}"):
        Plan(np.array(MAPPING), Deployment(2, 4), num_experts=experts)


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint16, np.int64])
def test_the_mapping_is_int64(kind):
    plan = Plan(np.array(MAPPING, dtype=kind), Deployment(2, 4), num_experts=3)
    assert plan.physical_to_logical.dtype == np.int64
    assert plan.physical_to_logical.tolist() == MAPPING


def test_lists_and_tensors_are_mappings(plan):
    assert Plan(MAPPING, Deployment(2, 4), 3) == plan
    assert Plan(torch.tensor(MAPPING), Deployment(2, 4), 3) == plan


def test_a_plan_cannot_change():
    array = np.array(MAPPING)
    plan = Plan(array, Deployment(2, 4), num_experts=3)
    array[:] = 1
    assert plan.physical_to_logical.tolist() == MAPPING
    with pytest.raises(ValueError, match="read-only"):
        plan.physical_to_logical[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        plan.replica_counts[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.num_experts = 4


def test_replica_counts_count_the_slots_of_each_expert(plan):
    assert plan.replica_counts.tolist() == [[2, 1, 1], [1, 1, 2]]


@given(plans(lowest=-2))
def test_replica_counts_are_those_of_a_plain_count(plan):
    for row, slots in enumerate(plan.physical_to_logical.tolist()):
        assert plan.replica_counts[row].tolist() == [slots.count(expert) for expert in range(plan.num_experts)]


def test_logical_to_physical_lists_slots_in_order_and_pads_with_minus_one(plan):
    assert plan.logical_to_physical().tolist() == [[[0, 3], [1, -1], [2, -1]], [[3, -1], [2, -1], [0, 1]]]


@given(plans(lowest=-2), st.integers(0, 3))
def test_logical_to_physical_is_that_of_a_plain_loop(plan, extra):
    largest = int(plan.replica_counts.max())
    width = largest + extra if extra else None
    expected = []
    for slots in plan.physical_to_logical.tolist():
        table = [[slot for slot, held in enumerate(slots) if held == expert] for expert in range(plan.num_experts)]
        expected.append([row + [-1] * ((width or largest) - len(row)) for row in table])
    table = plan.logical_to_physical(width)
    assert table.dtype == np.int64
    assert table.shape == (plan.num_layers, plan.num_experts, width or largest)
    assert table.tolist() == expected


def test_the_width_is_the_largest_count_over_all_layers():
    plan = Plan([[0, 1, 1, 1], [0, 0, 1, 1]], Deployment(2, 4, distinct=False), num_experts=2)
    assert plan.logical_to_physical().shape == (2, 2, 3)


def test_a_wider_table_is_padded_and_a_narrower_one_refused(plan):
    assert plan.logical_to_physical(3)[:, :, 2].tolist() == [[-1, -1, -1], [-1, -1, -1]]
    with pytest.raises(InvalidArgumentError, match=r"width=1 .* 2"):
        plan.logical_to_physical(1)


def test_to_torch_gives_the_three_tensors_of_deepseek(plan):
    phy2log, log2phy, logcnt = plan.to_torch()
    assert {tensor.dtype for tensor in (phy2log, log2phy, logcnt)} == {torch.int64}
    assert {tensor.device.type for tensor in (phy2log, log2phy, logcnt)} == {"cpu"}
    assert (phy2log.shape, log2phy.shape, logcnt.shape) == ((2, 4), (2, 3, 2), (2, 3))
    assert phy2log.tolist() == MAPPING
    assert log2phy.tolist() == plan.logical_to_physical().tolist()
    assert logcnt.tolist() == plan.replica_counts.tolist()


def test_writing_into_the_tensors_leaves_the_plan(plan):
    for tensor in plan.to_torch():
        tensor.zero_()
    assert plan.physical_to_logical.tolist() == MAPPING
    assert plan.replica_counts.tolist() == [[2, 1, 1], [1, 1, 2]]


def test_select_keeps_rows_by_layer_id():
    plan = Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(3, 7), num_model_layers=10)
    selected = plan.select([7])
    assert selected.layer_ids == (7,)
    assert selected.physical_to_logical.tolist() == MAPPING[1:]
    assert selected.num_model_layers == 10
    assert selected.replica_counts.tolist() == [[1, 1, 2]]
    assert plan.select((3, 7)) == plan


def test_select_names_absent_layers_and_those_there_are():
    plan = Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(3, 4))
    with pytest.raises(InvalidPlanError, match=r"no layer 1, 5; it has layers 3-4"):
        plan.select([1, 3, 5])


@pytest.mark.parametrize("wanted", [[7, 3], [3, 3], []])
def test_select_keeps_layers_increasing_and_at_least_one(wanted):
    with pytest.raises(InvalidPlanError):
        Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(3, 7)).select(wanted)


def test_plans_are_equal_if_everything_is(plan):
    assert plan == Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(0, 1), num_model_layers=2)
    assert plan != Plan([[1, 0, 2, 0], [2, 2, 1, 0]], Deployment(2, 4), 3)
    assert plan != Plan(MAPPING, Deployment(2, 4, distinct=False), 3)
    assert plan != Plan(MAPPING, Deployment(2, 4), 4)
    assert plan != Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(3, 4))
    assert plan != Plan(MAPPING, Deployment(2, 4), 3, num_model_layers=3)
    assert plan != MAPPING
    with pytest.raises(TypeError):
        hash(plan)


@pytest.mark.parametrize("ids", [(0,), (1, 1), (2, 1), (-1, 0), ("a", "b")])
def test_layer_ids_are_increasing_integers_one_per_layer(ids):
    with pytest.raises(InvalidPlanError, match="layer ids"):
        Plan(MAPPING, Deployment(2, 4), 3, layer_ids=ids)


def test_the_model_has_room_for_the_last_layer():
    with pytest.raises(InvalidPlanError, match="num_model_layers=4 leaves no room for layer 7"):
        Plan(MAPPING, Deployment(2, 4), 3, layer_ids=(3, 7), num_model_layers=4)


@pytest.mark.parametrize("value", ["61", 61.0, True])
def test_the_number_of_model_layers_is_an_integer(value):
    with pytest.raises(InvalidPlanError, match="num_model_layers"):
        Plan(MAPPING, Deployment(2, 4), 3, num_model_layers=value)


@pytest.mark.parametrize("value", [3.0, "3", True])
def test_the_number_of_experts_is_an_integer(value):
    with pytest.raises(InvalidPlanError, match="num_experts"):
        Plan(MAPPING, Deployment(2, 4), value)


def test_moe_layers_counted_from_0_are_those_of_a_model_that_has_as_many():
    plan = Plan([[0, 1]] * 3, Deployment(1, 2), 2, numbering="moe")
    assert plan.numbered_as(plan.labels) == plan
    some = Loads(np.ones((1, 2, 2)), (0, 2), num_model_layers=3, numbering="moe")
    assert plan.numbered_as(some.labels) == plan
    with pytest.raises(InvalidPlanError, match=r"MoE layers from 0 \(0-2\).*MoE layers from 0 \(0-1\).* not as many"):
        plan.numbered_as(Loads(np.ones((1, 2, 2)), numbering="moe").labels)
