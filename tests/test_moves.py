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


def arrivals(rows, old, gpus):
    """Multisets of (layer, gpu, expert), GPU by GPU."""
    found = Counter()
    for layer, pair in enumerate(zip(rows, old, strict=True)):
        after, before = (row.reshape(gpus, -1).tolist() for row in pair)
        for gpu in range(gpus):
            for expert, copies in (Counter(after[gpu]) - Counter(before[gpu])).items():
                found[layer, gpu, expert] += copies
    return found


@given(tables())
def test_moves_are_what_a_gpu_holds_and_did_not_hold(drawn):
    rows, old, gpus = drawn
    expected = arrivals(rows, old, gpus)
    counts = [sum(n for (layer, _, _), n in expected.items() if layer == row) for row in range(len(rows))]
    assert count_moves(rows, old, gpus).tolist() == counts
    new, before = (Plan(table, Deployment(gpus, table.shape[1], distinct=False), 6) for table in (rows, old))
    moves = moves_between(before, new)
    assert Counter(map(tuple, moves.tolist())) == expected
    assert moves.tolist() == sorted(moves.tolist(), key=lambda move: move[:2])


@given(tables())
def test_what_stays_keeps_its_slot_and_nothing_else_is_lost(drawn):
    rows, old, gpus = drawn
    kept = keep_slots(rows, old, gpus)
    shape = (-1, rows.shape[1] // gpus)
    assert np.sort(kept.reshape(shape)).tolist() == np.sort(rows.reshape(shape)).tolist()
    assert np.count_nonzero(kept != old) == arrivals(rows, old, gpus).total()


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
