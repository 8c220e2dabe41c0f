"""evaluate: every metric under its own name, each by its definition."""

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment, Loads, Plan
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError, InvalidPlanError
from eplb_opt.evaluate import summarise
from eplb_opt.instance import Instance
from tests.oracle import row_gpu_loads
from tests.strategies import SMALL, deployments_and_experts, instances, load_rows, rows_of_slots

# GPU 0 holds expert 0 (load 8) and half of expert 1 (load 4): 10. GPU 1 holds the other half and expert 2 (load 2): 4.
PLAN = Plan(np.array([[0, 1, 1, 2]]), Deployment(2, 4), 3)


def test_the_metrics_of_a_small_plan():
    (row,) = eplb_opt.evaluate(PLAN, [8, 4, 2]).to_dict("records")
    assert row == {
        "layer_id": 0,
        "window": 0,
        "max_load": 10.0,
        "mean_load": 7.0,
        "imbalance": 10 / 7,
        "balancedness": 7 / 10,
        "relative_excess": pytest.approx(3 / 7),
        # Slot loads 8, 2, 2, 2: mean 3.5, largest 8.
        "slot_balancedness": 3.5 / 8,
    }


def test_a_time_model_adds_the_time_of_each_layer_and_of_a_step():
    loads = np.array([[[8, 4, 2], [1, 1, 1]], [[2, 4, 8], [0, 0, 0]]])
    plan = Plan(np.array([[0, 1, 1, 2], [0, 1, 2, 0]]), Deployment(2, 4), 3)
    model = eplb_opt.TimeModel(per_replica=0.0, per_token=0.5, experts_per_token=2)
    frame = eplb_opt.evaluate(plan, loads, time_model=model, tokens_per_gpu=10)
    # 2 GPUs x 10 tokens x 2 experts are 40 requests, of which the hottest GPU of the first layer has 10/14.
    first, second = 0.5 * 40 * 10 / 14, 0.5 * 40 / 2
    assert frame["microseconds"].tolist() == pytest.approx([first, first, second, 0.0])
    assert summarise(frame)["milliseconds"] == pytest.approx((first + second) / 1e3)
    assert "milliseconds" not in summarise(eplb_opt.evaluate(plan, loads))
    named = eplb_opt.evaluate(plan, loads, model="mixtral-8x7b", time_model=model, tokens_per_gpu=10)
    assert named["microseconds"].tolist() == frame["microseconds"].tolist()
    for wrong, words in ((8, "model=8 is neither a Model nor the name"), ("mixtral", "'mixtral' is not one of")):
        with pytest.raises(InvalidArgumentError, match=words):
            eplb_opt.evaluate(plan, loads, model=wrong)
    with pytest.raises(InvalidArgumentError, match="needs tokens_per_gpu"):
        eplb_opt.evaluate(plan, loads, time_model=model)
    empty = eplb_opt.evaluate(plan, 0 * loads, time_model=model, tokens_per_gpu=10)
    assert isnan(summarise(empty)["milliseconds"])


RATIOS = ["imbalance", "balancedness", "relative_excess", "slot_balancedness"]


def test_without_load_there_is_no_balance_and_no_figure_counts_it():
    # Both GPUs of the plan are used by one expert each: all load is on the first.
    frame = eplb_opt.evaluate(Plan(np.array([[0, 1]]), Deployment(2, 2), 2), [[[8, 0]], [[0, 0]]])
    assert frame[["window", "max_load", "mean_load"]].values.tolist() == [[0, 8.0, 4.0], [1, 0.0, 0.0]]
    assert frame[RATIOS].isna().all(axis=1).tolist() == [False, True]
    summary = summarise(frame)
    assert summary["mean_imbalance"] == summary["worst_imbalance"] == frame["imbalance"].mean() == 2.0
    assert summary["mean_balancedness"] == summary["total_balancedness"] == frame["balancedness"].mean() == 0.5
    assert summary["mean_relative_excess"] == 1.0
    assert summary["mean_slot_balancedness"] == summary["total_slot_balancedness"] == 0.5


def test_where_nothing_has_load_there_are_no_figures():
    summary = summarise(eplb_opt.evaluate(PLAN, [[[0, 0, 0]], [[0, 0, 0]]]))
    assert all(map(isnan, summary.values()))


def test_the_smallest_and_the_largest_loads_have_all_figures():
    frame = eplb_opt.evaluate(Plan(np.array([[0, 0, 0]]), Deployment(3, 3), 1), [[[1e-200]], [[2.0**53 - 1]]])
    assert frame[RATIOS].values.tolist() == [[1.0, 1.0, 0.0, 1.0]] * 2


