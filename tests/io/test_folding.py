import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import InvalidLoadsError, InvalidPlanError
from eplb_opt.io.folding import added, fold, slot_map


@st.composite
def slots(draw):
    """Counts and a map of the same shape, in which every expert has a slot in every layer."""
    experts, spare, layers = draw(st.integers(1, 4)), draw(st.integers(0, 3)), draw(st.integers(1, 3))
    spares = st.lists(st.integers(-1, experts - 1), min_size=spare, max_size=spare)
    maps = [draw(spares.map(lambda more: [*range(experts), *more]).flatmap(st.permutations)) for _ in range(layers)]
    return [[draw(st.integers(0, 2**40)) for _ in row] for row in maps], maps


@given(slots())
def test_folding_sums_over_the_slots_of_an_expert(drawn):
    counts, maps = drawn
    expected = [
        [sum(load for load, held in zip(loads, row, strict=True) if held == expert) for expert in range(max(row) + 1)]
        for loads, row in zip(counts, maps, strict=True)
    ]
    assert fold(np.array(counts), slot_map(maps, "x"), "x").tolist() == expected


def test_floats_stay_floats():
    assert fold(np.array([[0.5, 0.25, 1.0]]), slot_map([[0, 1, 0]], "x"), "x").tolist() == [[1.5, 0.25]]


def test_a_map_may_be_a_tensor_on_any_device():
    assert slot_map(torch.tensor([[1, 0]], dtype=torch.int32), "x").tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[0, 1], [0]], "not a row of expert ids"),
        ([0, 1], "not a row of expert ids"),
        ([], "not a row of expert ids"),
        ([[0.0]], "not a row of expert ids"),
        ([[True]], "not a row of expert ids"),
        ([[2**64]], "not a row of expert ids"),
        (torch.eye(2).to_sparse(), "not a row of expert ids"),
        ("text", "not a row of expert ids"),
        ([[0, 5]], "holds expert 5, and 2 slots"),
        ([[0, 2**63 - 1]], "holds expert 9223372036854775807"),
        ([[0, -5]], "holds expert -5"),
        ([[0, 1], [0, 0]], "has no slot for expert 1 in layer row 1"),
    ],
)
def test_what_is_no_map_is_refused(values, says):
    with pytest.raises(InvalidPlanError, match=f"^x {says}|^x is {says}"):
        slot_map(values, "x")


def test_counts_of_ranks_are_integers_that_stay_tokens():
    assert added(np.array([2**53 - 2]), np.array([1]), "x").tolist() == [2**53 - 1]
    with pytest.raises(InvalidLoadsError, match=r"x: the sum of ranks is 2\*\*53 tokens or more"):
        added(np.array([2**53 - 1]), np.array([1]), "x")
    with pytest.raises(InvalidLoadsError, match="x holds float64 numbers, not counts"):
        added(None, np.array([0.5]), "x")


def test_counts_have_the_shape_of_their_map():
    with pytest.raises(InvalidLoadsError, match=r"x: loads have shape \(1, 3\), the map of slots \(1, 2\)"):
        fold(np.ones((1, 3)), slot_map([[0, 1]], "x"), "x")
