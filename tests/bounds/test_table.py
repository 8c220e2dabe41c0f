"""lower_bound: the instant bounds by name, as a data frame."""

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Instance, Loads
from eplb_opt.bounds.quick import quick_bounds


def test_one_column_per_bound_and_the_largest_named():
    # One hot expert on 4 GPUs of one slot: Adams gives it two replicas, 50 each; the mean load is 26.5.
    frame = eplb_opt.lower_bound([[100, 3, 3]], Deployment(4, 4))
    assert frame.columns.tolist() == [
        "layer_id",
        "mean",
        "adams",
        "slack",
        "lower_bound",
        "argument",
        "least_imbalance",
    ]
    (row,) = frame.to_dict("records")
    assert (row["mean"], row["adams"], row["lower_bound"], row["argument"]) == (26.5, 50.0, 50.0, "adams")
    assert row["least_imbalance"] == pytest.approx(50 / 26.5)


def test_the_hierarchical_policy_has_a_bound_of_its_own():
    frame = eplb_opt.lower_bound(np.arange(1, 9), Deployment(4, 8, 2, 4))
    # Groups 3, 7, 11, 15: the best pairs have 18 each, so 9 for each of the two GPUs of a node.
    assert frame["nodes"].tolist() == [9.0]


def test_rows_are_layers_and_windows_are_summed():
    loads = Loads(np.random.default_rng(0).integers(0, 50, (2, 3, 8)), layer_ids=(3, 4, 6))
    frame = eplb_opt.lower_bound(loads, Deployment(4, 12))
    assert frame["layer_id"].tolist() == [3, 4, 6]
    for row, values in zip(frame.to_dict("records"), loads.values.sum(axis=0), strict=True):
        proofs = quick_bounds(Instance.from_loads(values, Deployment(4, 12)))
        assert {proof.argument: float(proof.bound) for proof in proofs}.items() <= row.items()


def test_a_layer_without_load_has_the_bound_zero():
    (row,) = eplb_opt.lower_bound([0, 0, 0, 0], Deployment(2, 4)).to_dict("records")
    assert (row["lower_bound"], row["least_imbalance"]) == (0.0, 1.0)