@given(st.data())
def test_emptied_windows_change_no_figure(data):
    """A window of zeros, in all layers or in some of them, adds rows and changes nothing that is said of the plan."""
    deployment, experts = data.draw(deployments_and_experts())
    layers = data.draw(st.integers(1, 3))
    values = np.array([[data.draw(load_rows(experts, (SMALL,))) for _ in range(layers)] for _ in range(3)])
    emptied = np.array(data.draw(st.lists(st.booleans(), min_size=3 * layers, max_size=3 * layers))).reshape(3, layers)
    values[emptied] = 0
    row = data.draw(rows_of_slots(Instance.from_loads(values[:, 0], deployment)))
    frame = eplb_opt.evaluate(Plan(np.array([row] * layers), deployment, experts), values)
    loaded = values.any(axis=2)
    assert (loaded == frame["imbalance"].notna().to_numpy().reshape(layers, 3).T).all()
    exact = [
        max(loads) / (sum(loads) / len(loads))
        for layer in range(layers)
        for loads in row_gpu_loads_of_windows(row, values[:, layer], deployment)
        if any(loads)
    ]
    summary = summarise(frame)
    assert summary["mean_imbalance"] == pytest.approx(float(sum(exact) / len(exact)) if exact else nan, nan_ok=True)
    assert summary["mean_imbalance"] == pytest.approx(frame["imbalance"].mean(), nan_ok=True)


def row_gpu_loads_of_windows(row, values, deployment):
    """Exact loads of the GPUs in each window of a layer."""
    return [row_gpu_loads(row, Instance.from_loads(window, deployment)) for window in values]


def test_figures_over_layers_differ_by_name():
    two = Plan(np.array([[0, 1, 1, 2]] * 2), Deployment(2, 4), 3)
    # Layer 0: max 10, mean 7. Layer 1 (loads 2, 4, 4): GPU loads 4 and 6, mean 5.
    summary = summarise(eplb_opt.evaluate(two, [[8, 4, 2], [2, 4, 4]]))
    assert summary["mean_balancedness"] == pytest.approx((7 / 10 + 5 / 6) / 2)
    assert summary["total_balancedness"] == pytest.approx(12 / 16)
    assert summary["mean_imbalance"] == pytest.approx((10 / 7 + 6 / 5) / 2)
    assert summary["worst_imbalance"] == pytest.approx(10 / 7)
    assert summary["mean_relative_excess"] == pytest.approx((3 / 7 + 1 / 5) / 2)
    # Slot loads of layer 1: 2, 2, 2, 4.
    assert summary["mean_slot_balancedness"] == pytest.approx((3.5 / 8 + 2.5 / 4) / 2)
    assert summary["total_slot_balancedness"] == pytest.approx((3.5 + 2.5) / (8 + 4))


@given(st.data())
def test_max_and_mean_load_are_the_definition(data):
    instance = data.draw(instances(kinds=(SMALL,)))
    row = data.draw(rows_of_slots(instance))
    loads = [int(weight * instance.unit) for weight in instance.weights[0]]
    (metrics,) = eplb_opt.evaluate(Plan(np.array([row]), instance.deployment, len(loads)), loads).to_dict("records")
    exact = row_gpu_loads(row, instance)
    assert metrics["max_load"] == float(max(exact))
    assert metrics["mean_load"] == float(sum(exact) / len(exact))


def test_layers_are_matched_by_their_ids():
    plan = Plan(np.array([[0, 1, 1, 2], [2, 1, 1, 0], [0, 2, 1, 2]]), Deployment(2, 4), 3, layer_ids=(3, 4, 5))
    frame = eplb_opt.evaluate(plan, Loads([[8, 4, 2]], layer_ids=(5,)))
    # Layer 5: GPU loads 8 + 1 and 4 + 1.
    assert frame[["layer_id", "max_load"]].values.tolist() == [[5, 9.0]]
    with pytest.raises(InvalidPlanError, match="no layer 6; it has layers 3-5"):
        eplb_opt.evaluate(plan, Loads([[8, 4, 2]], layer_ids=(6,)))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidLoadsError, match="the loads have 4 experts, the plan 3"):
        eplb_opt.evaluate(PLAN, [1, 2, 3, 4])
    with pytest.raises(InvalidLoadsError, match="the loads have 2 layers, the plan 1"):
        eplb_opt.evaluate(PLAN, [[1, 2, 3], [1, 2, 3]])
    with pytest.raises(InvalidArgumentError, match="dispatch='static' is not one of even, nearest"):
        eplb_opt.evaluate(PLAN, [8, 4, 2], dispatch="static")
    broken = Plan(np.array([[0, 1, 1, 1]]), Deployment(2, 4), 3)
    with pytest.raises(InvalidPlanError, match="expert 2 has no replica"):
        eplb_opt.evaluate(broken, [8, 4, 2])
