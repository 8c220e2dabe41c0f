"""replan_diff: the figures of diff, what is proven, and rows whose experts are lost."""

from fractions import Fraction
from math import isnan

import numpy as np
import pytest

import eplb_opt
from eplb_opt.replan import replan
from eplb_opt.replan_diff import lost_experts_of, replan_diff, replan_transfers

OLD = eplb_opt.Plan(np.array([[0, 1, 2, 3, 0, 1], [0, 1, 0, 2, 1, 3]]), eplb_opt.Deployment(3, 6), 4)
LOADS = np.array([[4, 2, 1, 1], [3, 2, 2, 1]])


def found(**options):
    return replan(OLD, LOADS, time_limit=0.2, workers=1, **options)


def test_without_a_loss_it_is_diff_and_what_is_proven():
    plan = found(max_moves=2)
    frame, expected = replan_diff(plan, LOADS), eplb_opt.diff(OLD, plan.plan, LOADS)
    assert frame[list(expected)].equals(expected)
    assert frame["moves_bound"].tolist() == [layer.moves_bound for layer in plan.layers]
    assert frame["experts_lost"].tolist() == [0, 0] and lost_experts_of(plan) == []


def test_a_row_without_all_experts_has_no_figures_before():
    plan = found(lost=[2])
    frame = replan_diff(plan, LOADS)
    assert lost_experts_of(plan) == [(1, 3)] and frame["experts_lost"].tolist() == [0, 1]
    # Of two GPUs one carries 6 of 8 in layer 0.
    assert frame["imbalance_before"][0] == 1.5 and isnan(frame["imbalance_before"][1])
    assert not frame["imbalance_after"].isna().any()
    assert frame["moves"].tolist() == [layer.moves for layer in plan.layers]
    # What is lost is copied first, and from no GPU.
    transfers = replan_transfers(plan, frame)
    assert transfers.loaded[:, [0, 2]].tolist() == [[1, 3]]
    assert len(transfers.layer) + 1 == plan.moves


def test_a_plan_without_moves_has_no_gap():
    plan = found(max_moves=0)
    # Max loads by hand: 6 of layer 0 are on no GPU, as 0 and 1 have two replicas; in tokens 3, 2, 3 and 2.5, 3.5, 2.
    assert plan.value == plan.value_before == plan.bound_in_all == Fraction(13, 2) and plan.gap == 0
    assert plan.imbalance_of(plan.value) == pytest.approx(6.5 / (8 / 3 + 8 / 3))
    assert str(plan).startswith("2 layers: 0 moves, imbalance 1.218750, bound 1.218750, gap 0 %, ")
    mean = found(max_moves=0, objective="mean")
    assert mean.imbalance_of(mean.value) == pytest.approx(6.5 / 2 / (8 / 3))
