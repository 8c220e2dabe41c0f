"""Moves: what is on a GPU that was not there, counted with sets of each GPU one by one."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.moves import count_moves, keep_slots, moves_between, rows_before
from eplb_opt.plan import Plan

PLAN = Plan(np.array([[0, 1, 2, 0], [3, 2, 1, 0]]), Deployment(2, 4), 4, layer_ids=(3, 4))


@st.composite
def tables(draw):
    """Rows of two plans, and GPUs; copies of an expert may share one, and slots of the old rows may be empty."""
    layers, gpus, size = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    experts = draw(st.integers(1, 6))
    return *(random.integers(least, experts, (layers, gpus * size)) for least in (0, -1)), gpus


def gpus_of(rows, old, gpus):
    """(layer, GPU, what it holds, what it held), GPU by GPU."""
    for layer, pair in enumerate(zip(rows, old, strict=True)):
        after, before = (row.reshape(gpus, -1).tolist() for row in pair)
        yield from ((layer, gpu, after[gpu], before[gpu]) for gpu in range(gpus))


@given(tables())
def test_moves_are_what_a_gpu_holds_and_did_not_hold(drawn):
    rows, old, gpus = drawn
    expected = [
        [layer, gpu, expert]
        for layer, gpu, after, before in gpus_of(rows, old, gpus)
        for expert in sorted(set(after) - set(before))
    ]
    assert count_moves(rows, old, gpus).tolist() == [sum(m[0] == row for m in expected) for row in range(len(rows))]
    new, before = (Plan(table, Deployment(gpus, table.shape[1], distinct=False), 6) for table in (rows, old))
    assert moves_between(before, new).tolist() == expected


def test_a_further_copy_of_what_a_gpu_holds_is_free_and_two_new_ones_are_one_move():
    rows, old = np.array([[0, 0, 1, 3, 3, 2]]), np.array([[0, 1, 2, 0, 1, 2]])
    assert count_moves(rows, old, 2).tolist() == [1]
    # An empty slot of the new plan asks for nothing.
    assert count_moves(np.array([[0, -1, -1, 3, 3, -1]]), old, 2).tolist() == [1]


@given(tables())
def test_what_stays_keeps_its_slot_and_nothing_else_is_lost(drawn):
    rows, old, gpus = drawn
    kept = keep_slots(rows, old, gpus)
    shape = (-1, rows.shape[1] // gpus)
    assert np.sort(kept.reshape(shape)).tolist() == np.sort(rows.reshape(shape)).tolist()
    changed = sum((Counter(after) - Counter(before)).total() for _, _, after, before in gpus_of(rows, old, gpus))
    assert np.count_nonzero(kept != old) == changed


def test_no_layers_have_no_moves():
    none = np.empty((0, 4), dtype=np.int64)
    assert count_moves(none, none, 2).tolist() == []
    assert keep_slots(none, none, 2).shape == (0, 4)


def test_slots_of_a_gpu_are_exchanged_for_free():
    swapped = replace(PLAN, physical_to_logical=PLAN.physical_to_logical[:, [1, 0, 3, 2]])
    assert moves_between(PLAN, swapped).shape == (0, 3)


def test_only_the_layers_of_the_new_plan_count():
    new = Plan(np.array([[3, 2, 1, 3]]), Deployment(2, 4), 4, layer_ids=(4,), num_model_layers=5)
    assert moves_between(PLAN, new).tolist() == [[0, 1, 3]]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_experts": 5}, "from 5 experts to 4"),
        ({"deployment": Deployment(4, 4)}, "from 4 GPUs to 2"),
        ({"layer_ids": (2, 3)}, "the old plan has layers 2-3, the new one layers 3-4: name the model"),
    ],
)
def test_plans_that_do_not_fit_each_other_are_one_sentence(changes, sentence):
    with pytest.raises(InvalidPlanError, match=sentence):
        rows_before(replace(PLAN, **changes), PLAN)


def test_other_numbers_of_slots_do_not_fit():
    with pytest.raises(InvalidPlanError, match="from 2 slots to 4"):
        rows_before(Plan(np.array([[0, 1], [2, 3]]), Deployment(2, 2), 4, layer_ids=(3, 4)), PLAN)
